//go:build failpoints

package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The files of a database, without the start of their names.
const dbName = "air-executor.db"

var dbSuffixes = []string{"", "-wal", "-shm"}

// A damage is done to the files of a database, whose names begin with path.
type damage struct {
	name string
	do   func(p *patient, rng *rand.Rand, path string)
	// What was lost is at the end, and cannot be noticed: the log is as if the
	// last commits had never been.
	end bool
	// Nothing is lost.
	harmless bool
	// What is there instead may be whole in itself.
	stranger bool
	// It is done in one way only.
	once bool
}

// damages of a database that was closed.
var closedDamages = []damage{
	{name: "a byte", do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path, 0, 1, 1) }},
	{name: "some bytes", do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path, 0, 1, 20) }},
	{name: "a byte of the header", do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path, 100, 1, 1) }},
	{name: "a block", do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path, 0, 512, 1) }},
	{name: "some pages", do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path, 0, 4096, 3) }},
	{name: "cut off", do: func(p *patient, rng *rand.Rand, path string) { p.cutOff(rng, path) }},
	{name: "emptied", once: true, do: func(p *patient, _ *rand.Rand, path string) { p.must(os.Truncate(path, 0)) }},
}

// damages of a database whose users were killed.
var openDamages = []damage{
	{name: "a byte of the log", end: true, do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path+"-wal", 0, 1, 1) }},
	{name: "a byte of the log's header", end: true, do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path+"-wal", 32, 1, 1) }},
	{name: "a block of the log", end: true, do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path+"-wal", 0, 512, 1) }},
	{name: "log cut off", end: true, do: func(p *patient, rng *rand.Rand, path string) { p.cutOff(rng, path+"-wal") }},
	{name: "no log", once: true, end: true, do: func(p *patient, _ *rand.Rand, path string) { p.must(os.Remove(path + "-wal")) }},
	{name: "index of the log left behind", once: true, harmless: true, do: func(*patient, *rand.Rand, string) {}},
	{name: "index of rubbish", harmless: true, do: func(p *patient, rng *rand.Rand, path string) { p.scribble(rng, path+"-shm", 0, 512, 20) }},
	{name: "index cut off", harmless: true, do: func(p *patient, rng *rand.Rand, path string) { p.cutOff(rng, path+"-shm") }},
	{name: "log of another", once: true, stranger: true, do: func(p *patient, _ *rand.Rand, path string) { p.take("-wal", path) }},
	{name: "log and index of another", once: true, stranger: true, do: func(p *patient, _ *rand.Rand, path string) { p.take("-wal", path); p.take("-shm", path) }},
	{name: "index of another", once: true, harmless: true, do: func(p *patient, _ *rand.Rand, path string) { p.take("-shm", path) }},
	{name: "emptied beside its log", once: true, do: func(p *patient, _ *rand.Rand, path string) { p.must(os.Truncate(path, 0)) }},
	{name: "gone from its log", once: true, do: func(p *patient, _ *rand.Rand, path string) { p.must(os.Remove(path)) }},
}

// scribble writes rubbish over some places of a file, of its first bytes if
// within is not 0.
func (w *world) scribble(rng *rand.Rand, path string, within, size, places int) {
	b, err := os.ReadFile(path)
	w.must(err)
	if within == 0 || within > len(b) {
		within = len(b)
	}
	for range places {
		at := rng.IntN(within)
		for i := at; i < min(at+size, len(b)); i++ {
			b[i] ^= byte(1 + rng.IntN(255))
		}
	}
	w.must(os.WriteFile(path, b, 0o600))
}

// take puts a file of another database in the place of that of this one.
func (p *patient) take(suffix, path string) {
	b, err := os.ReadFile(filepath.Join(p.other, dbName+suffix))
	p.must(err)
	p.must(os.WriteFile(path+suffix, b, 0o600))
}

func (w *world) cutOff(rng *rand.Rand, path string) {
	info, err := os.Stat(path)
	w.must(err)
	w.must(os.Truncate(path, rng.Int64N(info.Size())))
}

// T32: a damaged database is an error of whoever uses it, or found by doctor,
// or has lost nothing; but for the end of its log. Nobody crashes or hangs.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	closed, open := w.specimens("j")
	other := newWorld(t)
	_, others := other.specimens("other")
	const seeds = 20
	for _, c := range []struct {
		from    string
		damages []damage
	}{{closed, closedDamages}, {open, openDamages}} {
		for _, d := range c.damages {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				for seed := range uint64(seeds) {
					p := &patient{w, d, seed, filepath.Join(w.scratch, fmt.Sprint("seed-", seed)), others}
					p.examine(c.from)
					if d.once {
						break
					}
				}
			})
		}
	}
}

