package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

// StopOptions say how a manager is to stop. Any of the functions may be nil.
type StopOptions struct {
	How     db.Stop
	Timeout time.Duration   // maximum time to wait for its end; 0: unlimited
	Asked   func(pid int)   // the manager of this process was asked
	Waiting func(StopAwait) // once, after two seconds
}

// StopAwait says what a stop is waiting for.
type StopAwait struct {
	PID     int  // of the manager that was asked; 0: it is starting and has not registered yet
	Deaf    bool // the signal has reached no process here; the request is stored anyway
	Running int  // running tasks; 0 if unknown
}

// ErrNotServed is returned if no manager serves.
var ErrNotServed = errors.New("the manager is not running")

// NotStopped is the error of a stop that has timed out. The request stays.
type NotStopped struct{ Timeout time.Duration }

// Error says what the manager will do.
func (e *NotStopped) Error() string {
	return fmt.Sprintf("the manager has not stopped within %s; it starts nothing new and stops as soon as it can", e.Timeout)
}

// Stop asks the manager of the base path to stop, and returns when it has released
// the base path. The request is stored first: if ctx ends meanwhile, the manager
// still stops. Errors: ErrNotServed, *NotStopped.
func (q *Queue) Stop(ctx context.Context, o StopOptions) (StoppedForm, error) {
	on, err := Served(q.conf)
	if err != nil {
		return StoppedForm{}, err
	}
	if !on {
		return StoppedForm{}, ErrNotServed
	}
	s := &stopping{queue: q, options: o}
	if err := s.await(ctx); err != nil {
		return StoppedForm{}, err
	}
	if s.asked == "" {
		return StoppedForm{}, ErrNotServed // the process that held its lock was about to exit
	}
	active, err := q.DB.Active(ctx)
	if err != nil {
		return StoppedForm{}, err
	}
	return StoppedForm{PID: s.pid, Stopped: true, How: o.How, Running: len(active)}, nil
}

// StopUnderWay returns how the serving manager was asked to stop; empty: it was not
// asked to, or that is unknown.
func (q *Queue) StopUnderWay(ctx context.Context) db.Stop {
	h, on, err := manager.Serving(q.conf.BasePath)
	if err != nil || !on || h.Instance == "" {
		return ""
	}
	i, err := q.DB.ManagerWith(ctx, h.Instance)
	if err != nil || i == nil {
		return ""
	}
	return i.Stop
}

// stopping asks the serving manager to stop, and waits for its end.
type stopping struct {
	queue   *Queue
	options StopOptions

	asked string // instance that was asked; empty: none yet
	pid   int
	deaf  bool // the signal reached no process here
}

// await waits until the manager has released its lock.
func (s *stopping) await(ctx context.Context) error {
	var late <-chan time.Time
	if s.options.Timeout > 0 {
		late = time.After(s.options.Timeout)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	words := time.After(2 * time.Second)
	for {
		ended, err := s.look(ctx)
		if err != nil || ended {
			return err
		}
		select {
		case <-tick.C:
		case <-words:
			s.explain(ctx)
		case <-late:
			return &NotStopped{s.options.Timeout}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look reports whether the manager has exited. It asks the serving manager to stop as
// soon as that is known: a manager that is starting may not have registered yet, or the
// lock file may still have the name of the previous one.
func (s *stopping) look(ctx context.Context) (ended bool, err error) {
	h, on, err := manager.Serving(s.queue.conf.BasePath)
	if err != nil || !on {
		return err == nil, err
	}
	if s.asked != "" && h.Instance == s.asked {
		return false, nil
	}
	if s.asked != "" {
		old, err := s.queue.DB.ManagerWith(ctx, s.asked)
		if err != nil || old != nil && !old.StoppedAt.IsZero() {
			return true, err // another one serves now, which was not meant
		}
	}
	m, err := s.holder(ctx, h)
	if err != nil || m == nil || !m.StoppedAt.IsZero() || m.ID == s.asked {
		return false, err
	}
	return false, s.ask(ctx, m)
}

// holder returns the row of the serving manager, nil if it has none yet. A manager of
// an older version does not publish its id.
func (s *stopping) holder(ctx context.Context, h manager.Holder) (*db.Instance, error) {
	if h.Instance == "" {
		return s.queue.DB.Manager(ctx)
	}
	return s.queue.DB.ManagerWith(ctx, h.Instance)
}

// ask stores how the manager is to stop, and signals it to check.
func (s *stopping) ask(ctx context.Context, m *db.Instance) error {
	if s.asked == "" && s.options.Asked != nil {
		s.options.Asked(m.PID)
	}
	if err := s.queue.DB.AskToStop(ctx, m.ID, s.options.How); err != nil {
		return err
	}
	s.asked, s.pid = m.ID, m.PID
	heard, err := manager.TellToStop(*m)
	s.deaf = !heard
	return err
}

// explain reports what is being waited for.
func (s *stopping) explain(ctx context.Context) {
	if s.options.Waiting == nil {
		return
	}
	active, _ := s.queue.DB.Active(ctx) // an error does not matter here
	s.options.Waiting(StopAwait{PID: s.pid, Deaf: s.deaf, Running: len(active)})
}
