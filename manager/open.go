package manager

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/manager/dispatch"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// open does everything that comes before the first task: it checks and takes the base
// path, opens the database, makes the services, and recovers what an earlier manager
// has left.
func (m *Manager) open(ctx context.Context) error {
	base := m.config.BasePath
	if err := checkBase(base); err != nil {
		return err
	}
	m.self.Manager = job.NewUUID()
	if m.options.OnlyJob == "" {
		var err error
		if m.lock, err = takeLock(ctx, base, m.self.Manager); err != nil {
			return err
		}
	}
	if err := m.openDB(ctx); err != nil {
		return err
	}
	if err := m.openFiles(base); err != nil {
		return err
	}
	m.upkeep = m.newUpkeep()
	m.upkeep.keepReserve()
	if err := m.introduce(ctx); err != nil {
		return err
	}
	failpoint.Hit("manager.registered")
	m.requests.attach(m.db, m.log, m.instance())
	m.recovery = m.newRecovery()
	m.holding = m.newHolding()
	attempts, err := m.recovery.pass(ctx, func() bool { return m.requests.told(ctx) })
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.dispatching = m.newDispatching(dispatch.New(m.config.MaxConcurrentRunners, m.options.OnlyJob != "", attempts))
	m.upkeep.running = m.dispatching.running.Load
	if m.lock != nil {
		m.schedules = m.newSchedules()
		m.dispatching.wakes = m.schedules.wake
	}
	m.dispatching.claims.start(context.WithoutCancel(ctx))
	return nil
}

// checkBase makes the folder, and checks that nothing in it is in the way.
func checkBase(base string) error {
	if _, err := basepath.Make(base); err != nil {
		return err
	}
	if err := db.CheckNames(base); err != nil {
		return err
	}
	if err := runner.CheckJobs(base); err != nil {
		return err
	}
	return nil
}

// takeLock makes the manager with this instance id the only one that serves the base
// path.
func takeLock(ctx context.Context, base, instance string) (*lock.File, error) {
	l, err := lock.Open(filepath.Join(base, LockName))
	if err != nil {
		return nil, err
	}
	// A manager that is killed while it starts a runner has a child that keeps the lock
	// for a moment, until it becomes the runner.
	const moment = time.Second
	if err := l.Lock(ctx, moment); err != nil {
		l.Close()
		if errors.Is(err, lock.ErrHeld) {
			return nil, ErrRunning
		}
		return nil, err
	}
	failpoint.Hit("manager.locked")
	if err := note(l, instance, ""); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// openDB opens the database, and upgrades an older one. A manager that does not serve
// the base path leaves it alone while another one does.
func (m *Manager) openDB(ctx context.Context) error {
	const readers = 2 // dispatching and recovery; the others only write, or hardly ever read
	options := db.Options{Durability: m.config.Durability, Upgrade: m.lock != nil, Beside: readers, AllowForeign: m.config.AllowForeign}
	var err error
	if m.db, err = db.Open(ctx, m.config.BasePath, options); err != nil {
		return err
	}
	done := m.db.Upgraded()
	if m.db.Outdated() {
		m.db.Close()
		if done, err = Upgrade(ctx, m.config); err != nil {
			return err
		}
		if m.db, err = db.Open(ctx, m.config.BasePath, options); err != nil {
			return err
		}
	}
	if done != nil {
		m.log.Info("database upgraded", "from", done.From, "to", done.To, "copy", done.Copy)
	}
	return nil
}

// openFiles records which files other processes see now.
func (m *Manager) openFiles(base string) error {
	var err error
	if m.prober, err = lock.NewProber(filepath.Join(base, runner.LocksName)); err != nil {
		return err
	}
	m.files = &files{db: m.db, lock: m.lock, prober: m.prober}
	return nil
}

// introduce collects what runners and other processes need to know about this manager.
func (m *Manager) introduce(ctx context.Context) error {
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
	m.self.Host, m.self.BootID = host, boot
	if m.self.Namespace, m.self.InitLock, err = placed(m.config.BasePath, m.prober); err != nil {
		return err
	}
	if err := m.db.SetHooks(ctx, m.config.Hooks); err != nil {
		return err
	}
	if m.lock == nil {
		return nil
	}
	return m.db.RegisterManager(ctx, db.Instance{
		ID: m.self.Manager, Host: host, BootID: boot, PID: os.Getpid(), PIDStart: start,
	})
}

// setup returns what this manager tells its runners.
func (m *Manager) setup() runner.Setup {
	s := runner.Setup{
		BasePath: m.config.BasePath, BootID: m.self.BootID, Durability: m.config.Durability,
		TaskTimeout: m.config.TaskTimeout, Grace: m.config.KillGrace,
		TasksPerRunner: m.config.TasksPerRunner, MaxLogSize: int64(m.config.MaxLogSize) << 20,
		LogLevel: m.config.LogLevel, LogFormat: m.config.LogFormat,
		AllowForeign: m.config.AllowForeign,
	}
	if m.config.Named {
		s.ConfigFile = m.config.File
	}
	return s
}

// stable returns a path of our own program exe that stays valid when an upgrade
// replaces the file.
func stable(exe string) string {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self
	}
	return exe
}
