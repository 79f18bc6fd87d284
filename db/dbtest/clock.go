package dbtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// T17: a clock that is set back by a day, or forward by a year, between any two
// steps changes no order, and makes nothing ready, lost or doubtful.
func (e suite) AClockThatJumpsChangesNothing(t *testing.T) {
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	for _, jump := range []time.Duration{-day, year, -20 * year} {
		t.Run(jump.String(), func(t *testing.T) {
			now := time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC) // just before a change to summer time
			s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
			leap := func() { now = now.Add(jump); jump = -jump - time.Second }
			for i := range 6 {
				s.MustEnqueue("j", Task(fmt.Sprint("t", i)))
				leap()
			}
			runs := s.MustClaim()
			leap()
			if n := s.ClaimAny(Unlimited); n != nil {
				t.Errorf("beside task %s, %s was claimed", runs.Task, n.Task)
			}
			s.MustFinish(runs, Failure)
			leap()
			s.MustReset("j", "t0")
			leap()
			if diff := cmp.Diff([]string{"t0", "t1", "t2", "t3", "t4", "t5"}, s.Work()); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			s.WantJob("j", job.StateCompleted, job.Counts{Completed: 6}, 0)
			s.Sound()
		})
	}
}

// T17: after a manager was killed and the clock set back, its successor could
// not be stopped: stop asked the one that was killed.
func (e suite) TheManagerThatRegisteredLastIsTheLastWhateverTheClockSays(t *testing.T) {
	now := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	for i, jump := range []time.Duration{0, -24 * time.Hour, 365 * 24 * time.Hour, -time.Hour} {
		now = now.Add(jump)
		id := fmt.Sprint("manager ", 9-i)
		if err := s.RegisterManager(ctx, db.Instance{ID: id}); err != nil {
			t.Fatal(err)
		}
		if m, err := s.Manager(ctx); err != nil || m.ID != id {
			t.Errorf("the last one is %+v, %v, not %s", m, err, id)
		}
	}
}

// T17: the history of a task is in the order in which it happened.
func (e suite) AClockThatJumpsDoesNotMixUpTheHistory(t *testing.T) {
	now := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	s.MustEnqueue("j", Task("a"))
	for range 3 {
		s.MustFinish(s.MustClaim(), Failure)
		s.MustReset("j", "a")
		now = now.Add(-24 * time.Hour)
	}
	attempts, err := s.Attempts(ctx, "j", "a")
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range attempts {
		if a.Number != i+1 {
			t.Errorf("at place %d is attempt %d", i+1, a.Number)
		}
	}
}

// T17: an attempt is over for its manager when its runner says so, not when
// the clock does.
func (e suite) AClockThatJumpsEndsNoAttempt(t *testing.T) {
	now := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	s.MustEnqueue("j", job.Spec{ID: "a", Command: "true", Timeout: time.Minute})
	a := s.MustClaim()
	for _, jump := range []time.Duration{-24 * time.Hour, 365 * 24 * time.Hour} {
		now = now.Add(jump)
		if got := s.Running(); len(got) != 1 || got[0].Token != a.Token {
			t.Errorf("after %s, %+v are under way", jump, got)
		}
	}
	if a.Timeout != time.Minute {
		t.Errorf("the time limit is %s", a.Timeout)
	}
	s.MustFinish(a, Success)
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 1}, 0)
	s.Sound()
}
