package main

import (
	"fmt"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

type cancelCmd struct {
	jobArg
	Task string `short:"t" placeholder:"ID" predictor:"task" help:"Cancel one task of the job only."`
}

// Help is printed below the summary.
func (*cancelCmd) Help() string {
	return `Pending tasks will not run. Running ones get SIGTERM, with every process that they have started, and after five seconds SIGKILL. They all fail, as cancelled. Returns when none of them runs any more.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run cancels, and waits for the end of what ran.
func (c *cancelCmd) Run(a *app) error {
	name, err := c.required()
	if err != nil {
		return err
	}
	d, err := a.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	done, err := d.Cancel(a.ctx, name, c.Task)
	if err != nil {
		return err
	}
	for _, r := range done.Running {
		if err := manager.Tell(r); err != nil {
			return fmt.Errorf("tell the runner of task %q: %w", r.Task, err)
		}
	}
	if err := awaitEnd(a, d, done.Running); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]any{"job": name, "pending": done.Pending, "running": len(done.Running)})
	}
	a.printf("Job %s: cancelled %s that ran and %s that did not\n", name, plural(len(done.Running), "task"), plural(done.Pending, "task"))
	return nil
}

// awaitEnd waits until none of these attempts is under way.
func awaitEnd(a *app, d *db.DB, attempts []db.Active) error {
	open := map[string]bool{}
	for _, r := range attempts {
		open[r.Token] = true
	}
	for len(open) > 0 {
		now, err := d.Active(a.ctx)
		if err != nil {
			return err
		}
		still := map[string]bool{}
		for _, r := range now {
			if open[r.Token] {
				still[r.Token] = true
			}
		}
		if open = still; len(open) == 0 {
			return nil
		}
		select {
		case <-a.ctx.Done():
			return a.ctx.Err()
		case <-time.After(watchEvery / 2):
		}
	}
	return nil
}
