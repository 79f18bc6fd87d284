package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/runner/process"
)

type stopCmd struct {
	Drain   bool      `xor:"how" help:"Start nothing new, wait for what runs, and stop then."`
	Kill    bool      `xor:"how" help:"End what runs; those tasks fail, as cancelled."`
	Timeout timeLimit `placeholder:"D" help:"Give up waiting after this time (such as 90s or 5m)."`
}

// Help is printed below the summary.
func (*stopCmd) Help() string {
	return `Without --drain or --kill, running tasks are left alone: they go on, and record their results themselves.

Exit codes: 0 it has stopped; 1 error; 2 wrong flags or configuration; 5 no manager is running; 124 it has not stopped in time.`
}

// Run stops the manager and waits until it has let go of the base path.
func (c *stopCmd) Run(a *app) error {
	on, err := a.serving()
	if err != nil {
		return err
	}
	if !on {
		return fail(exitManager, errors.New("the manager is not running"), "start it with air-executor start")
	}
	d, err := a.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	m, err := d.Manager(a.ctx)
	if err != nil {
		return err
	}
	if m == nil {
		return errors.New("the manager is just starting; try again")
	}
	if !a.json() {
		a.printf("Stopping job manager (PID %d)...\n", m.PID)
	}
	if err := c.ask(a, d, m); err != nil {
		return err
	}
	if err := c.await(a); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]any{"pid": m.PID, "stopped": true})
	}
	a.printf("Job manager stopped\n")
	return nil
}

// ask writes down how the manager is to stop, and then signals it.
func (c *stopCmd) ask(a *app, d *db.DB, m *db.Instance) error {
	how := db.StopLeave
	switch {
	case c.Drain:
		how = db.StopDrain
	case c.Kill:
		how = db.StopKill
	}
	if err := d.AskToStop(a.ctx, m.ID, how); err != nil {
		return err
	}
	err := process.Signal(m.PID, m.PIDStart, unix.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		return nil // it is on its way out; await will see
	}
	return err
}

// await waits until the manager's lock is free.
func (c *stopCmd) await(a *app) error {
	var late <-chan time.Time
	if c.Timeout > 0 {
		late = time.After(time.Duration(c.Timeout))
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		on, err := a.serving()
		if err != nil || !on {
			return err
		}
		select {
		case <-tick.C:
		case <-late:
			return fail(exitTimeout, fmt.Errorf("the manager has not stopped within %s; it starts nothing new and stops as soon as it can", time.Duration(c.Timeout)), "")
		case <-a.ctx.Done():
			return a.ctx.Err()
		}
	}
}
