package main

import (
	"context"
	"errors"

	"github.com/air-executor/air-executor/queue"
)

type pauseCmd struct {
	pausable
	Freeze bool `help:"Stop the processes of what runs, too, and the clocks of its time limits."`
}

// Help is printed below the summary.
func (*pauseCmd) Help() string {
	return `No task of a paused job starts until it is resumed. What runs goes on. New tasks can be queued. A pause survives stop and start of the manager, and restarts of the machine. Two pauses of a job are one: a single resume ends them.

    air-executor pause nightly
    air-executor pause --all --freeze

With --freeze, the processes of running tasks are stopped with SIGSTOP until resume; they keep their memory and their place, and time limits do not run on. To cancel a frozen task lets it go on first.

Exit codes: 0 done; 1 error, or a task is not frozen; 2 wrong flags or configuration; 4 no such job; 130 interrupted.`
}

// Run pauses jobs.
func (c *pauseCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	names, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	done, err := q.PauseJobs(ctx, queue.PauseOptions{Jobs: names, Freeze: c.Freeze, Waiting: ui.slowRunner})
	if err != nil {
		return ws.suggestTask(err, names)
	}
	late := 0
	for _, p := range done {
		if c.Freeze {
			late += p.Running - p.Frozen
		}
		if !ui.json() {
			ui.tellPause(p.Job, p.Paused, "paused", "paused already", runsOn(p, c.Freeze))
		}
	}
	if ui.json() {
		if err := ui.printJSON(done); err != nil {
			return err
		}
	}
	if late > 0 {
		return fail(exitError, errors.New(verb(late, "running task is", "running tasks are")+" not frozen yet"), "their runners look for the request by themselves; air-executor status shows what is frozen")
	}
	return nil
}

// runsOn says what has become of the running tasks.
func runsOn(p queue.PauseResult, freeze bool) string {
	switch {
	case p.Running == 0:
		return ""
	case freeze || p.Frozen > 0:
		return "; " + plural(p.Frozen, "running task") + " frozen"
	}
	return "; " + verb(p.Running, "task runs on", "tasks run on")
}
