package queue

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

// OwnManager is a manager inside this process, for one job, which works as long as no
// other manager serves the base path.
type OwnManager struct {
	queue *Queue
	job   string
	open  func() (ManagerLog, error)
	m     *manager.Manager // nil: it does not work
	done  chan error

	trouble atomic.Pointer[string] // why its tasks cannot start
}

// ManagerLog is where a manager in this process writes.
type ManagerLog struct {
	Log   *slog.Logger
	File  *os.File // for its runners
	Close func()   // called when the manager has ended
}

// OwnManager is a manager for one job. It starts when Run needs it, and then log is
// called.
func (q *Queue) OwnManager(name string, log func() (ManagerLog, error)) *OwnManager {
	return &OwnManager{queue: q, job: name, open: log}
}

// Trouble returns why the tasks of this manager cannot start; empty: they can. serves
// is false if it does not work because another manager serves.
func (o *OwnManager) Trouble() (text string, serves bool) {
	if o.m == nil {
		return "", false
	}
	if t := o.trouble.Load(); t != nil {
		text = *t
	}
	return text, true
}

// ensure starts the manager if no other serves, and returns its error if it failed.
func (o *OwnManager) ensure(ctx context.Context) error {
	if o.m != nil {
		select {
		case err := <-o.done:
			o.m = nil
			return err
		default:
			return nil
		}
	}
	on, err := Served(o.queue.conf)
	if err != nil || on {
		return err
	}
	return o.start(ctx)
}

func (o *OwnManager) start(ctx context.Context) error {
	log, err := o.open()
	if err != nil {
		return err
	}
	m, err := manager.New(ctx, manager.Options{
		Config: o.queue.conf, Log: log.Log, RunnerLog: log.File, OnlyJob: o.job,
		Trouble: func(text string) { o.trouble.Store(&text) },
	})
	if err != nil {
		log.Close()
		if errors.Is(err, manager.ErrRunning) {
			return nil // another process was faster
		}
		return err
	}
	o.m, o.done = m, make(chan error, 1)
	go func() {
		defer log.Close()
		// Once it works, the end of ctx must not cut its transactions short; it is told
		// to stop.
		o.done <- m.Run(context.WithoutCancel(ctx))
	}()
	return nil
}

// stop stops the manager, if there is one, waits for its end, and returns its error.
func (o *OwnManager) stop(how db.Stop) error {
	if o.m == nil {
		return nil
	}
	o.m.Stop(how)
	err := <-o.done
	o.m = nil
	return err
}
