package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/air-executor/air-executor/queue"
)

type waitCmd struct {
	jobsArg
	Task    string    `short:"t" placeholder:"ID" predictor:"task" help:"Wait for one task of the job only."`
	Timeout timeLimit `placeholder:"D" help:"Give up after this time, such as 90s or 5m."`
}

// Help is printed below the summary.
func (*waitCmd) Help() string {
	return `Waits until all of these jobs have ended, and prints a line for each as it ends. Failures that were dismissed do not count. A job in which nothing can run any more counts as ended. With --json, prints one array with an object for each job.

Exit codes: 0 all have completed; 1 error; 2 wrong flags or configuration; 3 one has failed; 4 no such job or task; 124 not ended in time; 130 interrupted.`
}

// Run waits for jobs or a task.
func (c *waitCmd) Run(a *app) error {
	names, err := c.required()
	if err != nil {
		return err
	}
	if c.Task != "" && len(names) > 1 {
		return usage(errors.New("--task is for one job"), "")
	}
	q, err := a.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	o := queue.WaitOptions{Task: c.Task, Timeout: time.Duration(c.Timeout), Caller: queue.CallerByEnv(os.Getenv), Form: a.json()}
	if !a.globals.Quiet {
		o.Waiting = (&obstacles{app: a}).look
	}
	if !a.json() {
		o.Ended = func(o queue.Outcome) { a.printf("%s\n", outcomeText(o)) }
	}
	ends, err := q.Wait(a.ctx, names, o)
	if err != nil {
		return a.suggestTask(err, names)
	}
	if a.json() {
		forms := make([]queue.OutcomeForm, len(ends))
		for i, o := range ends {
			forms[i] = o.Form()
		}
		err = a.printJSON(forms)
	}
	if err == nil && slices.ContainsFunc(ends, func(o queue.Outcome) bool { return !o.OK() }) {
		err = silent(exitFailed)
	}
	return err
}

// outcomeText says how what was waited for has ended.
func outcomeText(o queue.Outcome) string {
	if o.Job == nil {
		text := fmt.Sprintf("Task %s of job %s %s", o.Task.ID, o.Name, o.Task.Status)
		if o.Task.Error != "" {
			text += ": " + o.Task.Error
		}
		return text
	}
	text := fmt.Sprintf("Job %s %s", o.Name, o.Job.State)
	switch {
	case o.Job.Tasks.Failed > 0:
		text += fmt.Sprintf(" (%d failed)", o.Job.Tasks.Failed)
	case o.Job.Blocked > 0:
		text += fmt.Sprintf(" (%d blocked)", o.Job.Blocked)
	}
	return text
}
