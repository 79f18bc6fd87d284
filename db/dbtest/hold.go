package dbtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// timed is a store whose clock stands still until it is set.
type timed struct {
	*Store
	now time.Time
}

func (e suite) timed(t *testing.T) *timed {
	c := &timed{now: time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)}
	c.Store = Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return c.now }})
	return c
}

// later is a task that does not start before the delay is over.
func later(id string, delay time.Duration, needs ...string) job.Spec {
	return job.Spec{ID: id, Command: "true", Delay: delay, Dependencies: needs}
}

// wantLetGo lets go of what is due, and expects so many.
func (c *timed) wantLetGo(want int) {
	c.T.Helper()
	if n, err := c.LetGo(ctx, 100); n != want || err != nil {
		c.T.Errorf("let go of %d, %v, want %d", n, err, want)
	}
}

// wantDue expects that something is due at an instant; zero: nothing is.
func (c *timed) wantDue(want time.Time) {
	c.T.Helper()
	if due, err := c.Due(ctx); !due.Equal(want) || err != nil {
		c.T.Errorf("due is %s, %v, want %s", due, err, want)
	}
}

func (e suite) ATaskThatIsToRunLaterWaitsForItsTime(t *testing.T) {
	c := e.timed(t)
	begin := c.now
	c.MustEnqueue("j", later("b", time.Minute), Task("after", "b"), job.Spec{ID: "c", Command: "true", Due: begin.Add(time.Hour)})
	c.WantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 3)
	c.wantDue(begin.Add(time.Minute))
	c.wantLetGo(0)
	if done := c.Work(); len(done) > 0 {
		t.Errorf("before their time, %q ran", done)
	}
	if may, err := c.MayGoOn(ctx, "j"); !may || err != nil {
		t.Errorf("MayGoOn: %t, %v, want true: it waits for a time", may, err)
	}
	c.now = begin.Add(time.Minute - time.Microsecond)
	c.wantLetGo(0)
	c.now = begin.Add(time.Minute)
	c.wantLetGo(1)
	c.wantLetGo(0)
	if diff := cmp.Diff([]string{"b", "after"}, c.Work()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	c.WantJob("j", job.StateWorking, job.Counts{Pending: 1, Completed: 2}, 1)
	c.Sound()
	c.wantDue(begin.Add(time.Hour))
	c.now = begin.Add(2 * time.Hour)
	c.wantLetGo(1)
	c.Work()
	c.WantJob("j", job.StateCompleted, job.Counts{Completed: 3}, 0)
	c.wantDue(time.Time{})
	c.Sound()
}

func (e suite) ATimeInThePastHoldsNothing(t *testing.T) {
	c := e.timed(t)
	c.MustEnqueue("j", job.Spec{ID: "a", Command: "true", Due: c.now}, job.Spec{ID: "b", Command: "true", Due: c.now.Add(-time.Hour)})
	c.WantJob("j", job.StateWaiting, job.Counts{Pending: 2}, 0)
	c.wantDue(time.Time{})
	c.Sound()
}

// A task needs both: its time, and the tasks that it depends on.
func (e suite) ATimeDoesNotReplaceADependency(t *testing.T) {
	c := e.timed(t)
	c.MustEnqueue("j", Task("a"), later("b", time.Minute, "a"), later("x", time.Minute, "y"), Task("y"))
	c.now = c.now.Add(time.Hour)
	c.wantLetGo(2)
	c.Sound()
	if diff := cmp.Diff([]string{"a", "b", "y", "x"}, c.Work()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	c.MustEnqueue("k", Task("a"), later("b", time.Minute, "a"), Task("c", "b"))
	c.Work("a")
	c.WantJob("k", job.StateFailed, job.Counts{Pending: 2, Failed: 1}, 2)
	c.Sound()
	c.now = c.now.Add(time.Hour)
	c.wantLetGo(1)
	c.WantJob("k", job.StateFailed, job.Counts{Pending: 2, Failed: 1}, 2)
	c.Sound()
}

func (e suite) WhatIsCancelledWaitsForNoTime(t *testing.T) {
	c := e.timed(t)
	c.MustEnqueue("j", later("a", time.Minute), later("b", time.Minute, "a"), later("c", time.Hour))
	c.MustCancel("j", "b")
	c.Sound()
	c.WantJob("j", job.StateWaiting, job.Counts{Pending: 2, Failed: 1}, 2)
	c.MustCancel("j", "")
	c.Sound()
	c.WantJob("j", job.StateFailed, job.Counts{Failed: 3}, 0)
	c.wantDue(time.Time{})
	if _, err := c.Reset(ctx, "j", db.Which{Cancelled: true}); err != nil {
		t.Fatal(err)
	}
	c.Sound()
	c.WantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 1)
	c.Work()
	c.WantJob("j", job.StateCompleted, job.Counts{Completed: 3}, 0)
	c.Sound()
}

func (e suite) WhatIsRemovedWaitsForNoTime(t *testing.T) {
	c := e.timed(t)
	c.MustEnqueue("j", later("a", time.Minute), later("b", time.Minute), Task("c"))
	if _, err := c.RemoveTasks(ctx, "j", []string{"a"}); err != nil {
		t.Fatal(err)
	}
	c.Sound()
	c.MustEnqueue("k", later("a", time.Minute))
	if _, err := c.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	c.Sound()
	c.now = c.now.Add(time.Hour)
	c.wantLetGo(1)
	c.wantDue(time.Time{})
}

func (e suite) AJobFileThatIsResumedSetsItsTimesAnew(t *testing.T) {
	c := e.timed(t)
	c.runFile("j", []string{"a"}, Task("a"), later("b", time.Minute), later("gone", time.Minute), later("now", time.Hour))
	if _, err := c.resume("j", later("a", time.Hour), later("b", 2*time.Hour, "a"), Task("now"), later("new", 3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	c.Sound()
	c.WantJob("j", job.StateWaiting, job.Counts{Pending: 4}, 3)
	c.wantDue(c.now.Add(time.Hour))
	c.now = c.now.Add(4 * time.Hour)
	c.wantLetGo(3)
	c.Work()
	c.WantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	c.Sound()
}

// Many are let go in small commits, those that were due first.
func (e suite) ThingsThatAreDueAreLetGoAFewAtATime(t *testing.T) {
	c := e.timed(t)
	for i := range 10 {
		c.MustEnqueue(fmt.Sprint("j", i%3), later(fmt.Sprint("t", i), time.Duration(10-i)*time.Minute))
	}
	c.now = c.now.Add(8*time.Minute + time.Second)
	for _, want := range []int{3, 3, 2, 0} {
		if n, err := c.LetGo(ctx, 3); n != want || err != nil {
			t.Errorf("let go of %d, %v, want %d", n, err, want)
		}
		c.Sound()
	}
	if n := len(c.Work()); n != 8 {
		t.Errorf("%d ran, want 8", n)
	}
	c.Sound()
}

// A clock that is set back makes tasks wait longer, one that is set forward shorter;
// none is lost.
func (e suite) AClockThatJumpsLosesNothingThatWaits(t *testing.T) {
	c := e.timed(t)
	due := c.now.Add(time.Hour)
	c.MustEnqueue("j", later("a", time.Hour))
	c.now = c.now.Add(-3 * time.Hour)
	c.wantLetGo(0)
	c.wantDue(due)
	c.now = c.now.Add(7 * 24 * time.Hour)
	c.wantLetGo(1)
	c.wantLetGo(0)
	c.Work()
	c.WantJob("j", job.StateCompleted, job.Counts{Completed: 1}, 0)
}
