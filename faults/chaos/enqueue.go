//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// Facts about enqueuing.
const (
	factAcked   = "acknowledged"
	factInDoubt = "in doubt"
	factAbsent  = "killed before the commit"
	factLarge   = "with an environment of 100 kB"
)

// backlog is how many tasks may wait before enqueuers pause.
const backlog = 40

// endless is how long a command sleeps that only ends when it is ended. Who
// cancels it waits for that.
const endless = 10 * time.Minute

// enqueuer queues one task after the other, each until it is acknowledged.
func (w *world) enqueuer(ctx context.Context, number int) {
	rng := w.random(fmt.Sprint("enqueuer ", number))
	usual := 10 * time.Millisecond // that an enqueue takes
	for i := 0; pause(ctx, rng, 20*time.Millisecond); i++ {
		n := name{w.jobName(rng.IntN(w.conf.jobs)), fmt.Sprintf("t-%d-%d", number, i)}
		o := w.draw(rng, n)
		w.ids.try(n)
		for ctx.Err() == nil && !w.tryEnqueue(rng, &usual, n, o) {
		}
		if w.ids.acked()-w.begun() > backlog {
			pause(ctx, rng, time.Second)
		}
	}
}

// begun is roughly how many tasks have begun.
func (w *world) begun() int {
	const lines = 2 * 30 // bytes of a begin and an end, at least
	info, err := os.Stat(filepath.Join(w.dir, witnessName))
	if err != nil {
		return 0
	}
	return int(info.Size()) / lines
}

// order is how a task is queued.
type order struct {
	args  []string
	env   []string // beside that of the program
	after name     // what it depends on, if that has a task
}

// draw draws a task.
func (w *world) draw(rng *rand.Rand, n name) order {
	t := task{dir: w.dir, slots: w.conf.slots, sleep: time.Duration(rng.IntN(30)) * time.Millisecond}
	o := order{args: []string{"enqueue", "--job", n.job, "--id", n.task, "--if-absent"}}
	switch p := rng.IntN(100); {
	case p < 8:
		t.exit = 1 + rng.IntN(5)
	case p < 14:
		t.sleep = time.Duration(300+rng.IntN(1500)) * time.Millisecond
	case p < 20:
		t.sleep = 5 * time.Second
		o.args = append(o.args, "--timeout", "300ms")
	case p < 21:
		t.stubborn = true
		t.sleep = time.Second
	case p < 27:
		t.enqueue = w.prog.Path
	case p < 28 && rng.IntN(3) == 0:
		t.sleep = endless
	}
	t.child = rng.IntN(4) == 0
	t.hide = rng.IntN(6) == 0 || w.conf.nobody && rng.IntN(2) == 0
	if after, ok := w.ids.some(rng, n.job); ok && rng.IntN(10) == 0 {
		o.args = append(o.args, "--after", after)
		o.after = name{n.job, after}
	}
	if rng.IntN(5) == 0 {
		o.args = append(o.args, "--priority", fmt.Sprint(rng.IntN(3)))
	}
	switch p := rng.IntN(20); {
	case w.conf.long || p < 3:
		w.report.fact(factLarge, 1)
		o.env = append(o.env, "LARGE="+strings.Repeat(string(rune('a'+rng.IntN(26))), 100_000))
	case p < 7:
		o.args = append(o.args, "--no-env")
	}
	o.args = append(append(o.args, "--", w.self), t.args()...)
	return o
}

// tryEnqueue runs one enqueue, which may be killed or stopped on its way, and
// reports whether the id was acknowledged.
func (w *world) tryEnqueue(rng *rand.Rand, usual *time.Duration, n name, o order) bool {
	cmd, out, errs := w.prog.Prepare(context.Background(), w.base, o.args...)
	cmd.Env = append(cmd.Env, o.env...)
	doom, after := rng.IntN(100), time.Duration(rng.Float64()*1.2*float64(*usual))
	rest := time.Duration(rng.IntN(800)) * time.Millisecond
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		w.report.breaks(checkAnswers, "enqueue does not start: %v", err)
		return false
	}
	ended := make(chan struct{})
	struck := make(chan bool, 1)
	go func() { struck <- w.strikeEnqueuer(cmd.Process, doom, after, rest, ended) }()
	r := subject.Outcome(cmd.Wait(), out, errs)
	close(ended)
	killed := <-struck
	if strings.HasPrefix(r.Out, n.task+"\n") {
		w.ids.ack(n)
		*usual = (9**usual + time.Since(begin)) / 10
		return true
	}
	switch {
	case killed && r.Killed:
		w.report.killed(killEnqueuer)
		w.askAfter(n)
	case r.Code == 4 && o.after.task != "" && w.ids.mayBeGone(o.after):
		return true // what it was to wait for is removed; it is not acknowledged
	default:
		w.report.breaks(checkAnswers, "enqueue %s %s: exit code %d: %s", n.job, n.task, r.Code, r.Err)
		return true // it will not get better; the task counts as not acknowledged
	}
	return false
}

// strikeEnqueuer kills the process, or stops it for a while, or leaves it alone.
func (w *world) strikeEnqueuer(p *os.Process, doom int, after, rest time.Duration, ended chan struct{}) (killed bool) {
	if doom >= 55 {
		return false
	}
	select {
	case <-ended:
		return false
	case <-time.After(after):
	}
	if doom < 50 {
		return p.Signal(syscall.SIGKILL) == nil
	}
	if p.Signal(syscall.SIGSTOP) != nil {
		return false
	}
	w.report.stopped(killEnqueuer)
	time.Sleep(rest)
	_ = p.Signal(syscall.SIGCONT)
	return false
}

// askAfter counts whether a task is there whose enqueuer was killed before it
// could acknowledge it.
func (w *world) askAfter(n name) {
	r := w.prog.Run(w.base, "--json", "status", "--job", n.job, "--task", n.task)
	switch r.Code {
	case 0:
		w.report.fact(factInDoubt, 1)
	case 4:
		w.report.fact(factAbsent, 1)
	default:
		w.report.breaks(checkAnswers, "status of %s %s: exit code %d: %s", n.job, n.task, r.Code, r.Err)
	}
}
