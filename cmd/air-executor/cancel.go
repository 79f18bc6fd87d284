package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
)

type cancelCmd struct {
	jobArg
	tasksArg
	Lost bool `help:"With --task: you know that nothing of the task is alive, which air-executor cannot see. It fails, as lost."`
	asks
}

// Help is printed below the summary.
func (*cancelCmd) Help() string {
	return `Pending tasks will not run. Running ones get SIGTERM, with every process that they have started, and SIGKILL after kill_grace, five seconds unless configured otherwise. They all fail, as cancelled. Returns when none of them is running, and says how each ended: one may have ended by itself before it could be cancelled.

The request is stored, and runners check for it, so a signal need not reach them. Without a manager, cancel itself ends what is left of a task whose runner has died.

With --lost, a running task whose runner has died in another container is recorded as lost because you say so: the next task of its job may start at once. Use it when the container is gone and status says that what its runner left behind cannot be seen.

Exit codes: 0 done; 1 error, or the task (--task) ended before it could be cancelled; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run cancels, and waits until running tasks have ended.
func (c *cancelCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if c.Lost && (len(c.Task) != 1 || len(c.Status) > 0) {
		return usage(errors.New("--lost is for one task"), "give --task ID, too")
	}
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	if c.Lost {
		return c.lose(ctx, ui, q, name)
	}
	ids, named, err := c.pick(ctx, q, name, "cancelled", job.Pending, job.Running)
	if err != nil {
		return err
	}
	if err := c.confirmTasks(ctx, ui, q, name, ids, named); err != nil {
		return err
	}
	if named && len(ids) == 0 {
		return c.tell(ui, queue.CancelResult{Job: name, Otherwise: []queue.EndedResult{}})
	}
	done, err := q.Cancel(ctx, name, c.options(ui, ids))
	if unsettled := (*queue.Unsettled)(nil); errors.As(err, &unsettled) {
		return fail(exitError, err, unsettledHint(err))
	}
	if err != nil {
		return err
	}
	return c.tell(ui, done)
}

// confirmTasks asks about more than one task.
func (c *cancelCmd) confirmTasks(ctx context.Context, ui *ui, q *queue.Queue, name string, ids []string, named bool) error {
	n, runs := len(ids), ""
	if !named {
		j, err := q.DB.Job(ctx, name)
		if err != nil {
			return err
		}
		n = j.Tasks.Pending + j.Tasks.Running
		if j.Tasks.Running > 0 {
			runs = ", " + verb(j.Tasks.Running, "of which runs", "of which run")
		}
	}
	return c.confirm(ctx, ui, n, fmt.Sprintf("This ends %s of job %s%s", plural(n, "task"), name, runs))
}

// options say what to cancel, and what is said meanwhile.
func (c *cancelCmd) options(ui *ui, ids []string) queue.CancelOptions {
	return queue.CancelOptions{
		Task: c.one(ids), Tasks: ids,
		Untold: func(r db.Active, err error) {
			ui.notef("the runner of task %q cannot be signalled: %v; it will check for the request by itself", r.Task, err)
		},
		Settled: func(r db.Active) {
			ui.notef("the runner of task %q had died; what was left of its command was ended", r.Task)
		},
		Waiting: func(r db.Active, stuck string) {
			if stuck != "" {
				ui.notef("waiting for the end of task %q: %s", r.Task, stuck)
				return
			}
			ui.notef("waiting for the end of task %q (runner PID %d on %s)", r.Task, r.Runner.PID, r.Runner.Host)
		},
	}
}

// lose records that the task is lost.
func (c *cancelCmd) lose(ctx context.Context, ui *ui, q *queue.Queue, name string) error {
	lost, err := q.Lose(ctx, name, c.Task[0])
	if errors.Is(err, manager.ErrRunnerLives) {
		return fail(exitError, err, "without --lost, air-executor cancel ends it")
	}
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(lost)
	}
	ui.printf("Task %s of job %s is recorded as lost\n", c.Task[0], name)
	return nil
}
