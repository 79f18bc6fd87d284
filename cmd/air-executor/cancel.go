package main

import (
	"errors"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

type cancelCmd struct {
	jobArg
	Task string `short:"t" placeholder:"ID" predictor:"task" help:"Cancel one task of the job only."`
}

// Help is printed below the summary.
func (*cancelCmd) Help() string {
	return `Pending tasks will not run. Running ones get SIGTERM, with every process that they have started, and SIGKILL after kill_grace, five seconds unless configured otherwise. They all fail, as cancelled. Returns when none of them runs any more, and says what has become of them: one may have ended by itself before it could be cancelled.

The request is stored, and runners look for it: none need be reached by a signal. Without a manager, cancel itself ends what is left of a task whose runner has died.

Exit codes: 0 done; 1 error, or the task (--task) ended before it could be cancelled; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run cancels, and waits for the end of what ran.
func (c *cancelCmd) Run(a *app) error {
	name, q, err := c.open(a)
	if err != nil {
		return err
	}
	defer q.Close()
	done, err := q.Cancel(a.ctx, name, queue.CancelOptions{
		Task: c.Task,
		Untold: func(r db.Active, err error) {
			a.notef("the runner of task %q cannot be signalled: %v; it looks for the request by itself", r.Task, err)
		},
		Settled: func(r db.Active) {
			a.notef("the runner of task %q had died; what was left of its command was ended", r.Task)
		},
		Waiting: func(r db.Active) {
			a.notef("waiting for the end of task %q (runner PID %d on %s)", r.Task, r.Runner.PID, r.Runner.Host)
		},
	})
	if unsettled := (*queue.Unsettled)(nil); errors.As(err, &unsettled) {
		return fail(exitError, err, "air-executor start, where that task ran, settles it")
	}
	if err != nil {
		return err
	}
	return c.tell(a, done)
}

// tell prints what has become of the tasks.
func (c *cancelCmd) tell(a *app, done queue.CancelResult) error {
	if a.json() {
		if err := a.printJSON(done); err != nil {
			return err
		}
	} else {
		for _, o := range done.Otherwise {
			a.printf("Task %s of job %s %s before it could be cancelled%s\n", o.Task, done.Job, o.Status, because(o.Error))
		}
		if c.Task == "" || len(done.Otherwise) == 0 {
			a.printf("Job %s: %s\n", done.Job, cancelledText(done))
		}
	}
	if c.Task != "" && len(done.Otherwise) > 0 {
		return silent(exitError)
	}
	return nil
}

// cancelledText says what was cancelled.
func cancelledText(c queue.CancelResult) string {
	var parts []string
	if c.Running > 0 {
		parts = append(parts, plural(c.Running, "task")+" that ran")
	}
	if c.Pending > 0 {
		parts = append(parts, plural(c.Pending, "task")+" that had not started")
	}
	if len(parts) == 0 {
		return "nothing was left to cancel"
	}
	return "cancelled " + strings.Join(parts, " and ")
}

func because(why *string) string {
	if why == nil {
		return ""
	}
	return ": " + oneLine(*why)
}
