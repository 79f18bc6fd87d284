package main

import (
	"context"
	"os"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
)

// serveAndWatch watches the job to its end. As long as no manager serves the
// base path, it has one of its own.
func (c *runCmd) serveAndWatch(a *app, w *watcher, o *order) (queue.Outcome, error) {
	// What reads our output may end: then as with Ctrl-C. The signal does not say
	// whether it is that: the manager in this process writes to runners.
	surviveClosedPipe()
	own := &ownManager{ui: a.ui, ws: a.workspace, job: w.job}
	defer own.stop(db.StopLeave)
	obstacles := &obstacles{ui: a.ui, ws: a.workspace, own: own, clear: w.clear}
	giveBack, err := w.queue.Park(a.ctx, queue.CallerByEnv(os.Getenv))
	if err == nil {
		defer giveBack()
	}
	for err == nil {
		if err = own.ensure(); err != nil {
			break
		}
		obstacles.look()
		var j job.Job
		var done bool
		if j, err = w.look(); err == nil {
			done, err = w.queue.Over(a.ctx, j)
		}
		if err == nil && nobodyReads(a.unprinted) {
			err = a.unprinted
		}
		if err == nil && done {
			if err = w.finish(j); err == nil {
				return w.outcome(j)
			}
		}
		if err == nil {
			err = queue.Pause(a.ctx, queue.CheckEvery)
		}
	}
	w.clear()
	left, ours := c.abandon(a, w, own)
	switch {
	case a.ctx.Err() != nil && ours:
		a.notef("%s", interruptedLine(w.job, left, o))
		return queue.Outcome{}, silent(exitInterrupted)
	case a.ctx.Err() != nil:
		w.noteGoesOn()
		return queue.Outcome{}, silent(exitInterrupted)
	case nobodyReads(err):
		// As a program ends that has nobody to print for: without a word, if that
		// is the end of it.
		if !ours {
			w.noteGoesOn()
		}
		return queue.Outcome{}, silent(exitPipe)
	}
	if ours && left.Pending+len(left.Running) > 0 {
		a.notef("job %s: %s", w.job, whatBecame(left))
	}
	return queue.Outcome{}, err
}

// noteGoesOn says that a job which another process serves goes on, unless it has
// ended.
func (w *watcher) noteGoesOn() {
	j, err := w.db.Job(context.WithoutCancel(w.ws.ctx), w.job)
	if err != nil || !queue.Ended(j) {
		w.ui.notef("job %s goes on; air-executor cancel %s ends it", w.job, shellLine([]string{w.job}))
	}
}

// interruptedLine says what became of the job, and how to go on with it.
func interruptedLine(name string, left db.Cancelling, o *order) string {
	line := "interrupted: job " + name + ": " + whatBecame(left)
	if o.path != "" {
		line += "; to go on: " + resumeLine(name, o)
	}
	return line
}

// abandon leaves nothing of the job that starts by itself later: what waits is
// cancelled, and what runs is ended. If a manager serves the base path, the job is
// not ours but that manager's, and nothing happens.
func (c *runCmd) abandon(a *app, w *watcher, own *ownManager) (left db.Cancelling, ours bool) {
	if on, err := a.serving(); own.m == nil && (err != nil || on) {
		return left, false
	}
	left, err := w.db.Interrupt(context.WithoutCancel(a.ctx), w.job)
	if err != nil {
		a.notef("job %s could not be cancelled, and goes on when a manager runs: %v", w.job, err)
	}
	if own.m != nil {
		own.stop(db.StopKill) // which tells the runners, and waits for them
		return left, true
	}
	for _, r := range left.Running {
		if err := manager.Tell(r); err != nil {
			a.notef("tell the runner of task %q: %v", r.Task, err)
		}
	}
	return left, true
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
