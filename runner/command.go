package runner

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner/process"
)

// command returns the command to run for a task, with its output going to the log.
func (w *worker) command(a *db.Assignment, in input, log *os.File, timeout time.Duration) process.Command {
	return process.Command{
		Name:      a.Command,
		Args:      a.Args,
		Dir:       workingDir(w.setup.BasePath, a.Dir),
		Env:       append(environment(&w.setup, a), in.env...),
		Input:     in.file,
		Output:    log,
		Timeout:   timeout,
		Grace:     w.setup.Grace,
		MaxOutput: w.setup.MaxLogSize,
		Warn: func(left time.Duration) {
			writeNote(log, fmt.Sprintf("the time limit of %s ends this task in %s", job.TimeoutText(timeout), left.Round(time.Second)))
		},
		Stuck: func(list []process.Survivor) { w.stuck(a, log, list) },
	}
}

// stuck records which processes keep the task from ending, or, with none, that it can
// end. Until then the job waits.
func (w *worker) stuck(a *db.Assignment, log *os.File, list []process.Survivor) {
	if len(list) > 0 {
		writeNote(log, cannotEnd(list))
		w.log.Warn("processes of a task do not end", "job", a.Job, "task", a.Task, "attempt", a.Attempt, "processes", process.Names(list))
	}
	if err := w.db.SetStuck(context.Background(), a.Token, StuckText(list)); err != nil {
		w.log.Error("status cannot say what a task waits for", "job", a.Job, "task", a.Task, "error", err)
	}
}

// cannotEnd says which processes do not end, and what follows.
func cannotEnd(list []process.Survivor) string {
	for _, s := range list {
		if s.Refused {
			return process.Names(list) + " cannot be ended: not permitted; the task goes on until it has ended by itself"
		}
	}
	return process.Names(list) + " does not end, although it was sent SIGKILL; the task goes on until it has"
}

// StuckText says, for status, what a task is waiting for; empty: nothing.
func StuckText(list []process.Survivor) string {
	if len(list) == 0 {
		return ""
	}
	return "waiting for " + process.Names(list) + " to end"
}
