package main

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type resetCmd struct {
	jobArg
	tasksArg
	Cancelled bool `help:"Reset the cancelled tasks too."`
	asksNothing
}

// Help is printed below the summary.
func (*resetCmd) Help() string {
	return `Makes failed tasks pending again, so that they run again, followed by the tasks that depend on them. Their earlier attempts and logs are kept. Tasks that were cancelled or dismissed are left alone, unless they are named with --task; --cancelled includes the cancelled ones, as --status failed does.

For completed tasks, and for all that depends on a task: air-executor retry.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or task.`
}

// Run resets the failed tasks.
func (c *resetCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	ids, named, err := c.pick(ctx, q, name, "reset", job.Failed)
	if err != nil {
		return err
	}
	r := queue.ResetResult{Job: name}
	if !named || len(ids) > 0 {
		r, err = q.Reset(ctx, name, db.Which{Tasks: ids, Cancelled: c.Cancelled})
	}
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(r)
	}
	if r.Reset > 0 {
		ui.printf("Job %s: %s pending again%s\n", name, plural(r.Reset, "failed task"), leftAlone(r.LeftAlone))
		ws.hintNoManager()
		return nil
	}
	j, err := q.DB.Job(ctx, name)
	if err != nil {
		return err
	}
	ui.printf("Job %s: %s pending again%s%s\n", name, plural(0, "failed task"), leftAlone(r.LeftAlone), underWay(j))
	return nil
}

// underWay describes what a reset has found running or pending in a job.
func underWay(j job.Job) string {
	text := ""
	if n := j.Tasks.Running; n > 0 {
		text += "; " + verb(n, "task runs", "tasks run")
	}
	if n := j.Tasks.Pending; n > 0 {
		text += "; " + verb(n, "task is pending already", "tasks are pending already")
	}
	return text
}
