package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
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
	switch strings.ToLower(text) {
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
func (c *logsCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	all := c.Failed && len(c.Flag)+len(c.Arg) == 0 && c.Task == ""
	jobs, err := c.required()
	if err != nil && !all {
		return err
	}
	if err := c.check(jobs); err != nil {
		return err
	}
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	if all {
		if jobs, err = q.WithFailures(ctx); err != nil {
			return err
		}
		if len(jobs) == 0 {
			ui.notef("no task has failed")
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
	if c.Path {
		for _, l := range logs { // somebody will open what is printed
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

func (c *logsCmd) printer(ui *ui, several bool) *logPrinter {
	if c.Tail == tailAuto {
		c.Tail = tailAll
		if isTerminal(ui.out) && !ui.json() {
			c.Tail = tailOnTerminal
		}
	}
	p := &logPrinter{out: ui.out, note: ui.notef, titles: c.Task == "" && !c.NoHeader, several: several}
	if isTerminal(ui.out) {
		p.filter = &filter{edits: true}
	}
	return p
}

func (c *logsCmd) print(p *logPrinter, logs []*queue.Log) error {
	for _, l := range logs {
		if err := l.Tail(p, int(c.Tail)); err != nil {
			return err
		}
	}
	return p.end()
}

// find lists the logs to print, in the order in which the tasks were queued. It
// remarks on tasks that have none yet.
func (c *logsCmd) find(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, jobs []string) (logs []*queue.Log, err error) {
	for _, name := range jobs {
		found, pending, err := q.Logs(ctx, name, c.query())
		if err != nil {
			return nil, noJobButTask(ctx, ws, q, jobs, err)
		}
		switch {
		case len(found) > 0 || c.Failed:
		case c.Task != "":
			ui.notef("task %q of job %q has not started yet", c.Task, name)
		case pending > 0:
			ui.notef("no task of job %q has started yet", name)
		}
		logs = append(logs, found...)
	}
	return logs, nil
}

// noJobButTask adds a hint where a task was named as if it were a job.
func noJobButTask(ctx context.Context, ws *workspace, q *queue.Queue, jobs []string, err error) error {
	if len(jobs) == 2 && errors.Is(err, db.ErrNoJob) {
		if _, e := q.DB.Task(ctx, jobs[0], jobs[1]); e == nil {
			return fail(exitNoSuch, err, "for one task: air-executor logs "+shellLine([]string{jobs[0], "--task", jobs[1]}))
		}
	}
	return ws.suggestTask(err, jobs)
}

// query is which logs are wanted.
func (c *logsCmd) query() queue.LogQuery {
	query := queue.LogQuery{Task: c.Task, Failed: c.Failed}
	if c.Attempt != nil {
		query.Attempt = int(*c.Attempt)
	}
	return query
}

// follow prints what there is, and then what is added until every job has ended.
func (c *logsCmd) follow(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, p *logPrinter, jobs []string) error {
	if ui.json() {
		p.piece = printPiece(ui)
	}
	ctx, check, stop := ui.whileRead(ctx)
	defer stop()
	obstacles := &obstacles{ui: ui, ws: ws}
	waiting := func() {
		obstacles.look()
		check()
	}
	err := q.Follow(ctx, jobs, queue.FollowOptions{LogQuery: c.query(), Lines: int(c.Tail), Waiting: waiting}, p)
	if err = orNobody(ctx, err); nobodyReads(err) {
		return err
	}
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, p.end())
	}
	return noJobButTask(ctx, ws, q, jobs, err)
}
