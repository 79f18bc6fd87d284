package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
)

type waitCmd struct {
	jobsArg
	Task    string    `short:"t" placeholder:"ID" predictor:"task" help:"Wait for one task of the job only."`
	Timeout timeLimit `placeholder:"D" help:"Give up after this time, such as 90s or 5m."`
	Quiet   bool      `short:"q" help:"Say nothing, only exit."`
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
	conf, err := a.config()
	if err != nil {
		return err
	}
	if own := os.Getenv(runner.EnvJob); slices.Contains(names, own) && os.Getenv(runner.EnvBasePath) == conf.BasePath {
		return fmt.Errorf("a task cannot wait for its own job %q: the job runs one task at a time", own)
	}
	q, err := a.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	resume, err := lendPlace(a, q)
	if err != nil {
		return err
	}
	defer resume()
	ends, err := c.await(a, q, names)
	if err != nil {
		return a.suggestTask(err, names)
	}
	if a.json() && !c.Quiet {
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

// await looks until all have ended, and prints how. It returns the outcomes in
// the order of the names.
func (c *waitCmd) await(a *app, q *queue.Queue, names []string) ([]queue.Outcome, error) {
	var late <-chan time.Time
	if c.Timeout > 0 {
		late = time.After(time.Duration(c.Timeout))
	}
	tick := time.NewTicker(queue.CheckEvery / 2)
	defer tick.Stop()
	ends := make([]queue.Outcome, len(names))
	open := make(map[int]bool, len(names))
	for i := range names {
		open[i] = true
	}
	obstacles := &obstacles{app: a}
	for {
		for i, name := range names {
			if !open[i] {
				continue
			}
			o, ended, err := c.look(a, q, name)
			if err != nil {
				return nil, err
			}
			if ended {
				delete(open, i)
				ends[i] = o
				c.tell(a, o)
			}
		}
		if len(open) == 0 {
			return ends, nil
		}
		if !c.Quiet {
			obstacles.look()
		}
		select {
		case <-tick.C:
		case <-late:
			return nil, fail(exitTimeout, fmt.Errorf("%s not ended within %s", c.what(names, open), time.Duration(c.Timeout)), "")
		case <-a.ctx.Done():
			return nil, a.ctx.Err()
		}
	}
}

func (c *waitCmd) tell(a *app, o queue.Outcome) {
	if !a.json() && !c.Quiet {
		a.printf("%s\n", outcomeText(o))
	}
}

// what names what has not ended yet, and says "has" or "have".
func (c *waitCmd) what(names []string, open map[int]bool) string {
	if c.Task != "" {
		return fmt.Sprintf("task %q of job %q has", c.Task, names[0])
	}
	const most = 5
	var left []string
	for i, name := range names {
		if open[i] {
			left = append(left, strconv.Quote(name))
		}
	}
	if len(left) == 1 {
		return "job " + left[0] + " has"
	}
	if len(left) > most {
		return fmt.Sprintf("%d jobs have", len(left))
	}
	return "jobs " + strings.Join(left, ", ") + " have"
}

func (c *waitCmd) look(a *app, q *queue.Queue, name string) (queue.Outcome, bool, error) {
	if c.Task != "" {
		t, err := q.DB.Task(a.ctx, name, c.Task)
		return queue.Outcome{Name: name, Task: &t}, t.Status.Ended(), err
	}
	j, err := q.DB.Job(a.ctx, name)
	if err != nil {
		return queue.Outcome{}, false, err
	}
	done, err := q.Over(a.ctx, j)
	if err != nil || !done {
		return queue.Outcome{}, false, err
	}
	o, err := q.JobOutcome(a.ctx, j, a.json())
	return o, true, err
}

// lendPlace is for a command inside a task that waits for other tasks: until
// the function that it returns is called, that task's place among those that
// may run at once is free for them. Elsewhere it does nothing.
func lendPlace(a *app, q *queue.Queue) (resume func(), err error) {
	conf, err := a.config()
	if err != nil {
		return nil, err
	}
	token := parentToken(conf)
	if token == "" {
		return func() {}, nil
	}
	// By this lock a manager sees that we wait. If we are killed, it takes the
	// place back.
	held, err := manager.WaitLock(conf.BasePath, token)
	if err != nil {
		return nil, err
	}
	return func() {
		// The place is taken back even if we were interrupted.
		_ = q.DB.SetWaiting(context.WithoutCancel(a.ctx), token, false)
		held.Close()
	}, q.DB.SetWaiting(a.ctx, token, true)
}
