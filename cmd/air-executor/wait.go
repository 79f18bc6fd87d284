package main

import (
	"context"
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
	return `Waits until all of these jobs have ended, and prints a line for each as it ends. Dismissed failures do not count. A job in which nothing can run any more counts as ended. With --json, prints one array with an object for each job.

Exit codes: 0 all have completed; 1 error; 2 wrong flags or configuration; 3 one has failed; 4 no such job or task; 124 not ended in time; 130 interrupted.`
}

// Run waits for jobs or a task.
func (c *waitCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	names, err := c.required()
	if err != nil {
		return err
	}
	if c.Task != "" && len(names) > 1 {
		return usage(errors.New("--task is for one job"), "")
	}
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	o := queue.WaitOptions{Task: c.Task, Timeout: time.Duration(c.Timeout), Caller: queue.CallerByEnv(os.Getenv), Form: ui.json()}
	if !ws.globals.Quiet {
		o.Waiting = (&obstacles{ui: ui, ws: ws, queue: q, jobs: names}).look
	}
	if !ui.json() {
		o.Ended = func(o queue.Outcome) { ui.printf("%s\n", outcomeText(o)) }
	}
	ends, err := q.Wait(ctx, names, o)
	if err != nil {
		return ws.suggestTask(err, names)
	}
	if ui.json() {
		forms := make([]queue.OutcomeForm, len(ends))
		for i, o := range ends {
			forms[i] = o.Form()
		}
		err = ui.printJSON(forms)
	}
	if err == nil && slices.ContainsFunc(ends, func(o queue.Outcome) bool { return !o.OK() }) {
		err = silent(exitFailed)
	}
	return err
}

// outcomeText says how a job or task that was waited for has ended.
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
