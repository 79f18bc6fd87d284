package main

import (
	"context"
	"errors"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

type stopCmd struct {
	Drain   bool      `xor:"how" help:"Start nothing new, wait for what runs, and stop then."`
	Kill    bool      `xor:"how" help:"End what runs; those tasks fail, as cancelled."`
	Timeout timeLimit `placeholder:"D" help:"Give up waiting after this time (such as 90s or 5m)."`
	asksNothing
}

// Help is printed below the summary.
func (*stopCmd) Help() string {
	return `Without --drain or --kill, running tasks are left alone: they continue, and their results are recorded. (As process 1 of a container, the manager ends them, because they cannot outlive it.)

With listen in the configuration, the server of the base path is stopped, too.

The request is stored, and the manager checks for it once a second: a signal need not reach it, and it may be in another container with the same base path.

Exit codes: 0 it has stopped; 1 error; 2 wrong flags or configuration; 5 no manager is running; 124 it has not stopped in time; 130 interrupted.`
}

// how returns the requested way to stop.
func (c *stopCmd) how() db.Stop {
	switch {
	case c.Drain:
		return db.StopDrain
	case c.Kill:
		return db.StopKill
	}
	return db.StopLeave
}

// Run stops the manager and waits until it has released the base path.
func (c *stopCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	on, err := ws.serving()
	if err != nil {
		return err
	}
	notRunning := fail(exitManager, queue.ErrNotServed, "start it with air-executor start")
	if !on {
		return notRunning // even if there is no database
	}
	q, err := ws.asItIs()
	if err != nil {
		return err
	}
	defer q.Close()
	o := queue.StopOptions{How: c.how(), Timeout: time.Duration(c.Timeout), Waiting: func(w queue.StopAwait) { c.explain(ui, w) }}
	if !ui.json() {
		o.Asked = func(pid int) { ui.printf("Stopping job manager (PID %d)...\n", pid) }
	}
	done, err := q.Stop(ctx, o)
	if err == nil {
		err = stopServer(ctx, ws.conf)
	}
	switch {
	case errors.Is(err, queue.ErrNotServed):
		return notRunning
	case err != nil:
		return err
	case ui.json():
		return ui.printJSON(done)
	case done.Running > 0:
		ui.printf("Job manager stopped; %s still running\n", verb(done.Running, "task is", "tasks are"))
		return nil
	}
	ui.printf("Job manager stopped\n")
	return nil
}

// explain says what is being waited for.
func (c *stopCmd) explain(ui *ui, w queue.StopAwait) {
	switch leave := c.how() == db.StopLeave; {
	case w.PID == 0:
		ui.notef("the manager is starting and has not registered yet; waiting until it has")
	case leave && w.Deaf:
		ui.notef("process %d cannot be signalled from here; the manager checks for the request once a second, except in older versions", w.PID)
	case leave:
		ui.notef("the manager (PID %d) has not answered yet; if it was stopped with Ctrl-Z: kill -CONT %d", w.PID, w.PID)
	case w.Running > 0:
		ui.notef("waiting for %s to end; Ctrl-C only ends the waiting", plural(w.Running, "running task"))
	}
}
