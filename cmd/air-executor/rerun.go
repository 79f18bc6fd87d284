package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

type rerunCmd struct {
	jobArg
	As string `placeholder:"NAME" help:"Name of the new job. The default is that of the old one with a number: build-2."`
}

// Help is printed below the summary.
func (*rerunCmd) Help() string {
	return `Makes a new job with the same tasks, all pending: commands, environments, dependencies, and the settings of the job. The old job stays as it is; it may be in any state. Tasks that other tasks have queued are left out, for those will queue them again. To run the failed tasks of a job again in the same job: air-executor reset.

    air-executor rerun build
    air-executor rerun build --as build-again

Exit codes: 0 stored; 1 error, nothing has changed; 2 wrong flags or configuration; 4 no such job.`
}

// Run stores the new job.
func (c *rerunCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if c.As != "" {
		if err := job.CheckNewName(c.As); err != nil {
			return usage(err, "")
		}
	}
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	r, err := q.Rerun(ctx, name, c.As)
	switch {
	case errors.Is(err, db.ErrJobExists):
		return fail(exitError, err, "without --as, the new job gets a name that is free")
	case errors.Is(err, db.ErrEmpty):
		return fail(exitError, fmt.Errorf("job %q has no tasks to run again", name), "")
	case err != nil:
		return err
	}
	if ui.json() {
		return ui.printJSON(r)
	}
	ui.printf("Job %s: %s of job %s queued again\n", r.Job, plural(r.Added, "task"), r.Of)
	ws.hintNoManager()
	return nil
}
