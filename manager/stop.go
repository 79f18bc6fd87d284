package manager

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// AsAsked is a way to stop: the one that was written down with db.AskToStop,
// else db.StopLeave.
const AsAsked db.Stop = ""

// asked reads in which way this manager was asked to stop.
func (m *Manager) asked(ctx context.Context) db.Stop {
	i, err := m.db.Manager(ctx)
	if err != nil {
		m.log.Error("cannot read how to stop", "error", err)
	}
	if err != nil || i == nil || i.ID != m.self.Manager || i.Stop == "" {
		return db.StopLeave
	}
	return i.Stop
}

// stop begins to stop, or goes over to a stronger way of it.
func (m *Manager) stop(ctx context.Context, how db.Stop) {
	if how == AsAsked {
		how = m.asked(ctx)
	}
	m.log.Info("manager stops", "how", how, "running", m.pool.busy()+m.adopted)
	m.stopping, m.stopAt = how, time.Now()
	m.claims.giveUp()
	for r, where := range m.pool {
		if where != going {
			r.Dismiss()
		}
	}
	if how == db.StopKill {
		m.kill(ctx)
	}
}

// kill asks every runner to end its task. The runners record that.
func (m *Manager) kill(ctx context.Context) {
	active, err := m.db.CancelRunning(ctx, m.onlyJob)
	if err != nil {
		m.log.Error("cannot cancel what runs", "error", err)
	}
	for _, a := range active {
		if err := Tell(a); err != nil {
			m.log.Error("cannot tell a runner to end its task", "job", a.Job, "task", a.Task, "error", err)
		}
	}
}

// Tell asks the runner of an attempt, which was cancelled in the database, to end
// its task now; it looks there every second by itself. Tell does nothing if that
// runner is gone, or in another PID namespace.
func Tell(a db.Active) error {
	failpoint.Hit("tell.before_signal")
	err := process.Signal(a.Runner.PID, a.Runner.PIDStart, unix.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// done reports whether a stopping manager may end. A claim that is under way is
// given a moment, so that its tasks can be handed out; and unless tasks are to be
// left alone, none may run.
func (m *Manager) done() bool {
	const moment = 2 * time.Second
	switch {
	case m.stopping == "":
		return false
	case m.stopping == db.StopLeave:
		return m.pool.count(going) == 0 || time.Since(m.stopAt) > moment
	}
	ours := m.pool.count(going) + m.pool.busy()
	if m.onlyJob != "" {
		return ours == 0 // what runs beside that is not ours to wait for
	}
	return ours+m.adopted == 0
}

// dismissAll lets go of the runners. Those without a task end now, and are
// waited for; the others go on. A runner for which a claim is still under way is
// told nothing: it may have a task already, and looks for it when this process
// has ended.
func (m *Manager) dismissAll() {
	m.claims.giveUp()
	for r, where := range m.pool {
		if where != going {
			r.Dismiss()
		}
	}
	patience := time.After(2 * time.Second)
	for len(m.pool) > m.pool.busy()+m.pool.count(going) {
		select {
		case e := <-m.events:
			if e.what == runner.Exited {
				delete(m.pool, e.runner)
			}
		case <-patience:
			return
		}
	}
}
