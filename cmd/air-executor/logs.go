package main

import (
	"context"
	"errors"
	"fmt"
)

type logsCmd struct {
	jobsArg
	tasksArg
	Failed   bool      `help:"Only failed tasks, without dismissed ones. Without a job, those of all jobs."`
	Tail     tailLines `short:"n" default:"auto" placeholder:"N" help:"How many lines of each task, from its end, or 'all'. The default is 50 on a terminal, and all elsewhere."`
	Follow   bool      `short:"f" help:"Keep printing new output until the job or task has ended."`
	Attempt  *signed   `placeholder:"N" help:"An earlier attempt of the task; the first is 1."`
	AllJobs  bool      `help:"The logs of all jobs. With --follow, of what runs and what starts later, until Ctrl-C."`
	Since    pastTime  `placeholder:"WHEN" help:"Only of tasks that run, or have ended since then: how long ago, as in 90m, 12h or 2d, or a time such as yesterday, 08:30 or '2026-03-01 08:30'."`
	Grep     *pattern  `placeholder:"REGEXP" help:"Only lines that match. The default of --tail is 'all' then."`
	Prefix   bool      `help:"Begin each line with the task's id, and its job where there are several, and do not name the task above its output."`
	NoHeader bool      `help:"Do not name the task above its output."`
	Path     bool      `help:"Print the paths of the log files instead of their contents."`
}

// Help is printed below the summary.
func (*logsCmd) Help() string {
	return `Prints what tasks have written to stdout and stderr:

    air-executor logs build
    air-executor logs --all-jobs --follow --prefix
    air-executor logs --all-jobs --since 2h --grep 'error|warning'

Into a pipe or a file it is printed as it is. On a terminal, colours, carriage return, backspace and erase-line work, and other control characters are shown as text.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job, task or attempt; 130 interrupted.`
}

// check refuses flags that cannot be combined.
func (c *logsCmd) check(ui *ui, jobs []string) error {
	switch {
	case c.Attempt != nil && *c.Attempt < 1:
		return usage(fmt.Errorf("--attempt %d: the first attempt is 1", *c.Attempt), "")
	case c.Attempt != nil && (len(c.Task) != 1 || len(c.Status) > 0):
		return usage(errors.New("--attempt needs --task"), "")
	case c.Failed && len(c.Status) > 0:
		return usage(errors.New("--failed and --status do not go together"), "")
	case c.Follow && (len(c.Task) > 1 || len(c.Status) > 0):
		return usage(errors.New("--follow is for a job or one task"), "")
	case len(c.Task) > 0 && len(jobs) > 1:
		return usage(errors.New("--task goes with one job"), "")
	case c.AllJobs && len(jobs) > 0:
		return usage(errors.New("--all-jobs and a job do not go together"), "")
	case c.AllJobs && (len(c.Task) > 0 || len(c.Status) > 0):
		return usage(errors.New("--task and --status go with one job"), "")
	case c.AllJobs && c.Follow && !c.Since.IsZero():
		return usage(errors.New("--follow of --all-jobs begins with what runs, and has no --since"), "")
	case c.Path && (c.Grep != nil || c.Prefix):
		return usage(errors.New("--path prints names, and has no --grep or --prefix"), "")
	case c.Prefix && ui.json():
		return usage(errors.New("--prefix and --json do not go together: an object says of which task it is"), "")
	case c.Follow && c.Path:
		return usage(errors.New("--follow and --path do not go together"), "")
	case c.Follow && c.Failed:
		return usage(errors.New("--follow and --failed do not go together"), "")
	}
	return nil
}

// Run prints logs.
func (c *logsCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	all := c.AllJobs || c.Failed && len(c.Flag)+len(c.Arg) == 0 && c.selection().All()
	jobs, err := c.required()
	if err != nil && !all {
		return err
	}
	if err := c.check(ui, jobs); err != nil {
		return err
	}
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	if all && !c.Follow {
		if jobs, err = c.ofAll(ctx, ui, q); err != nil {
			return err
		}
	}
	p := c.printer(ui, all || len(jobs) > 1)
	if c.Follow {
		return c.follow(ctx, ui, ws, q, p, jobs)
	}
	logs, err := c.find(ctx, ui, ws, q, jobs)
	if err != nil {
		return err
	}
	p.titles = (len(logs) > 1 || p.titles) && !c.NoHeader
	if c.Path {
		for _, l := range logs { // the user will open these paths
			if err := l.Check(); err != nil {
				return err
			}
		}
	}
	switch {
	case c.Path && !ui.json():
		for _, l := range logs {
			ui.printf("%s\n", l.Path)
		}
	case ui.json():
		return c.printJSON(ctx, ui, logs)
	default:
		return c.print(p, logs)
	}
	return nil
}
