package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

type logsCmd struct {
	jobsArg
	Task     string    `short:"t" placeholder:"ID" predictor:"task" help:"Only this task; the default is all that have started."`
	Failed   bool      `help:"Only failed tasks, without dismissed ones. Without a job, those of all jobs."`
	Tail     tailLines `short:"n" default:"auto" placeholder:"N" help:"How many lines of each task, from its end, or 'all'. The default is 50 on a terminal, and all elsewhere."`
	Follow   bool      `short:"f" help:"Keep printing new output until the job or task has ended."`
	Attempt  *signed   `placeholder:"N" help:"An earlier attempt of the task; the first is 1."`
	NoHeader bool      `help:"Do not name the task above its output."`
	Path     bool      `help:"Print the names of the log files and not what is in them."`
}

// Help is printed below the summary.
func (*logsCmd) Help() string {
	return `Prints what tasks have written to stdout and stderr. Into a pipe or a file it is printed as it is. On a terminal, colours, carriage return, backspace and erase-line work, and other control characters are shown as text.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job, task or attempt; 130 interrupted.`
}

// tailLines is a number of lines, or one of the words below.
type tailLines int

const (
	tailAuto tailLines = -1 // depends on where it is printed
	tailAll  tailLines = -2

	tailOnTerminal = 50
)

