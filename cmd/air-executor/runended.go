package main

import (
	"context"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// explainEnd says what happened to a job that was left before its end.
func (w *watcher) explainEnd(ctx context.Context, o *order, end queue.Ran, err error) error {
	switch {
	case ctx.Err() != nil && end.Ours:
		w.ui.notef("%s", interruptedLine(w.job, end.Left, o))
		return silent(exitInterrupted)
	case ctx.Err() != nil:
		w.noteGoesOn()
		return silent(exitInterrupted)
	case nobodyReads(err):
		// Like a program that nobody reads: exit silently, unless the job continues.
		if !end.Ours {
			w.noteGoesOn()
		}
		return silent(exitPipe)
	}
	if end.Ours && end.Left.Pending+len(end.Left.Running) > 0 {
		w.ui.notef("job %s: %s", w.job, whatBecame(end.Left))
	}
	return err
}

// noteGoesOn says that a job served by another process continues, unless it has ended.
func (w *watcher) noteGoesOn() {
	j, err := w.db.Job(context.WithoutCancel(w.ws.ctx), w.job)
	if err != nil || !queue.Ended(j) {
		w.ui.notef("job %s goes on; air-executor cancel %s ends it", w.job, shellLine([]string{w.job}))
	}
}

// interruptedLine says what happened to the job, and how to continue it.
func interruptedLine(name string, left db.Cancelling, o *order) string {
	line := "interrupted: job " + name + ": " + whatBecame(left)
	if o.path != "" {
		line += "; to go on: " + resumeLine(name, o)
	}
	return line
}

// whatBecame says what an interrupt has done.
func whatBecame(left db.Cancelling) string {
	var parts []string
	if n := len(left.Running); n > 0 {
		parts = append(parts, plural(n, "task")+" ended")
	}
	if n := left.Pending; n > 0 {
		parts = append(parts, plural(n, "task")+" will not run")
	}
	if len(parts) == 0 {
		return "nothing was left to do"
	}
	return strings.Join(parts, ", ")
}
