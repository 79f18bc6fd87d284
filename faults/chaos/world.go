//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// settings are what a round draws for itself.
type settings struct {
	jobs           int // at least
	slots          int // max_concurrent_runners
	tasksPerRunner int
	enqueuers      int
}

func (s settings) String() string {
	return fmt.Sprintf("%d jobs, %d slots, %d tasks per runner, %d enqueuers", s.jobs, s.slots, s.tasksPerRunner, s.enqueuers)
}

// world is one round: a base path, those who use it, and those who break it.
type world struct {
	seed   uint64
	prog   subject.Program
	self   string // this program, which is also the command of the tasks
	dir    string // holds all that follows
	base   string
	conf   settings
	moods  moods
	report *report
	ids    *ledger
	killed sync.Map // PIDs of those that nemesis has killed
}

func newWorld(seed uint64, prog subject.Program, dir string, m moods) (*world, error) {
	w := &world{
		seed: seed, prog: prog, dir: dir, base: filepath.Join(dir, "base"),
		moods: m, report: newReport(), ids: newLedger(),
	}
	rng := w.random("settings")
	w.conf = settings{
		jobs:           2 + rng.IntN(9),
		slots:          2 + rng.IntN(4),
		tasksPerRunner: []int{1, 1, 5}[rng.IntN(3)],
		enqueuers:      2 + rng.IntN(3),
	}
	var err error
	if w.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(w.base, 0o700); err != nil {
		return nil, err
	}
	config := fmt.Sprintf("poll_interval: 1\ntask_timeout: 60\nmax_concurrent_runners: %d\ntasks_per_runner: %d\n",
		w.conf.slots, w.conf.tasksPerRunner)
	return w, os.WriteFile(filepath.Join(w.base, "config.yaml"), []byte(config), 0o600)
}

// random is a source of decisions for one actor of this round.
func (w *world) random(actor string) *rand.Rand {
	var n uint64
	for _, c := range []byte(actor) {
		n = n*131 + uint64(c)
	}
	return rand.New(rand.NewPCG(w.seed, n))
}

// play makes trouble for the given time, lets the dust settle, and checks.
func (w *world) play(faults time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), faults)
	defer cancel()
	var actors sync.WaitGroup
	for i := range w.conf.enqueuers {
		actors.Go(func() { w.enqueuer(ctx, i) })
	}
	actors.Go(func() { w.keeper(ctx) })
	actors.Go(func() { w.nemesis(ctx) })
	actors.Go(func() { w.operator(ctx) })
	actors.Go(func() { w.inspector(ctx) })
	actors.Wait()
	w.settle()
	w.check()
	w.clear()
}

// pause sleeps for a random time up to most, or until ctx ends. It reports
// whether there is more to do.
func pause(ctx context.Context, rng *rand.Rand, most time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(rng.Int64N(int64(most)))):
		return true
	}
}

func (w *world) jobName(n int) string { return fmt.Sprintf("job-%d", n) }

// ledger is what the enqueuers tried to store, and what was acknowledged.
type ledger struct {
	mu    sync.Mutex
	tried map[name]bool // value: it was acknowledged
	order []name        // acknowledged
}

// name names a task.
type name struct{ job, task string }

func newLedger() *ledger { return &ledger{tried: map[name]bool{}} }

func (l *ledger) try(n name) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.tried[n] {
		l.tried[n] = false
	}
}

// ack writes down an acknowledgement.
func (l *ledger) ack(n name) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.tried[n] {
		l.tried[n] = true
		l.order = append(l.order, n)
	}
}

// acked is how many there are.
func (l *ledger) acked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.order)
}

// some returns an acknowledged task, or nothing.
func (l *ledger) some(rng *rand.Rand, job string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range min(5, len(l.order)) {
		if n := l.order[rng.IntN(len(l.order))]; n.job == job {
			return n.task, true
		}
	}
	return "", false
}
