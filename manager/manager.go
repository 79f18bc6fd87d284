// Package manager is the daemon: it claims ready tasks and hands each to a runner.
//
// It sleeps until there may be something to do: work was queued, a runner has
// ended, or poll_interval is over. Then it claims ready tasks for runners that it
// has started ahead of need, as many as max_concurrent_runners allows
// (dispatch.go, claim.go). Runners record their results themselves, so a manager
// holds no state that the next one would miss. What a crash has left behind is found
// by the runners' kernel locks (recover.go).
package manager

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/lock"
)

// LockName is the file in the base path that a serving manager holds locked.
const LockName = "manager.lock"

// ErrRunning is returned when another manager serves the base path.
var ErrRunning = errors.New("a manager is already running")

// Options configures a Manager.
type Options struct {
	Config    *config.Config
	Log       *slog.Logger
	RunnerLog *os.File // where runners write their log
	// OnlyJob restricts the manager to one job. Such a manager takes no lock:
	// any number may work beside each other and beside a serving one.
	OnlyJob string
	// OnTerm is what [Terminate] means; empty: StopLeave.
	OnTerm db.Stop
	// Stops gets requests to stop, from before New on; nil: only Stop is used.
	Stops chan db.Stop
	// Stopping, if not nil, is called when the manager begins to stop.
	Stopping func()
	// Alive, if not nil, is called about once a second as long as the manager
	// is not stuck.
	Alive func()
	// Trouble, if not nil, is called with what keeps tasks from starting
	// whenever that changes; empty: nothing does any more.
	Trouble func(text string)
}

// Manager serves a base path. Create it with New and start it with Run.
type Manager struct {
	config   *config.Config
	options  Options
	log      *slog.Logger
	db       *db.DB
	lock     *lock.File // nil with OnlyJob
	prober   *lock.Prober
	files    *files
	self     db.Runner // what the attempts of its runners have in common
	exe      string
	trouble  *troubles
	requests *requests

	dispatching *dispatching
	recovery    *recovery
	upkeep      *upkeep
}

// New prepares a manager: it takes the lock (or returns ErrRunning), opens the
// database, and recovers what an earlier manager has left behind. When it returns,
// the manager serves, unless Told says that it was told to stop meanwhile. If
// ctx ends, New returns its error.
func New(ctx context.Context, o Options) (*Manager, error) {
	m := &Manager{config: o.Config, options: o, log: o.Log, requests: newRequests(o.Stops, o.Alive)}
	m.trouble = &troubles{log: o.Log, publish: m.publish}
	if err := m.open(ctx); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// services are the parts of this manager, in the order in which they end: the mirror
// last, so that it writes what the others have recorded. A new one is added here.
func (m *Manager) services(ctx context.Context) []service {
	list := []service{m.dispatching, m.recovery, m.upkeep}
	if m.lock != nil && m.config.MirrorJSON {
		if files := openMirror(ctx, m.config, m.log); files != nil {
			list = append(list, files)
		}
	}
	return list
}

// Run serves until Stop is called or ctx ends, and then releases everything.
func (m *Manager) Run(ctx context.Context) error {
	defer m.close()
	m.log.Info("manager serves", "pid", os.Getpid(), "base_path", m.config.BasePath, "instance", m.self.Manager)
	err := serve(ctx, m.services(ctx))
	if m.lock != nil {
		if e := m.db.ManagerStopped(context.WithoutCancel(ctx), m.self.Manager); e != nil {
			m.log.Warn("the stop is not written down", "error", e)
		}
	}
	m.log.Info("manager ends", "running", m.dispatching.running.Load())
	return err
}

// Stop asks a manager to stop. It may be called from any goroutine, and again
// with a stronger way.
func (m *Manager) Stop(how db.Stop) { m.requests.add(how) }

// Told reports whether there is a request to stop that was not handled yet.
func (m *Manager) Told() bool { return m.requests.waiting() }

// instance is the id under which a request to stop this manager is stored; empty:
// none is.
func (m *Manager) instance() string {
	if m.lock == nil {
		return ""
	}
	return m.self.Manager
}

func (m *Manager) close() {
	if m.dispatching != nil {
		m.dispatching.claims.close()
	}
	if m.prober != nil {
		m.prober.Close()
	}
	if m.db != nil {
		m.db.Close()
	}
	if m.lock != nil {
		m.lock.Close()
	}
}
