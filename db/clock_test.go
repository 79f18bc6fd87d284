package db_test

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
func TestAClockThatJumpsChangesNothing(t *testing.T) {
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	for _, jump := range []time.Duration{-day, year, -20 * year} {
		t.Run(jump.String(), func(t *testing.T) {
			now := time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC) // just before a change to summer time
			s := openAt(t, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
			leap := func() { now = now.Add(jump); jump = -jump - time.Second }
			for i := range 6 {
				s.enqueue("j", task(fmt.Sprint("t", i)))
				leap()
			}
			runs := s.claim()
			leap()
			if n := s.claimAny(unlimited); n != nil {
				t.Errorf("beside task %s, %s was claimed", runs.Task, n.Task)
			}
			s.finish(runs, failure)
			leap()
			s.reset("j", "t0")
			leap()
			if diff := cmp.Diff([]string{"t0", "t1", "t2", "t3", "t4", "t5"}, s.work()); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			s.wantJob("j", job.StateCompleted, job.Counts{Completed: 6}, 0)
			s.sound()
		})
	}
}

// T17: an attempt is over for its manager when its runner says so, not when
// the clock does.
func TestAClockThatJumpsEndsNoAttempt(t *testing.T) {
	now := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
	s := openAt(t, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	s.enqueue("j", job.Spec{ID: "a", Command: "true", Timeout: time.Minute})
	a := s.claim()
	for _, jump := range []time.Duration{-24 * time.Hour, 365 * 24 * time.Hour} {
		now = now.Add(jump)
		if got := s.active(); len(got) != 1 || got[0].Token != a.Token {
			t.Errorf("after %s, %+v are under way", jump, got)
		}
	}
	if a.Timeout != time.Minute {
		t.Errorf("the time limit is %s", a.Timeout)
	}
	s.finish(a, success)
	s.wantJob("j", job.StateCompleted, job.Counts{Completed: 1}, 0)
	s.sound()
}
