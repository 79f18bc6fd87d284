package main

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type retryCmd struct {
	jobArg
	tasksArg
	Downstream bool `help:"Also all of the job that depends on these tasks and has ended, and what depends on that."`
	Completed  bool `help:"Completed tasks, too. Without --task and --status: all that have ended."`
	Cancelled  bool `help:"Cancelled tasks, too, where none is named."`
	asksNothing
}

// Help is printed below the summary.
func (*retryCmd) Help() string {
	return `Ended tasks become pending again and run again. Their earlier attempts and logs are kept. Without flags it is the same as reset: failed tasks, but for those that were cancelled or dismissed. What is pending and depends on a retried task waits for it again; a task is not retried while one that depends on it runs.

    air-executor retry build --task compile --completed --downstream
    air-executor retry pages --task 'page-*' --status failed

Exit codes: 0 done; 1 error, nothing has changed; 2 wrong flags or configuration; 4 no such job or task.`
}

// Run makes ended tasks pending again.
func (c *retryCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	may := []job.Status{job.Failed}
	if c.Completed {
		may = append(may, job.Completed)
	}
	ids, named, err := c.pick(ctx, q, name, "retried, completed ones with --completed", may...)
	if err != nil {
		return err
	}
	r := queue.RetryResult{Job: name}
	if !named || len(ids) > 0 {
		r, err = q.Retry(ctx, name, db.Retry{
			Which: db.Which{Tasks: ids, Cancelled: c.Cancelled}, Completed: c.Completed, Downstream: c.Downstream,
		})
		if err != nil {
			return err
		}
	}
	if ui.json() {
		return ui.printJSON(r)
	}
	ui.printf("Job %s: %s pending again%s\n", name, plural(r.Retried, "task"), leftAlone(r.LeftAlone))
	if r.Retried > 0 {
		ws.hintNoManager()
	}
	return nil
}
