package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner"
)

type waitCmd struct {
	jobArg
	Task    string    `short:"t" placeholder:"ID" predictor:"task" help:"Wait for one task of the job only."`
	Timeout timeLimit `placeholder:"D" help:"Give up after this time, such as 90s or 5m."`
	Quiet   bool      `short:"q" help:"Say nothing, only exit."`
}

// Help is printed below the summary.
func (*waitCmd) Help() string {
	return `Exit codes: 0 it has completed; 1 error; 2 wrong flags or configuration; 3 it has failed; 4 no such job or task; 124 not ended in time; 130 interrupted.`
}

// Run waits for a job or a task.
func (c *waitCmd) Run(a *app) error {
	name, err := c.required()
	if err != nil {
		return err
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	if os.Getenv(runner.EnvJob) == name && os.Getenv(runner.EnvBasePath) == conf.BasePath {
		return fmt.Errorf("a task cannot wait for its own job %q: the job runs one task at a time", name)
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
	o, err := c.await(a, d, name)
	if err != nil {
		return err
	}
	if a.json() {
		err = a.printJSON(o)
	} else if !c.Quiet {
		a.printf("%s\n", o.text())
	}
	if err == nil && !o.ok() {
		err = silent(exitFailed)
	}
	return err
}

// outcome is how that which was waited for has ended.
type outcome struct {
	Job    string     `json:"job"`
	Task   string     `json:"task,omitempty"`
	State  job.State  `json:"state,omitempty"`
	Status job.Status `json:"status,omitempty"`
	Error  string     `json:"error,omitempty"`
	Failed int        `json:"failed,omitempty"` // tasks
}

// ok reports whether all went well. A job in which nothing has failed has, even
// if it was imported as one that still waits.
func (o outcome) ok() bool {
	if o.Task != "" {
		return o.Status == job.Completed
	}
	return o.State != job.StateFailed
}

func (o outcome) text() string {
	switch {
	case o.Task != "" && o.Error != "":
		return fmt.Sprintf("Task %s of job %s %s: %s", o.Task, o.Job, o.Status, o.Error)
	case o.Task != "":
		return fmt.Sprintf("Task %s of job %s %s", o.Task, o.Job, o.Status)
	case o.Failed > 0:
		return fmt.Sprintf("Job %s %s (%d failed)", o.Job, o.State, o.Failed)
	}
	return fmt.Sprintf("Job %s %s", o.Job, o.State)
}

// await looks until it has ended.
func (c *waitCmd) await(a *app, d *db.DB, name string) (outcome, error) {
	var late <-chan time.Time
	if c.Timeout > 0 {
		late = time.After(time.Duration(c.Timeout))
	}
	tick := time.NewTicker(watchEvery / 2)
	defer tick.Stop()
	obstacles := &obstacles{app: a}
	for {
		o, ended, err := c.look(a, d, name)
		if err != nil || ended {
			return o, err
		}
		if !c.Quiet {
			obstacles.look()
		}
		select {
		case <-tick.C:
		case <-late:
			return o, fail(exitTimeout, fmt.Errorf("%s has not ended within %s", c.what(name), time.Duration(c.Timeout)), "")
		case <-a.ctx.Done():
			return o, a.ctx.Err()
		}
	}
}

func (c *waitCmd) what(name string) string {
	if c.Task != "" {
		return fmt.Sprintf("task %q of job %q", c.Task, name)
	}
	return fmt.Sprintf("job %q", name)
}

func (c *waitCmd) look(a *app, d *db.DB, name string) (outcome, bool, error) {
	if c.Task != "" {
		t, err := d.Task(a.ctx, name, c.Task)
		return outcome{Job: name, Task: c.Task, Status: t.Status, Error: t.Error}, t.Status.Ended(), err
	}
	j, err := d.Job(a.ctx, name)
	return outcome{Job: name, State: j.State, Failed: j.Tasks.Failed}, ended(j), err
}

// ended reports whether nothing of the job is left to do. A job that was
// imported as waiting may have nothing to wait for.
func ended(j job.Job) bool { return j.State.Ended() || j.Tasks.Pending+j.Tasks.Running == 0 }

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
