//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// Facts about what people do.
const (
	factManagers  = "managers started"
	factCancels   = "cancels"
	factResets    = "resets"
	factStops     = "stops"
	factCrashes   = "everything killed at once"
	factInspected = "looked at while faults went on"
)

// keeper sees to it that a manager serves, most of the time.
func (w *world) keeper(ctx context.Context) {
	rng := w.random("keeper")
	for {
		if w.prog.Run(w.base, "start").Code == 0 {
			w.report.fact(factManagers, 1)
		}
		if !pause(ctx, rng, 250*time.Millisecond) {
			return
		}
	}
}

// operator does what people do: cancel, reset, stop, and start what runs.
func (w *world) operator(ctx context.Context) {
	rng := w.random("operator")
	for begin := time.Now(); pause(ctx, rng, 400*time.Millisecond); {
		m := w.moodAt(begin)
		p := rng.IntN(100)
		for _, a := range []struct {
			chance int
			do     func(*rand.Rand)
		}{{m.cancel, w.cancel}, {m.reset, w.reset}, {m.stop, w.stop}, {m.start, w.startMany}} {
			if p -= a.chance; p < 0 {
				a.do(rng)
				break
			}
		}
	}
}

// cancel ends a job, or one task of it. It waits for what ran, and that may be
// stopped, so it is given only a while.
func (w *world) cancel(rng *rand.Rand) {
	j := w.jobName(rng.IntN(w.conf.jobs))
	args := []string{"cancel", "--job", j}
	if t, ok := w.ids.some(rng, j); ok && rng.IntN(2) == 0 {
		args = append(args, "--task", t)
	}
	ctx, end := context.WithTimeout(context.Background(), 8*time.Second)
	defer end()
	cmd, _, _ := w.prog.Prepare(ctx, w.base, args...)
	if cmd.Run() == nil {
		w.report.fact(factCancels, 1)
	}
}

func (w *world) reset(rng *rand.Rand) {
	if w.prog.Run(w.base, "reset", "--job", w.jobName(rng.IntN(w.conf.jobs))).Code == 0 {
		w.report.fact(factResets, 1)
	}
}

// stop stops the manager, in one of the three ways.
func (w *world) stop(rng *rand.Rand) {
	args := []string{"stop", "--timeout", "3s"}
	switch rng.IntN(5) {
	case 0, 1:
		args = append(args, "--kill")
	case 2:
		args = append(args, "--drain")
	}
	if w.prog.Run(w.base, args...).Code == 0 {
		w.report.fact(factStops, 1)
	}
}

// startMany starts several managers at once, of which one may serve.
func (w *world) startMany(rng *rand.Rand) {
	codes := make(chan int)
	n := 2 + rng.IntN(4)
	for range n {
		go func() { codes <- w.prog.Run(w.base, "start").Code }()
	}
	for range n {
		if <-codes == 0 {
			w.report.fact(factManagers, 1)
		}
	}
}

// inspector looks, while all goes on, for processes whose attempt is over.
func (w *world) inspector(ctx context.Context) {
	rng := w.random("inspector")
	for pause(ctx, rng, 3*time.Second) {
		over, err := w.over()
		if err != nil {
			w.report.breaks(checkAnswers, "%v", err)
			continue
		}
		for _, p := range w.processes() {
			if p.kind == killCommand && over(p) {
				w.report.breaks(checkLeft, "process %d of attempt %d of %s %s lives, and the attempt is over", p.pid, p.try, p.of.job, p.of.task)
			}
		}
		w.report.fact(factInspected, 1)
	}
}

// over reads which attempts are over at this moment.
func (w *world) over() (func(process) bool, error) {
	jobs, err := w.prog.Jobs(w.base)
	if err != nil {
		return nil, err
	}
	type state struct {
		attempts int
		running  bool
	}
	now := map[name]state{}
	for _, j := range jobs {
		j, err := w.prog.Job(w.base, j.Name)
		if err != nil {
			return nil, err
		}
		for _, t := range j.Tasks {
			now[name{j.Name, t.ID}] = state{t.Attempts, t.Status == "running"}
		}
	}
	return func(p process) bool {
		s := now[p.of]
		return p.try < s.attempts || p.try == s.attempts && !s.running
	}, nil
}
