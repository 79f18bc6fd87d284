package manager

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// schedules is the service that fires schedules. It sleeps until the first of them is due,
// and looks again at every poll: a clock that was set, or a machine that was suspended,
// does not tell. Whether a time has fired is in the database, and nowhere else.
type schedules struct {
	db      *db.DB
	log     *slog.Logger
	poll    time.Duration
	boot    string   // this start of the machine; empty: not known
	retries job.Spec // of tasks that say none
	now     func() time.Time
	changed chan struct{} // something was stored, perhaps a schedule
	folder  *scheduleFolder
	failing bool // it could not look; said already
}

func (m *Manager) newSchedules() *schedules {
	return &schedules{
		db: m.db, log: m.log, poll: m.config.PollInterval, boot: ThisBoot(), retries: Retries(m.config), now: time.Now,
		changed: make(chan struct{}, 1),
		folder:  &scheduleFolder{db: m.db, log: m.log, path: m.config.SchedulesDir, boot: ThisBoot(), now: time.Now},
	}
}

// wake makes the service look before its time. It never waits.
func (s *schedules) wake() {
	select {
	case s.changed <- struct{}{}:
	default: // it will look
	}
}

// Run fires what is due until ctx ends.
func (s *schedules) Run(ctx context.Context) error {
	s.folder.read(ctx)
	s.started(ctx)
	poll := time.NewTicker(s.poll)
	defer poll.Stop()
	due := newAlarm()
	defer due.Stop()
	for {
		next := s.pass(ctx)
		due.set(next)
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
			s.folder.read(ctx)
		case <-due.C:
		case <-s.changed:
		}
		due.at = time.Time{} // a clock may have been set: the timer is set anew
	}
}

// pass fires all that is due, and returns when the next one will be; zero: at no known
// time.
func (s *schedules) pass(ctx context.Context) time.Time {
	const atOnce = 1000 // then others have their turn
	for range atOnce {
		next, err := s.db.NextSchedules(ctx, 1)
		if err == nil && len(next) == 0 {
			s.report(nil)
			return time.Time{}
		}
		if err == nil && next[0].NextAt.After(s.now()) {
			s.report(nil)
			return next[0].NextAt
		}
		if err == nil {
			err = s.fire(ctx, next[0].Name)
		}
		if ctx.Err() != nil {
			return time.Time{}
		}
		if err != nil {
			s.report(err)
			return time.Time{} // the poll tries again
		}
	}
	return s.now()
}

// report logs what keeps schedules from firing, once, and its end.
func (s *schedules) report(err error) {
	switch {
	case err != nil && !s.failing:
		s.log.Error("schedules do not fire", "error", err)
	case err == nil && s.failing:
		s.log.Info("schedules fire again")
	}
	s.failing = err != nil
}

// fire fires a schedule if it is due.
func (s *schedules) fire(ctx context.Context, name string) error {
	one, err := s.db.Schedule(ctx, name)
	if errors.Is(err, db.ErrNoSchedule) {
		return nil
	}
	if err != nil {
		return err
	}
	now := s.now()
	if one.NextAt.IsZero() || one.NextAt.After(now) || !one.PausedAt.IsZero() {
		return nil // it was changed meanwhile
	}
	return s.carryOut(ctx, decided(one, now))
}

// carryOut fires, and logs what became of it.
func (s *schedules) carryOut(ctx context.Context, f db.Firing) error {
	f.Batch.Defaults = s.retries
	out, err := carryOut(ctx, s.db, f)
	if errors.Is(err, db.ErrNotDue) {
		return nil
	}
	if err != nil {
		return err
	}
	log := s.log.With("schedule", f.Schedule.Name)
	if !f.Lost.IsZero() {
		log.Warn("times of a schedule were missed, and do not fire", "last", f.Lost)
	}
	switch {
	case f.At.IsZero() && f.Error == "":
	case out.Skipped != "":
		log.Warn("a schedule does not fire, as its last run has not ended", "at", f.At)
	case out.Job == "":
		log.Error("a schedule cannot fire; air-executor schedule show has the error", "at", f.At)
	default:
		log.Info("schedule fired", "at", f.At, "job", out.Job, "task", out.Task, "stored", out.Stored)
	}
	return nil
}

// started fires what is to fire when the machine has started, unless it has since.
func (s *schedules) started(ctx context.Context) {
	all, err := s.db.Schedules(ctx)
	for _, one := range all {
		times, e := TimesOf(one)
		if err != nil || e != nil || !times.Line.Reboot || !one.PausedAt.IsZero() || one.Boot == s.boot {
			continue
		}
		if one, err = s.db.Schedule(ctx, one.Name); err != nil {
			break
		}
		f := db.Firing{Schedule: one, At: s.now().Truncate(time.Second), Boot: s.boot}
		if e := setBatch(&f); e != nil {
			f.Error = e.Error()
		}
		err = s.carryOut(ctx, f)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("what is to fire when the machine has started does not", "error", err)
	}
}
