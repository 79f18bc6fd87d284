package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner/process"
)

type stopCmd struct {
	Drain   bool      `xor:"how" help:"Start nothing new, wait for what runs, and stop then."`
	Kill    bool      `xor:"how" help:"End what runs; those tasks fail, as cancelled."`
	Timeout timeLimit `placeholder:"D" help:"Give up waiting after this time (such as 90s or 5m)."`
	asksNothing
}

// Help is printed below the summary.
func (*stopCmd) Help() string {
	return `Without --drain or --kill, running tasks are left alone: they go on, and record their results themselves. (A manager that is process 1 of a container ends them, for they could not go on.)

The request is stored, and the manager looks for it once a second: it need not be reached by a signal, and may be in another container with the same base path.

Exit codes: 0 it has stopped; 1 error; 2 wrong flags or configuration; 5 no manager is running; 124 it has not stopped in time; 130 interrupted.`
}

// how is the way to stop that was asked for.
func (c *stopCmd) how() db.Stop {
	switch {
	case c.Drain:
		return db.StopDrain
	case c.Kill:
		return db.StopKill
	}
	return db.StopLeave
}

var errNotRunning = fail(exitManager, errors.New("the manager is not running"), "start it with air-executor start")

// Run stops the manager and waits until it has let go of the base path.
func (c *stopCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	on, err := ws.serving()
	if err != nil {
		return err
	}
	if !on {
		return errNotRunning
	}
	d, err := ws.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	s := &stopping{ui: ui, ws: ws, db: d, how: c.how()}
	if err := s.await(time.Duration(c.Timeout)); err != nil {
		return err
	}
	if s.asked == "" {
		return errNotRunning // what held its lock was about to end
	}
	active, err := d.Active(ctx)
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(queue.StoppedForm{PID: s.pid, Stopped: true, How: s.how, Running: len(active)})
	}
	if len(active) > 0 {
		ui.printf("Job manager stopped; %s still running\n", verb(len(active), "task is", "tasks are"))
		return nil
	}
	ui.printf("Job manager stopped\n")
	return nil
}

// stopping asks the manager that serves to stop, and waits for its end.
type stopping struct {
	ui  *ui
	ws  *workspace
	db  *db.DB
	how db.Stop

	asked string // instance that was asked; empty: none yet
	pid   int
	deaf  bool // the signal reached no process here
}

// await waits until the manager has let go of its lock.
func (s *stopping) await(limit time.Duration) error {
	var late <-chan time.Time
	if limit > 0 {
		late = time.After(limit)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	words := time.After(2 * time.Second)
	for {
		ended, err := s.look()
		if err != nil || ended {
			return err
		}
		select {
		case <-tick.C:
		case <-words:
			s.explain()
		case <-late:
			return fail(exitTimeout, fmt.Errorf("the manager has not stopped within %s; it starts nothing new and stops as soon as it can", limit), "")
		case <-s.ws.ctx.Done():
			return s.ws.ctx.Err()
		}
	}
}

// look reports whether the manager has ended. It asks the one that serves, as
// soon as that can be told: one that is just starting has not registered yet, or
// not even put its name in the place of the one before it.
func (s *stopping) look() (ended bool, err error) {
	h, on, err := manager.Serving(s.ws.conf.BasePath)
	if err != nil || !on {
		return err == nil, err
	}
	if s.asked != "" && h.Instance == s.asked {
		return false, nil
	}
	if s.asked != "" {
		old, err := s.db.ManagerWith(s.ws.ctx, s.asked)
		if err != nil || old != nil && !old.StoppedAt.IsZero() {
			return true, err // another serves now, and was not meant
		}
	}
	m, err := s.holder(h)
	if err != nil || m == nil || !m.StoppedAt.IsZero() || m.ID == s.asked {
		return false, err
	}
	return false, s.ask(m)
}

// holder is the row of the manager that serves, nil if it has none yet. A
// manager of an older version does not say which one it is.
func (s *stopping) holder(h manager.Holder) (*db.Instance, error) {
	if h.Instance == "" {
		return s.db.Manager(s.ws.ctx)
	}
	return s.db.ManagerWith(s.ws.ctx, h.Instance)
}

// ask writes down how the manager is to stop, and tells it to look.
func (s *stopping) ask(m *db.Instance) error {
	if s.asked == "" && !s.ui.json() {
		s.ui.printf("Stopping job manager (PID %d)...\n", m.PID)
	}
	if err := s.db.AskToStop(s.ws.ctx, m.ID, s.how); err != nil {
		return err
	}
	s.asked, s.pid = m.ID, m.PID
	err := process.Signal(m.PID, m.PIDStart, unix.SIGTERM)
	s.deaf = err != nil
	if errors.Is(err, os.ErrProcessDone) || errors.Is(err, unix.EPERM) {
		return nil // it is on its way out, or looks by itself
	}
	return err
}

// explain says what is being waited for.
func (s *stopping) explain() {
	switch active, err := s.db.Active(s.ws.ctx); {
	case s.asked == "":
		s.ui.notef("the manager is starting, and has not said yet who it is; waiting until it does")
	case s.how == db.StopLeave && s.deaf:
		s.ui.notef("process %d cannot be signalled from here; a manager looks for the request once a second, one of an older version does not", s.pid)
	case s.how == db.StopLeave:
		s.ui.notef("the manager (PID %d) has not answered yet; if it was stopped with Ctrl-Z: kill -CONT %d", s.pid, s.pid)
	case err == nil && len(active) > 0:
		s.ui.notef("waiting for %s to end; Ctrl-C only ends the waiting", plural(len(active), "running task"))
	}
}
