package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

// StopOptions say how a manager is to stop. Of its functions, any may be nil.
type StopOptions struct {
	How     db.Stop
	Timeout time.Duration   // how long to wait for its end at most; 0: as long as it takes
	Asked   func(pid int)   // the manager of this process was asked
	Waiting func(StopAwait) // once, after two seconds
}

// StopAwait is what a stop waits for.
type StopAwait struct {
	PID     int  // of the manager that was asked; 0: it is starting, and has not said yet who it is
	Deaf    bool // the signal has reached no process here; the request is stored all the same
	Running int  // tasks; 0 if that cannot be told
}

// ErrNotServed is returned where a manager is to stop and none serves.
var ErrNotServed = errors.New("the manager is not running")

// NotStopped is the error of a stop whose time has run out. The request stays.
type NotStopped struct{ Timeout time.Duration }

// Error says what the manager goes on to do.
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
		return StoppedForm{}, ErrNotServed // what held its lock was about to end
	}
	active, err := q.DB.Active(ctx)
	if err != nil {
		return StoppedForm{}, err
	}
	return StoppedForm{PID: s.pid, Stopped: true, How: o.How, Running: len(active)}, nil
}

// StopUnderWay is how the manager that serves was asked to stop; empty: it was not,
// or that cannot be told.
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

// stopping asks the manager that serves to stop, and waits for its end.
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

// look reports whether the manager has ended. It asks the one that serves, as
// soon as that can be told: one that is just starting has not registered yet, or
// not even put its name in the place of the one before it.
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
			return true, err // another serves now, and was not meant
		}
	}
	m, err := s.holder(ctx, h)
	if err != nil || m == nil || !m.StoppedAt.IsZero() || m.ID == s.asked {
		return false, err
	}
	return false, s.ask(ctx, m)
}

// holder is the row of the manager that serves, nil if it has none yet. A
// manager of an older version does not say which one it is.
func (s *stopping) holder(ctx context.Context, h manager.Holder) (*db.Instance, error) {
	if h.Instance == "" {
		return s.queue.DB.Manager(ctx)
	}
	return s.queue.DB.ManagerWith(ctx, h.Instance)
}

// ask stores how the manager is to stop, and tells it to look.
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

// explain tells what is being waited for.
func (s *stopping) explain(ctx context.Context) {
	if s.options.Waiting == nil {
		return
	}
	active, _ := s.queue.DB.Active(ctx) // of an error there is nothing to tell here
	s.options.Waiting(StopAwait{PID: s.pid, Deaf: s.deaf, Running: len(active)})
}
