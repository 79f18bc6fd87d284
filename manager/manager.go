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
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
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
	config    *config.Config
	log       *slog.Logger
	db        *db.DB
	lock      *lock.File // nil with OnlyJob
	prober    *lock.Prober
	setup     runner.Setup
	self      db.Runner // what the attempts of its runners have in common
	onlyJob   string
	exe       string
	stderr    *os.File
	dbFile    os.FileInfo
	pool      pool
	claims    claims
	missed    bool              // there was something to do while a claim was under way
	wanting   int               // ready tasks for which there was no idle runner
	adopted   int               // attempts under way whose runners are not of this manager
	stuck     map[string]string // lost attempts that cannot be ended, by their tokens, and why
	unseen    map[string]bool   // those of which this process does not see what their runners have left, by their tokens
	elsewhere int               // how many of adopted are such
	waiting   int               // attempts that wait for other tasks, when last counted
	events    chan event
	woken     <-chan struct{}
	stops     chan db.Stop
	options   Options
	heeded    db.Stop   // newest request in the database that was acted on
	changes   int64     // of the database, when last looked at for a request
	looked    time.Time // when that was
	trouble   [troubles]string
	shown     string           // what of the trouble others can read
	unlinked  bool             // the program was moved away, which was said
	failures  int              // runners that failed, one after the other, before they had a task
	fruitless int              // claims that found nothing, one after the other
	quiet     <-chan time.Time // not nil: no runner is sent until it fires
	stopping  db.Stop          // empty: it serves
	stopAt    time.Time        // when it was asked to stop
}

// event is something that happened to a runner.
type event struct {
	runner *runner.Process
	what   runner.Event
}

// New prepares a manager: it takes the lock (or returns ErrRunning), opens the
// database, and recovers what an earlier manager has left behind. When it returns,
// the manager serves, unless Told says that it was told to stop meanwhile. If
// ctx ends, New returns its error.
func New(ctx context.Context, o Options) (*Manager, error) {
	m := &Manager{
		config: o.Config, log: o.Log, stderr: o.RunnerLog, options: o,
		pool: pool{}, stuck: map[string]string{}, unseen: map[string]bool{}, events: make(chan event, 64), stops: o.Stops,
	}
	if m.stops == nil {
		m.stops = NewStops()
	}
	if err := m.open(ctx, o.OnlyJob); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *Manager) open(ctx context.Context, only string) error {
	base := m.config.BasePath
	if _, err := basepath.Make(base); err != nil {
		return err
	}
	if err := db.CheckNames(base); err != nil {
		return err
	}
	if err := runner.CheckJobs(base); err != nil {
		return err
	}
	if only == "" {
		if err := m.takeLock(base); err != nil {
			return err
		}
	}
	err := m.openDB(ctx)
	if err != nil {
		return err
	}
	if m.dbFile, err = os.Stat(m.db.Path()); err != nil {
		return err
	}
	m.keepReserve()
	if m.prober, err = lock.NewProber(filepath.Join(base, runner.LocksName)); err != nil {
		return err
	}
	if err := m.introduce(ctx, only); err != nil {
		return err
	}
	failpoint.Hit("manager.registered")
	if err := m.recover(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.openClaims(context.WithoutCancel(ctx))
}

// takeLock makes this the only serving manager of the base path.
func (m *Manager) takeLock(base string) error {
	l, err := lock.Open(filepath.Join(base, LockName))
	if err != nil {
		return err
	}
	// A manager that was killed while it started a runner has a child that keeps
	// the lock for the moment until it becomes the runner.
	const moment = time.Second
	if err := l.Lock(moment); err != nil {
		l.Close()
		if errors.Is(err, lock.ErrHeld) {
			return ErrRunning
		}
		return err
	}
	m.lock = l
	m.self.Manager = job.NewUUID()
	failpoint.Hit("manager.locked")
	return m.note("")
}

// introduce collects what runners and other processes need to know about this manager.
func (m *Manager) introduce(ctx context.Context, only string) error {
	boot, err := process.BootID()
	if err != nil {
		return err
	}
	start, err := process.StartTime(os.Getpid())
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	if m.exe, err = os.Executable(); err != nil {
		return err
	}
	if err := runner.LinkProgram(m.config.BasePath, m.exe); err != nil {
		m.log.Warn("the program is not linked", "error", err)
	}
	m.exe = stable(m.exe)
	m.onlyJob = only
	if only != "" {
		m.self.Manager = job.NewUUID()
	}
	m.self.Host, m.self.BootID = host, boot
	if err := m.placed(); err != nil {
		return err
	}
	m.setup = runner.Setup{
		BasePath: m.config.BasePath, BootID: boot, Durability: m.config.Durability,
		TaskTimeout: m.config.TaskTimeout, Grace: m.config.KillGrace,
		TasksPerRunner: m.config.TasksPerRunner, MaxLogSize: int64(m.config.MaxLogSize) << 20,
		LogLevel: m.config.LogLevel, LogFormat: m.config.LogFormat,
		AllowForeign: m.config.AllowForeign,
	}
	if m.config.Named {
		m.setup.ConfigFile = m.config.File
	}
	if only != "" {
		return nil
	}
	return m.db.RegisterManager(ctx, db.Instance{
		ID: m.self.Manager, Host: host, BootID: boot, PID: os.Getpid(), PIDStart: start,
	})
}

// stable is a name for the program exe, which is ours, that holds even after an
// upgrade has replaced the file.
func stable(exe string) string {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self
	}
	return exe
}

