package main

import (
	"context"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type dismissCmd struct {
	jobArg
	tasksArg
	asksNothing
}

// Help is printed below the summary.
func (*dismissCmd) Help() string {
	return `For failures that you know about and will not fix. The tasks stay failed, with their reasons and logs, but no longer count for the job's state and for wait. Tasks that depend on such a task stay blocked. To run it again after all: air-executor reset JOB --task ID.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or task.`
}

// Run dismisses failures.
func (c *dismissCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	ids, named, err := c.pick(ctx, q, name, "dismissed", job.Failed)
	if err != nil {
		return err
	}
	if named && len(ids) == 0 {
		return c.none(ctx, ui, q, name)
	}
	r, err := q.Dismiss(ctx, name, ids)
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(r)
	}
	ui.printf("Job %s: %s dismissed; the job is %s\n", name, plural(r.Dismissed, "failure"), r.State)
	if r.Blocked > 0 && r.State == job.StateWaiting {
		ui.notef("%s of it may never run because a dependency has not completed; see air-executor status %s", plural(r.Blocked, "task"), shellLine([]string{name}))
	}
	return nil
}

// none says that no failure was meant.
func (c *dismissCmd) none(ctx context.Context, ui *ui, q *queue.Queue, name string) error {
	j, err := q.DB.Job(ctx, name)
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(queue.DismissResult{Job: name, State: j.State})
	}
	ui.printf("Job %s: %s dismissed; the job is %s\n", name, plural(0, "failure"), j.State)
	return nil
}
