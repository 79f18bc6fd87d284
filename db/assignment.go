package db

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/air-executor/air-executor/job"
)

// Assignment is a claimed task with everything that its runner needs to know.
type Assignment struct {
	Job     string
	Task    string // id
	Attempt int    // number, from 1
	Token   string // proves that an update comes from this attempt
	Command string
	Args    []string
	Dir     string        // empty: the folder that holds the base path
	Env     []string      // nil: the environment of the manager
	Timeout time.Duration // 0: the configured default
	Slot    int           // place among the running tasks of the job, from 0
	Pools   []PoolPlaces  // places that it holds in pools
	Input   bool          // there is something for its command to read, see [DB.Input]

	runner                 Runner
	attemptID, taskID, job int64
	more                   bool // the job has another task to claim now
}

// define copies what the user asked for, except the environment.
func (a *Assignment) define(s job.Spec) {
	a.Command, a.Args, a.Dir, a.Timeout = s.Command, s.Args, s.Dir, s.Timeout
}

// pooled is 1 if the task holds places in pools, else 0: how many of its blockers are
// these places.
func (a *Assignment) pooled() int { return min(1, len(a.Pools)) }

// Runner is the process that the task was claimed for.
func (a *Assignment) Runner() Runner { return a.runner }

// Encode returns the assignment as bytes, to be sent from the process that claimed it
// to its runner.
func (a *Assignment) Encode() []byte {
	var b []byte
	r := a.runner
	for _, n := range []int64{int64(a.Attempt), int64(a.Timeout), a.attemptID, a.taskID, a.job, r.Lock, int64(r.PID), r.PIDStart, r.Namespace, r.InitLock, int64(a.Slot), int64(truth(a.Input))} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range []string{a.Job, a.Task, a.Token, a.Command, a.Dir, r.Host, r.BootID, r.Manager} {
		b = appendText(b, s)
	}
	b = appendList(b, a.Args)
	b = binary.AppendUvarint(b, uint64(len(a.Pools)))
	for _, p := range a.Pools {
		b = binary.AppendUvarint(appendText(b, p.Pool), uint64(len(p.Numbers)))
		for _, n := range p.Numbers {
			b = binary.AppendVarint(b, int64(n))
		}
	}
	if a.Env == nil {
		return b
	}
	return appendList(b, a.Env)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

// DecodeAssignment reads what Encode wrote.
func DecodeAssignment(b []byte) (*Assignment, error) {
	a := &Assignment{}
	r := &a.runner
	d := &decoder{rest: b}
	a.Attempt, a.Timeout = int(d.number()), time.Duration(d.number())
	a.attemptID, a.taskID, a.job = d.number(), d.number(), d.number()
	r.Lock, r.PID, r.PIDStart = d.number(), int(d.number()), d.number()
	r.Namespace, r.InitLock, a.Slot = d.number(), d.number(), int(d.number())
	a.Input = d.number() == 1
	a.Job, a.Task, a.Token, a.Command, a.Dir = d.text(), d.text(), d.text(), d.text(), d.text()
	r.Host, r.BootID, r.Manager = d.text(), d.text(), d.text()
	if list := d.list(); len(list) > 0 {
		a.Args = list
	}
	for range d.length() {
		p := PoolPlaces{Pool: d.text()}
		for range d.length() {
			p.Numbers = append(p.Numbers, int(d.number()))
		}
		a.Pools = append(a.Pools, p)
	}
	if len(d.rest) > 0 {
		a.Env = d.list()
	}
	if d.bad || len(d.rest) > 0 {
		return nil, errors.New("malformed assignment")
	}
	return a, nil
}

// decoder reads the values of an assignment in order.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() int64 {
	n, size := binary.Varint(d.rest)
	return advance(d, n, size)
}

func (d *decoder) length() int {
	n, size := binary.Uvarint(d.rest)
	if n = advance(d, n, size); n > uint64(len(d.rest)) {
		d.bad = true
		return 0
	}
	return int(n)
}

// advance skips a number that took size bytes; 0 or less means that it was malformed.
func advance[T int64 | uint64](d *decoder, n T, size int) T {
	if size <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) text() string {
	n := d.length()
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) list() []string {
	list := make([]string, 0, d.length())
	for range cap(list) {
		list = append(list, d.text())
	}
	return list
}