// specimens are copies of the files of a database that was closed in order, and
// of the same one in use, with forty more tasks in its log. None of them runs
// again in a copy: they have completed, or wait for one that has failed.
func (w *world) specimens(job string) (closed, open string) {
	w.Helper()
	w.run(0, "enqueue", "-q", "--job", job, "--id", "0", "--", "false")
	for i := 1; i < 60; i++ {
		w.run(0, "enqueue", "-q", "--job", job, "--", "true")
	}
	w.start()
	w.run(3, "wait", "-q", "--job", job)
	w.run(0, "stop")
	<-w.manager.ended
	closed = w.keep("closed")
	w.start()
	for range 40 {
		w.run(0, "enqueue", "-q", "--job", job, "--after", "0", "--", "true")
	}
	w.powerOff()
	<-w.manager.ended
	return closed, w.keep("open")
}

// keep copies the files of the database, which nobody uses, into a folder.
func (w *world) keep(name string) string {
	w.Helper()
	folder := filepath.Join(w.dir, "scratch", name)
	w.copyFiles(filepath.Join(w.base, dbName), folder)
	return folder
}

// copyFiles copies the files of a database into a folder that it makes.
func (w *world) copyFiles(path, folder string) {
	w.Helper()
	w.must(os.MkdirAll(folder, 0o700))
	for _, suffix := range dbSuffixes {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			continue
		}
		w.must(os.WriteFile(filepath.Join(folder, dbName+suffix), b, 0o600))
	}
}

// patient is a base path whose database was damaged.
type patient struct {
	*world
	damage
	seed  uint64
	base  string
	other string // another database, which is in use
}

func (p *patient) errorf(format string, args ...any) {
	p.Helper()
	p.Errorf("seed %d: %s", p.seed, fmt.Sprintf(format, args...))
}

// examine damages a copy of a database, and uses it as its owner would.
func (p *patient) examine(from string) {
	p.copyFiles(filepath.Join(from, dbName), p.base)
	before := p.rows(from)
	if len(before) < 60 {
		p.Fatalf("there are only %d rows before", len(before))
	}
	p.do(p, rand.New(rand.NewPCG(p.seed, 32)), filepath.Join(p.base, dbName))
	found := p.use("doctor").code
	switch rows := p.rows(p.base); {
	case found != 0 && p.harmless:
		p.errorf("doctor finds something wrong")
	case found == 0 && p.end && !slices.Equal(rows, before[:min(len(rows), len(before))]):
		p.errorf("%d rows are there of %d, and are not the first of them", len(rows), len(before))
	case found == 0 && !p.end && !p.stranger && !slices.Equal(rows, before):
		p.errorf("doctor finds nothing wrong; %d rows are there of %d", len(rows), len(before))
	}
	queued := p.use("enqueue", "--job", "new", "--id", "n", "--", "true").code == 0
	if queued && found == 0 && p.use("status", "--job", "new", "--task", "n").code != 0 {
		p.errorf("what was queued after the damage is not there")
	}
	if p.seed%4 == 0 {
		p.use("start")
		p.use("stop", "--kill", "--timeout=20s")
	}
	p.must(os.RemoveAll(p.base))
}

// rows lists the tasks of job j, or nil if that fails. It reads from a copy: the
// last one to close a database tidies up.
func (p *patient) rows(base string) (ids []string) {
	p.Helper()
	aside := p.base + ".aside"
	p.copyFiles(filepath.Join(base, dbName), aside)
	defer os.RemoveAll(aside)
	o := p.with(nil, "status", "--json", "--job", "j", "--base-path", aside)
	var status struct{ Tasks []task }
	if o.code == 0 {
		p.must(json.Unmarshal([]byte(o.out), &status))
	}
	for _, t := range status.Tasks {
		ids = append(ids, t.ID)
	}
	return ids
}

// use runs a command on the damaged database. It may fail, in its own words.
func (p *patient) use(args ...string) outcome {
	p.Helper()
	o := p.with(nil, append([]string{args[0], "--base-path", p.base}, args[1:]...)...)
	switch {
	case strings.Contains(o.err, "panic") || strings.Contains(o.err, "goroutine") || strings.Contains(o.err, "SIGBUS"):
		p.errorf("%s crashes: %s", args[0], o.err)
	case o.code < 0 || o.code > 5 || o.code == 2 || o.code == 3:
		p.errorf("%s: %+v", args[0], o)
	case o.code != 0 && args[0] != "doctor" && !strings.HasPrefix(o.err, "air-executor: "):
		p.errorf("%s fails and does not say why: %+v", args[0], o)
	}
	return o
}
