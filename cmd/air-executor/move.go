package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type moveCmd struct {
	jobArg
	tasksArg
	First  bool   `help:"Before all other tasks of the job."`
	Last   bool   `help:"After all other tasks that the job has now."`
	Before string `placeholder:"ID" predictor:"task" help:"Right before this task."`
	asksNothing
}

// Help is printed below the summary.
func (*moveCmd) Help() string {
	return `Changes in which order tasks of a job start that have not started. Several tasks keep their order among themselves.

    air-executor move build --task docs --last
    air-executor move pages --task 'page-9*' --first
    air-executor move pages --task page-7 --before page-3

It is the order among tasks of the same priority: a higher priority runs first, and a task after those that it needs, wherever it is moved. If that is so, the command says it. To change these: air-executor edit JOB --task ID --set priority=N. Which job comes first is decided by priority and age, as before.

Exit codes: 0 done; 1 error, or a task is not pending or has another priority than that of --before, nothing has changed; 2 wrong flags or configuration; 4 no such job or task.`
}

// Run moves tasks.
func (c *moveCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	ways := 0
	for _, given := range []bool{c.First, c.Last, c.Before != ""} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return usage(errors.New("where to? give one of --first, --last and --before ID"), "")
	}
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	ids, named, err := c.pick(ctx, q, name, "moved", job.Pending)
	if err != nil {
		return err
	}
	if !named {
		return usage(errors.New("which tasks? give --task ID"), "")
	}
	r, err := q.Move(ctx, name, db.Move{Tasks: ids, Before: c.Before, Last: c.Last})
	if err != nil {
		return c.explain(err, name)
	}
	if ui.json() {
		return ui.printJSON(r)
	}
	where := "before " + c.Before
	if c.First {
		where = "to the front"
	} else if c.Last {
		where = "to the end"
	}
	ui.printf("Job %s: %s moved %s\n", name, plural(r.Moved, "task"), where)
	c.remarks(ui, r)
	return nil
}

// explain adds what to do about a move that was refused.
func (c *moveCmd) explain(err error, name string) error {
	switch {
	case errors.Is(err, db.ErrOrder):
		return fail(exitError, err, "to give them the same one: air-executor edit "+shellLine([]string{name})+" --task ID --set priority=N")
	case errors.Is(err, db.ErrLimit):
		return fail(exitError, err, "--first and --last work in every job")
	}
	return err
}

// remarks says where the order does not decide.
func (c *moveCmd) remarks(ui *ui, r queue.MoveResult) {
	say := func(ids []string, one, many string) {
		const most = 5 // ids in a remark
		if len(ids) == 0 {
			return
		}
		names := strings.Join(ids[:min(len(ids), most)], ", ")
		if n := len(ids) - most; n > 0 {
			names += fmt.Sprintf(" and %d more", n)
		}
		ui.notef("%s %s", names, verbOnly(len(ids), one, many))
	}
	if c.Last {
		say(r.Outranked, "has a higher priority than others, and runs before them all the same", "have a higher priority than others, and run before them all the same")
	} else {
		say(r.Outranked, "runs after tasks of a higher priority all the same", "run after tasks of a higher priority all the same")
	}
	say(r.Needing, "needs "+c.Before+", and runs after it all the same", "need "+c.Before+", and run after it all the same")
	say(r.Waiting, "still waits for other tasks, or for a time", "still wait for other tasks, or for a time")
}

// verbOnly is the form of a verb for so many.
func verbOnly(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
