//go:build linux

package main

import (
	"context"
	"time"
)

// factInspected counts looks of the inspector.
const factInspected = "looked at while faults went on"

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
