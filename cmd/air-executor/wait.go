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

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner"
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
	conf, err := a.config()
	if err != nil {
		return err
	}
	if own := os.Getenv(runner.EnvJob); slices.Contains(names, own) && os.Getenv(runner.EnvBasePath) == conf.BasePath {
		return fmt.Errorf("a task cannot wait for its own job %q: the job runs one task at a time", own)
	}
	d, err := a.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	resume, err := lendPlace(a, d)
	if err != nil {
		return err
	}
	defer resume()
	ends, err := c.await(a, d, names)
	if err != nil {
		return a.suggestTask(err, names)
	}
	if a.json() {
		forms := make([]outcomeJSON, len(ends))
		for i, o := range ends {
			forms[i] = o.form()
		}
		err = a.printJSON(forms)
	}
	if err == nil && slices.ContainsFunc(ends, func(o outcome) bool { return !o.ok() }) {
		err = silent(exitFailed)
	}
	return err
}

// outcome is how that which was waited for has ended.
type outcome struct {
	Job    string
	Task   *job.Task // nil: the job was waited for
	State  job.State // empty: only the task was
	Failed int       // tasks of the job

	job       job.Job
	cancelled int
}

// ok reports whether all went well. A job in which nothing has failed has, even
// if it was imported as one that still waits; but not if some of it cannot run.
func (o outcome) ok() bool {
	if o.State == "" {
		return o.Task != nil && o.Task.Status == job.Completed
	}
	return o.State != job.StateFailed && o.job.Blocked == 0
}

// ofJob is the outcome of a job.
func ofJob(a *app, d *db.DB, j job.Job) (outcome, error) {
	o := outcome{Job: j.Name, State: j.State, Failed: j.Tasks.Failed, job: j}
	if !a.json() {
		return o, nil
	}
	cancelled, err := d.Cancelled(a.ctx, j.Name)
	o.cancelled = cancelled[j.Name]
	return o, err
}

func (o outcome) text() string {
	switch {
	case o.State == "" && o.Task.Error != "":
		return fmt.Sprintf("Task %s of job %s %s: %s", o.Task.ID, o.Job, o.Task.Status, o.Task.Error)
	case o.State == "":
		return fmt.Sprintf("Task %s of job %s %s", o.Task.ID, o.Job, o.Task.Status)
	case o.Failed > 0:
		return fmt.Sprintf("Job %s %s (%d failed)", o.Job, o.State, o.Failed)
	case o.job.Blocked > 0:
		return fmt.Sprintf("Job %s %s (%d blocked)", o.Job, o.State, o.job.Blocked)
	}
	return fmt.Sprintf("Job %s %s", o.Job, o.State)
}

// await looks until all have ended, and prints how. It returns the outcomes in
// the order of the names.
func (c *waitCmd) await(a *app, d *db.DB, names []string) ([]outcome, error) {
	var late <-chan time.Time
	if c.Timeout > 0 {
		late = time.After(time.Duration(c.Timeout))
	}
	tick := time.NewTicker(watchEvery / 2)
	defer tick.Stop()
	ends := make([]outcome, len(names))
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
			o, ended, err := c.look(a, d, name)
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
		if !a.globals.Quiet {
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

func (c *waitCmd) tell(a *app, o outcome) {
	if !a.json() {
		a.printf("%s\n", o.text())
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

func (c *waitCmd) look(a *app, d *db.DB, name string) (outcome, bool, error) {
	if c.Task != "" {
		t, err := d.Task(a.ctx, name, c.Task)
		return outcome{Job: name, Task: &t}, t.Status.Ended(), err
	}
	j, err := d.Job(a.ctx, name)
	if err != nil {
		return outcome{}, false, err
	}
	done, err := over(a, d, j)
	if err != nil || !done {
		return outcome{}, false, err
	}
	o, err := ofJob(a, d, j)
	return o, true, err
}

// ended reports whether nothing of the job is left to do. A job that was
// imported as waiting may have nothing to wait for.
func ended(j job.Job) bool { return j.State.Ended() || j.Tasks.Pending+j.Tasks.Running == 0 }

// over reports whether the job has ended, or nothing is left of it that could
// run: what is pending depends on failures that were dismissed. That it waits for
// a task which is not there yet is no end.
func over(a *app, d *db.DB, j job.Job) (bool, error) {
	if ended(j) || j.Tasks.Running > 0 || j.Tasks.Pending > j.Blocked {
		return ended(j), nil
	}
	may, err := d.MayGoOn(a.ctx, j.Name)
	return !may, err
}

// lendPlace is for a command inside a task that waits for other tasks: until
// the function that it returns is called, that task's place among those that
// may run at once is free for them. Elsewhere it does nothing.
func lendPlace(a *app, d *db.DB) (resume func(), err error) {
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
		_ = d.SetWaiting(context.WithoutCancel(a.ctx), token, false)
		held.Close()
	}, d.SetWaiting(a.ctx, token, true)
}
