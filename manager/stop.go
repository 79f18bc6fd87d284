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

// Ways to stop that are decided when the manager handles the request: the one that was
// stored with db.AskToStop, else the one in which it is stopping already, else
const (
	AsAsked   db.Stop = ""     // db.StopLeave
	Terminate db.Stop = "term" // Options.OnTerm
)

// NewStops makes a channel for requests to stop a manager. Its buffer holds as many
// requests as can differ from each other.
func NewStops() chan db.Stop { return make(chan db.Stop, 4) }

// Stop asks a manager to stop. It may be called from any goroutine, and again
// with a stronger way.
func (m *Manager) Stop(how db.Stop) {
	select {
	case m.stops <- how:
	default: // several requests are waiting already
	}
}

// Told reports whether there is a request to stop that was not handled yet.
func (m *Manager) Told() bool { return len(m.stops) > 0 }

// told is Told, and also checks the database for a request, at most once a
// second. It is called wherever a manager may be busy for long.
func (m *Manager) told(ctx context.Context) bool {
	if m.Told() || ctx.Err() != nil {
		return true
	}
	const often = time.Second / 2 // the loop asks once a second
	if time.Since(m.looked) < often {
		return false
	}
	m.looked = time.Now()
	if m.options.Alive != nil {
		m.options.Alive()
	}
	changes, err := m.db.Changes(ctx)
	if err != nil || changes == m.changes {
		return false
	}
	m.changes = changes
	if how := m.asked(ctx); how != "" && how != m.heeded {
		m.heeded = how
		m.Stop(how)
	}
	return m.Told()
}

// asked reads from the database how this manager was asked to stop; empty: it was not.
func (m *Manager) asked(ctx context.Context) db.Stop {
	if m.lock == nil {
		return ""
	}
	i, err := m.db.ManagerWith(ctx, m.self.Manager)
	if err != nil {
		m.log.Error("cannot read how to stop", "error", err)
	}
	if err != nil || i == nil {
		return ""
	}
	return i.Stop
}

// resolve turns a request to stop into one of the three ways.
func (m *Manager) resolve(ctx context.Context, how db.Stop) db.Stop {
	otherwise := db.StopLeave
	if how == Terminate && m.options.OnTerm != "" {
		otherwise = m.options.OnTerm
	}
	if how == AsAsked || how == Terminate {
		how = m.asked(ctx)
		m.heeded = how
	}
	if how == "" {
		how = m.stopping
	}
	if how == "" {
		how = otherwise
	}
	if how == db.StopLeave && isInit() {
		// The kernel kills what is left in the PID namespace of process 1.
		how = db.StopKill
	}
	return how
}

// stop begins to stop, or changes to another way of stopping.
func (m *Manager) stop(ctx context.Context, how db.Stop) {
	how = m.resolve(ctx, how)
	if how == m.stopping {
		m.log.Info("manager is stopping already", "how", how, "running", m.pool.busy()+m.adopted)
		return
	}
	m.log.Info("manager stops", "how", how, "running", m.pool.busy()+m.adopted)
	if m.stopping == "" && m.options.Stopping != nil {
		m.options.Stopping()
	}
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

// kill tells every runner to end its task. The runners record the results.
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

// done reports whether a stopping manager may exit. A claim that is under way gets
// a moment, so that its tasks can be handed out. Unless tasks are to be left
// alone, none may be running, except those that another manager has to settle.
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
	return ours+m.adopted-m.elsewhere == 0
}

// dismissAll releases the runners. Those without a task exit now, and are
// waited for; the others go on. A runner for which a claim is still under way gets
// no message: it may have a task already, and looks for it when this process
// has exited.
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
