//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// Facts about what people do.
const (
	factResets    = "resets"
	factStops     = "stops"
	factDismissed = "dismissals"
	factRemoved   = "tasks removed"
)

// operator does what people do: reset, stop, dismiss, remove, and start what runs.
func (w *world) operator(ctx context.Context) {
	rng := w.random("operator")
	for begin := time.Now(); pause(ctx, rng, 300*time.Millisecond); {
		if do := draw(rng, w.moodAt(begin).wishes); do != nil {
			do(w, rng)
		}
	}
}

// ask runs a command to its end, some of the time from another PID namespace. It
// is given a minute, which is longer than anything may take.
func (w *world) ask(rng *rand.Rand, args ...string) subject.Result {
	return w.askSlowly(rng, 0, args...)
}

// askSlowly is ask, but the signal that the command sends comes late: by that
// time where the program can be told so, and else it is stopped for as long,
// somewhere on its way.
func (w *world) askSlowly(rng *rand.Rand, late time.Duration, args ...string) subject.Result {
	ctx, end := context.WithTimeout(context.Background(), time.Minute)
	defer end()
	cmd, out, errs := w.prog.Prepare(ctx, w.base, args...)
	if late > 0 && w.conf.long {
		cmd.Env = append(cmd.Env, fmt.Sprintf("AIR_EXECUTOR_FAILPOINT=tell.before_signal:sleep:%d", late.Milliseconds()))
	}
	if rng.IntN(4) == 0 && w.isolates {
		w.isolate(cmd)
	}
	err := cmd.Start()
	if err == nil && late > 0 && !w.conf.long {
		time.Sleep(time.Duration(5+rng.IntN(30)) * time.Millisecond)
		if cmd.Process.Signal(syscall.SIGSTOP) == nil {
			w.report.stopped(stopPeople)
			time.Sleep(late)
			_ = cmd.Process.Signal(syscall.SIGCONT)
		}
	}
	if err == nil {
		err = cmd.Wait()
	}
	r := subject.Outcome(err, out, errs)
	if ctx.Err() != nil {
		w.report.breaks(checkAnswers, "%v takes more than a minute", args)
	}
	return r
}

// reset makes tasks pending again: the failed ones of a job, some of the time the
// cancelled ones too, or one task.
func (w *world) reset(rng *rand.Rand) {
	job := w.jobName(rng.IntN(w.conf.jobs))
	args := []string{"reset", "--job", job}
	revives := false
	switch rng.IntN(6) {
	case 0:
		args, revives = append(args, "--cancelled"), true
	case 1:
		if task, ok := w.ids.some(rng, job); ok {
			args, revives = append(args, "--task", task), true
		}
	}
	if revives {
		// Whoever was told meanwhile that one of them is cancelled was told what
		// may not be true any more.
		w.said.revive(job)
		defer w.said.revive(job)
	}
	if w.ask(rng, args...).Code == 0 {
		w.report.fact(factResets, 1)
	}
}

// stop stops the manager: in one of the three ways, or, where every cancelled
// task must have been cancelled by name, in the one that ends no task.
func (w *world) stop(rng *rand.Rand) {
	args := []string{"stop", "--timeout", "3s"}
	switch p := rng.IntN(5); {
	case w.conf.long:
	case p < 2:
		args = append(args, "--kill")
	case p == 2:
		args = append(args, "--drain")
	}
	early := w.ids.acked() == 0
	r := w.ask(rng, args...)
	switch {
	case r.Code == 0:
		w.report.fact(factStops, 1)
	case r.Code == 5 || r.Code == 124: // none was there; it was stopped, or waits for what runs
	case r.Code == 4 && early: // there was no database, or an empty file that is to be one
	default:
		w.report.breaks(checkAnswers, "%v: exit code %d: %s", args, r.Code, r.Err)
	}
}

// dismiss dismisses the failures of a job, or that of a task.
func (w *world) dismiss(rng *rand.Rand) {
	job := w.jobName(rng.IntN(w.conf.jobs))
	args := []string{"dismiss", "--job", job}
	if task, ok := w.ids.some(rng, job); ok && rng.IntN(2) == 0 {
		args = append(args, "--task", task)
	}
	if w.ask(rng, args...).Code == 0 {
		w.report.fact(factDismissed, 1)
	}
}

// remove removes a task that may have ended.
func (w *world) remove(rng *rand.Rand) {
	n, ok := w.ids.recent(rng, 1000)
	if !ok {
		return
	}
	w.ids.remove(n)
	r := w.ask(rng, "remove", "--job", n.job, "--task", n.task)
	w.ids.gone(n, r.Code == 0)
	switch r.Code {
	case 0:
		w.report.fact(factRemoved, 1)
		w.note("removed", n)
	case 1: // it has not ended, or others depend on it
	default:
		w.report.breaks(checkAnswers, "remove %s %s: exit code %d: %s", n.job, n.task, r.Code, r.Err)
	}
}
