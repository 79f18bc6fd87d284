package runner

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/runner/process"
)

// steering does for one attempt what people ask of it in the database.
type steering struct {
	*worker
	a       *db.Assignment
	control *process.Control
	frozen  bool // its processes are stopped
	owes    bool // the database does not say so yet
}

// cancelled reports whether the end of the attempt was requested, and does what else
// was. It reads the row only if the database has changed since it was at state seen.
func (s *steering) cancelled(seen *int64, over <-chan struct{}) bool {
	ctx := context.Background()
	now, err := s.db.Changes(ctx)
	if err != nil || now == *seen && !s.owes {
		return false // an error will be met again, and said, when the result is recorded
	}
	asked, err := s.db.Asked(ctx, s.a)
	if err != nil {
		return false
	}
	*seen = now
	if asked.Cancelled {
		return true
	}
	if asked.Freezes != s.frozen {
		s.freeze(asked.Freezes, over)
	}
	if s.owes {
		s.owes = s.db.SetFrozen(ctx, s.a, s.frozen) != nil
	}
	if asked.Signals != "" {
		if !s.signal(ctx, asked, over) {
			*seen = -1 // again at the next look
		}
	}
	return false
}

// freeze stops the processes of the attempt, or has them go on.
func (s *steering) freeze(on bool, over <-chan struct{}) {
	s.control.Freeze(on, over)
	s.frozen, s.owes = on, true
	what := "task goes on"
	if on {
		what = "task frozen"
	}
	s.log.Info(what, "job", s.a.Job, "task", s.a.Task, "attempt", s.a.Attempt)
}

// signal sends the signals to the process group of the command. They are taken first:
// so none is sent twice. It returns false if they could not be, or others came meanwhile.
func (s *steering) signal(ctx context.Context, asked db.Asked, over <-chan struct{}) bool {
	taken, err := s.db.TakeSignals(ctx, s.a, asked.Signals)
	if err != nil || !taken {
		return false
	}
	for _, name := range asked.SignalNames() {
		if sig := unix.SignalNum(name); sig != 0 {
			s.control.Signal(sig, over)
			s.log.Info("signal sent", "job", s.a.Job, "task", s.a.Task, "attempt", s.a.Attempt, "signal", name)
		}
	}
	return true
}
