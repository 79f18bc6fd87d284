package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

type statusCmd struct {
	jobArg
	TaskArg string          `arg:"" optional:"" name:"task" predictor:"task" help:"Id of one task of the job."`
	Task    string          `short:"t" placeholder:"ID" predictor:"task" help:"Show one task of the job with all its attempts; same as the TASK argument. A pattern such as 'page-*' lists tasks."`
	Status  []statusWord    `sep:"," placeholder:"STATUS" words:"pending,running,completed,failed" help:"List tasks with this status: pending, running, completed or failed, without dismissed ones. May be given several times."`
	Tasks   bool            `help:"List tasks; without a job, those of all jobs."`
	Failed  bool            `help:"List failed tasks, without dismissed ones."`
	Running bool            `help:"List running tasks."`
	Pending bool            `help:"List pending tasks."`
	Sort    string          `placeholder:"KEY" enum:",name,state,created,updated,duration" type:"word" words:"name,state,created,updated,duration" default:"" help:"Order of the list: name; state, what runs or has failed first; created or updated, newest first; duration, longest first."`
	Limit   *signed         `short:"n" placeholder:"N" help:"Show at most N jobs or tasks; 0 shows all. Without it, all tasks and the first 100 jobs."`
	only    map[string]bool // ids that match the pattern
	Watch   bool            `short:"w" help:"Show it again at every change, until Ctrl-C or q."`

	Label  []string `sep:"none" placeholder:"KEY=VALUE" help:"Only jobs or tasks with this label; KEY alone: with any value. A job is shown if a task of it has it, a task if its job has it. May be given several times: with all of them."`
	labels []db.LabelFilter
}

// Help is printed below the summary.
func (*statusCmd) Help() string {
	return `Without a name, a line for each job. With a name, that job and its tasks, and why pending tasks do not run. With a task as well, all details of it.

    air-executor status --failed
    air-executor status --limit 0
    air-executor status build --sort duration --limit 10
    air-executor status build test

If there are more than 100 jobs and no option says which, 100 are shown: those with running tasks first, then those with failed ones, those whose tasks ended last, and the newest. With --json, --sort or --label all are.

--watch shows running and failed ones first. On a terminal, arrow keys, PgUp, PgDn, Home and End scroll.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run shows jobs, a job, or a task.
func (c *statusCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if err := c.check(); err != nil {
		return err
	}
	q, err := ws.queue()
	if err != nil {
		if c.optional() == "" && !c.Watch && exitCode(err) == exitNoSuch {
			defer ws.remarkUnimported(nil)
			return nothing(ui, ws)
		}
		return err
	}
	defer q.Close()
	if err := c.match(ctx, q); err != nil {
		return err
	}
	if !ui.json() {
		ui.remarkOnTimeZone()
	}
	if c.Watch {
		return c.watch(ctx, ui, ws, q)
	}
	if c.optional() == "" {
		defer ws.remarkUnimported(q.DB)
	}
	if ui.json() {
		return c.printJSON(ctx, ui, q)
	}
	r, err := c.read(ctx, ui, ws, q, c.query(ui))
	if err != nil {
		return err
	}
	return r.printTo(ui, ws)
}

// check refuses arguments that cannot be combined, and resolves the job and task.
func (c *statusCmd) check() error {
	switch {
	case c.TaskArg != "" && c.Task != "" && c.TaskArg != c.Task:
		return usage(fmt.Errorf("two ids for one task: --task %s and %s", c.Task, c.TaskArg), "")
	case c.TaskArg != "" && c.Flag != "":
		// status --job J TASK: the parser has taken the first argument for the job.
		return usage(fmt.Errorf("two names for one job: --job %s and %s", c.Flag, c.Arg), "")
	case c.limit() < 0:
		return usage(fmt.Errorf("--limit %d is negative", c.limit()), "")
	}
	if c.Task == "" {
		c.Task = c.TaskArg
	}
	var err error
	if c.labels, err = queue.LabelFilters(c.Label); err != nil {
		return usage(fmt.Errorf("--label %w", err), "as in --label team=search, or --label team")
	}
	if c.Task == "" {
		return nil
	}
	if strings.ContainsAny(c.Task, "*?[") {
		_, err = c.required()
		return err
	}
	if len(c.labels) > 0 {
		return usage(errors.New("one task is not a list: --label does not go with it"), "")
	}
	return c.checkOne()
}

// limit is how many rows to show; 0: all.
func (c *statusCmd) limit() int {
	if c.Limit == nil {
		return 0
	}
	return int(*c.Limit)
}

// checkOne refuses what does not go together with one task.
func (c *statusCmd) checkOne() error {
	if c.Tasks || c.Failed || c.Running || c.Pending || len(c.Status) > 0 || c.Sort != "" || c.limit() > 0 {
		return usage(errors.New("one task is not a list: --tasks, --status, --failed, --running, --pending, --sort and --limit do not go with it"), "")
	}
	_, err := c.required()
	return err
}
