// Package manager is the daemon: it claims ready tasks and hands each to a runner.
//
// It sleeps until there may be something to do: work was queued, a runner has exited,
// or poll_interval is over. Then it claims ready tasks for runners that it has started
// in advance, as many as max_concurrent_runners allows (dispatch.go, claim.go). Runners
// record their results themselves, so a manager holds no state that the next one would
// miss. After a crash, the runners' kernel locks show which attempts are lost
// (recover.go).
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
	// OnlyJob restricts the manager to one job. Such a manager takes no lock: any
	// number of them may run at the same time, with or without a serving manager.
	OnlyJob string
	// OnTerm is the way to stop that [Terminate] stands for; empty: StopLeave.
	OnTerm db.Stop
	// Stops receives requests to stop, which may come before New is called; nil: only
	// Stop is used.
	Stops chan db.Stop
	// Stopping, if not nil, is called when the manager begins to stop.
	Stopping func()
	// Alive, if not nil, is called about once a second unless the manager hangs.
	Alive func()
	// Trouble, if not nil, is called with the reason why tasks cannot start, whenever
	// that changes; empty: they can start again.
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
	self     db.Runner // what the rows of its runners' attempts have in common
	exe      string
	trouble  *troubles
	requests *requests

	dispatching *dispatching
	recovery    *recovery
	holding     *holding
	upkeep      *upkeep
	schedules   *schedules // nil with OnlyJob
}

// New prepares a manager: it takes the lock (or returns ErrRunning), opens the
// database, and recovers what an earlier manager has left behind. When it returns, the
// manager serves, unless Told reports a request to stop. If ctx ends, New returns its
// error.
func New(ctx context.Context, o Options) (*Manager, error) {
	m := &Manager{config: o.Config, options: o, log: o.Log, requests: newRequests(o.Stops, o.Alive)}
	m.trouble = &troubles{log: o.Log, publish: m.publish}
	if err := m.open(ctx); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// services returns the services of this manager, in the order in which they are
// stopped: the mirror last, so that it writes what the others have recorded. A new one
// is added here.
func (m *Manager) services(ctx context.Context) []service {
	list := []service{m.dispatching, m.recovery, m.holding, m.upkeep}
	if m.schedules != nil {
		list = append(list, m.schedules)
	}
	if m.lock != nil {
		list = append(list, m.newAging(), m.newFolding(), m.newTidying())
	}
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

// Stop asks the manager to stop. It may be called from any goroutine, and again with a
// stronger way to stop.
func (m *Manager) Stop(how db.Stop) { m.requests.add(how) }

// Told reports whether there is a request to stop that was not handled yet.
func (m *Manager) Told() bool { return m.requests.waiting() }

// instance returns the id under which requests to stop this manager are stored; empty:
// they are not stored.
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