func (m *Manager) close() {
	m.claims.close()
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

// Run serves until Stop is called, and then releases everything.
func (m *Manager) Run(ctx context.Context) error {
	defer m.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m.listen(ctx)
	m.log.Info("manager serves", "pid", os.Getpid(), "base_path", m.config.BasePath, "instance", m.self.Manager)
	var files *mirror
	if m.lock != nil && m.config.MirrorJSON {
		files = startMirror(ctx, m.config, m.log)
	}
	err := m.loop(ctx)
	m.dismissAll()
	if m.lock != nil {
		if e := m.db.ManagerStopped(context.WithoutCancel(ctx), m.self.Manager); e != nil {
			m.log.Warn("the stop is not written down", "error", e)
		}
	}
	files.close(ctx, err == nil)
	m.log.Info("manager ends", "running", m.pool.busy()+m.adopted)
	return err
}

// listen lets other processes wake the manager. If several managers listen, each
// wake-up reaches only one of them, so the manager of a single job does not listen
// while another one serves. It is told when the tasks of its job end, and polls every second.
func (m *Manager) listen(ctx context.Context) {
	if m.onlyJob != "" {
		return
	}
	var err error
	if m.woken, err = m.db.Listen(ctx); err != nil {
		m.log.Warn("new work is noticed by polling only", "error", err)
	}
}

// loop waits for the next event, and handles it.
func (m *Manager) loop(ctx context.Context) error {
	poll := time.NewTicker(m.config.PollInterval)
	defer poll.Stop()
	watch := time.NewTicker(time.Second)
	defer watch.Stop()
	if m.told(ctx) { // while it started
		m.stop(ctx, <-m.stops)
	}
	m.dispatch(ctx, 0)
	for !m.done() {
		select {
		case e := <-m.events:
			m.handle(ctx, e)
		case c := <-m.claims.done:
			m.assign(ctx, c)
		case _, open := <-m.woken:
			if !open {
				m.log.Warn("new work is noticed by polling only", "error", "the pipe cannot be read")
				m.woken = nil // a closed channel would be ready all the time
			}
			m.dispatch(ctx, 0)
		case <-poll.C:
			if err := m.replaced(); err != nil {
				return err
			}
			m.keepReserve()
			m.keepLink()
			m.look(ctx)
			m.tidy(ctx)
		case <-watch.C:
			m.told(ctx) // what it finds comes in m.stops
			m.reap()
			m.endWaiting(ctx)
			// Only attempts under way can be lost, so only they need a check,
			// unless nobody wakes this manager.
			if m.pool.busy()+m.adopted > 0 || m.stopping != "" || m.onlyJob != "" {
				m.look(ctx)
			}
			if m.stopping == db.StopKill {
				m.kill(ctx) // a claim that was under way may have brought tasks since
			}
		case <-m.quiet:
			m.quiet = nil
			m.dispatch(ctx, 0)
		case how := <-m.stops:
			m.stop(ctx, how)
		}
	}
	return nil
}

// look finds out what has happened without a message: runners that died, attempts
// of earlier managers that ended, work that nobody announced.
func (m *Manager) look(ctx context.Context) {
	if err := m.recover(ctx); err != nil {
		m.log.Error("cannot look for lost attempts", "error", err)
		return
	}
	m.dispatch(ctx, 0)
}

// keepReserve reserves disk space, so that results can be recorded on a full disk.
func (m *Manager) keepReserve() {
	m.report(noRoom, "no room is left to keep for results", m.db.KeepReserve())
}

// replaced returns an error if the files that this manager relies on are no
// longer the ones that others see.
func (m *Manager) replaced() error {
	now, err := os.Stat(m.db.Path())
	switch {
	case err != nil:
		return fmt.Errorf("the database has gone: %w", err)
	case !os.SameFile(now, m.dbFile):
		return fmt.Errorf("the database %s has been replaced by another file", m.db.Path())
	case m.lock != nil && m.lock.Replaced():
		return fmt.Errorf("the lock file %s has been removed", LockName)
	case m.prober.Replaced():
		return fmt.Errorf("the lock file %s has been removed", runner.LocksName)
	}
	return m.db.Whole()
}