// Decode reads the number or word.
func (n *tailLines) Decode(c *kong.DecodeContext) error {
	t := c.Scan.Pop()
	if t.IsEOL() {
		return errNoValue
	}
	text := fmt.Sprint(t.Value)
	switch text {
	case "auto":
		*n = tailAuto
		return nil
	case "all":
		*n = tailAll
		return nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < 0 {
		return fmt.Errorf("want a number of lines or all, got %q", text)
	}
	*n = tailLines(v)
	return nil
}

// check refuses what does not go together.
func (c *logsCmd) check(jobs []string) error {
	switch {
	case c.Attempt != nil && *c.Attempt < 1:
		return usage(fmt.Errorf("--attempt %d: the first attempt is 1", *c.Attempt), "")
	case c.Attempt != nil && c.Task == "":
		return usage(errors.New("--attempt needs --task"), "")
	case c.Task != "" && len(jobs) > 1:
		return usage(errors.New("--task goes with one job"), "")
	case c.Follow && c.Path:
		return usage(errors.New("--follow and --path do not go together"), "")
	case c.Follow && c.Failed:
		return usage(errors.New("--follow and --failed do not go together"), "")
	}
	return nil
}

// Run prints logs.
func (c *logsCmd) Run(a *app) error {
	all := c.Failed && len(c.Flag)+len(c.Arg) == 0 && c.Task == ""
	jobs, err := c.required()
	if err != nil && !all {
		return err
	}
	if err := c.check(jobs); err != nil {
		return err
	}
	d, err := a.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	if all {
		if jobs, err = withFailures(a, d); err != nil {
			return err
		}
	}
	p := c.printer(a, all || len(jobs) > 1)
	if c.Follow {
		return c.follow(a, d, p, jobs)
	}
	logs, err := c.find(a, d, jobs)
	if err != nil {
		return err
	}
	switch {
	case c.Path && !a.json():
		for _, l := range logs {
			a.printf("%s\n", l.path)
		}
	case a.json():
		return c.printJSON(a, logs)
	default:
		return c.print(p, logs)
	}
	return nil
}

// withFailures lists the jobs that have failed tasks.
func withFailures(a *app, d *db.DB) (names []string, err error) {
	jobs, err := d.Jobs(a.ctx)
	for _, j := range jobs {
		if j.Tasks.Failed > 0 {
			names = append(names, j.Name)
		}
	}
	if err == nil && len(names) == 0 {
		a.notef("no task has failed")
	}
	return names, err
}

func (c *logsCmd) printer(a *app, several bool) *logPrinter {
	if c.Tail == tailAuto {
		c.Tail = tailAll
		if isTerminal(a.out) && !a.json() {
			c.Tail = tailOnTerminal
		}
	}
	p := &logPrinter{out: a.out, note: a.notef, titles: c.Task == "" && !c.NoHeader, several: several}
	if isTerminal(a.out) {
		p.filter = &filter{edits: true}
	}
	return p
}

func (c *logsCmd) print(p *logPrinter, logs []*taskLog) error {
	for _, l := range logs {
		if err := p.tail(l, c.Tail); err != nil {
			return err
		}
	}
	return p.end()
}

// find lists the logs to print, in the order in which the tasks were queued. It
// remarks on tasks that have none yet.
func (c *logsCmd) find(a *app, d *db.DB, jobs []string) (logs []*taskLog, err error) {
	for _, name := range jobs {
		found, pending, err := c.ofJob(a, d, name)
		if err != nil {
			return nil, noJobButTask(a, d, jobs, err)
		}
		switch {
		case len(found) > 0 || c.Failed:
		case c.Task != "":
			a.notef("task %q of job %q has not started yet", c.Task, name)
		case pending > 0:
			a.notef("no task of job %q has started yet", name)
		}
		logs = append(logs, found...)
	}
	return logs, nil
}

// noJobButTask adds a hint where a task was named as if it were a job.
func noJobButTask(a *app, d *db.DB, jobs []string, err error) error {
	if len(jobs) == 2 && errors.Is(err, db.ErrNoJob) {
		if _, e := d.Task(a.ctx, jobs[0], jobs[1]); e == nil {
			return fail(exitNoSuch, err, "for one task: air-executor logs "+shellLine([]string{jobs[0], "--task", jobs[1]}))
		}
	}
	return a.suggestTask(err, jobs)
}

// ofJob lists the logs of a job, and counts the tasks that have none.
func (c *logsCmd) ofJob(a *app, d *db.DB, name string) (logs []*taskLog, pending int, err error) {
	if c.Task != "" {
		t, err := d.Task(a.ctx, name, c.Task)
		if err != nil {
			return nil, 0, err
		}
		l, err := c.ofTask(a, t)
		if l == nil {
			return nil, 1, err
		}
		return []*taskLog{l}, 0, err
	}
	err = d.EachTask(a.ctx, name, func(t job.Task) error {
		switch {
		case t.Attempts == 0 && !t.Status.Ended(): // those that were imported may have a log
			pending++
		case !c.Failed || hasFailed(t):
			logs = append(logs, newTaskLog(a, t))
		}
		return nil
	})
	return logs, pending, err
}

// ofTask is the log of the attempt that is wanted, or nil if there is none yet.
func (c *logsCmd) ofTask(a *app, t job.Task) (*taskLog, error) {
	l := newTaskLog(a, t)
	if c.Attempt == nil {
		if t.Attempts == 0 {
			// An imported task may have brought the log of an earlier life.
			if _, err := os.Lstat(l.path); err != nil {
				return nil, nil
			}
		}
		if c.Failed && !hasFailed(t) {
			return nil, nil
		}
		return l, nil
	}
	n := int(*c.Attempt)
	if n > t.Attempts {
		return nil, fail(exitNoSuch, fmt.Errorf("no such attempt: %d of task %q, which had %d", n, t.ID, t.Attempts), "")
	}
	if n != t.Attempts {
		l.attempt, l.path = n, runner.OldLogPath(a.conf.BasePath, t.Job, t.ID, n)
	}
	return l, nil
}

func newTaskLog(a *app, t job.Task) *taskLog {
	return &taskLog{job: t.Job, task: t.ID, attempt: t.Attempts, status: t.Status, error: t.Error, path: runner.LogPath(a.conf.BasePath, t.Job, t.ID)}
}

// hasFailed reports whether a task has failed, and nobody has dismissed that.
func hasFailed(t job.Task) bool { return t.Status == job.Failed && t.DismissedAt.IsZero() }
