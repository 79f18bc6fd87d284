package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type killCmd struct {
	jobArg
	tasksArg
	Signal signalName `short:"s" default:"TERM" placeholder:"SIGNAL" help:"Which signal, by its name or number. The default is TERM, as with kill(1)."`
	asks
}

// signalName is a signal, named as SIGUSR1.
type signalName string

// UnmarshalText reads a name, with or without SIG, in any case, or a number.
func (s *signalName) UnmarshalText(text []byte) error {
	name := strings.ToUpper(string(text))
	if n, err := strconv.Atoi(name); err == nil {
		name = unix.SignalName(unix.Signal(n))
	} else if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if unix.SignalNum(name) == 0 {
		return fmt.Errorf("no such signal: %q; an example: USR1", text)
	}
	*s = signalName(name)
	return nil
}

// Help is printed below the summary.
func (*killCmd) Help() string {
	return `The signal goes to the process group of the task's command, through its runner; a process that has made a group of its own does not get it. What the task makes of it is its own: one that ends by it has failed with the reason signaled, and not cancelled. To end tasks with all their processes: air-executor cancel. To stop them for a while: air-executor pause --freeze. Without --task and --status, every running task of the job gets it. A frozen task gets it when it goes on.

    air-executor kill server --task 1 --signal HUP
    air-executor kill pages --task 'page-*' --signal USR1

Exit codes: 0 done; 1 error, or a task (--task) does not run or ended before the signal was sent; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run sends a signal.
func (c *killCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	ids, named, err := c.pick(ctx, q, name, "signalled", job.Running)
	if err != nil {
		return err
	}
	n := len(ids)
	if !named {
		j, err := q.DB.Job(ctx, name)
		if err != nil {
			return err
		}
		n = j.Tasks.Running
	}
	if err := c.confirm(ctx, ui, n, fmt.Sprintf("This sends %s to %s of job %s", c.Signal, plural(n, "running task"), name)); err != nil {
		return err
	}
	done := queue.SignalResult{Job: name, Signal: string(c.Signal), Otherwise: []queue.EndedResult{}}
	if n > 0 {
		done, err = q.Signal(ctx, name, ids, string(c.Signal), ui.slowRunner)
	}
	if late := (*queue.Unheard)(nil); errors.As(err, &late) {
		return fail(exitError, err, "runners look for it every second, and may yet send it; a runner of an earlier version does not")
	}
	if err != nil {
		return err
	}
	return c.tell(ui, done, ids)
}

// tell prints what has become of the tasks.
func (c *killCmd) tell(ui *ui, done queue.SignalResult, ids []string) error {
	if ui.json() {
		if err := ui.printJSON(done); err != nil {
			return err
		}
	} else {
		ui.tellEnded(done.Job, done.Otherwise, "the signal was sent")
		if len(done.Otherwise) == 0 || done.Signalled > 0 {
			ui.printf("Job %s: sent %s to %s\n", done.Job, done.Signal, plural(done.Signalled, "task"))
		}
	}
	if c.one(ids) != "" && len(done.Otherwise) > 0 {
		return silent(exitError)
	}
	return nil
}
