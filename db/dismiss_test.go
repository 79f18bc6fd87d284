package db_test

import (
	"errors"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (s *store) dismiss(name string, ids ...string) db.Dismissing {
	s.t.Helper()
	d, err := s.Dismiss(ctx, name, ids)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func TestADismissedFailureDoesNotCount(t *testing.T) {
	s := open(t)
	s.enqueue("nightly", task("d1"), task("d2"))
	s.work("d1")
	s.wantJob("nightly", job.StateFailed, job.Counts{Completed: 1, Failed: 1}, 0)
	if got, want := s.dismiss("nightly", "d1"), (db.Dismissing{Dismissed: 1, State: job.StateCompleted}); got != want {
		t.Errorf("dismissed: %+v, want %+v", got, want)
	}
	s.wantJob("nightly", job.StateCompleted, job.Counts{Completed: 1, Dismissed: 1}, 0)
	if got := s.task("nightly", "d1"); got.Status != job.Failed || got.Reason != job.Exited || got.DismissedAt.IsZero() {
		t.Errorf("the task is %+v, want it failed as before, and dismissed", got)
	}
	if got := s.dismiss("nightly"); got.Dismissed != 0 {
		t.Errorf("dismissed again: %+v", got)
	}

	// The job speaks of what came after.
	s.enqueue("nightly", task("d3"))
	s.work()
	s.wantJob("nightly", job.StateCompleted, job.Counts{Completed: 2, Dismissed: 1}, 0)
	s.enqueue("nightly", task("d4"))
	s.work("d4")
	s.wantJob("nightly", job.StateFailed, job.Counts{Completed: 2, Failed: 1, Dismissed: 1}, 0)
	s.sound()
}

func TestWhatDependsOnADismissedTaskStaysBlocked(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b", "a"))
	s.work("a")
	if got, want := s.dismiss("j"), (db.Dismissing{Dismissed: 1, Blocked: 1, State: job.StateWaiting}); got != want {
		t.Errorf("dismissed: %+v, want %+v", got, want)
	}
	if a := s.claimAny(unlimited); a != nil {
		t.Errorf("claimed %+v", a)
	}
	if may, err := s.MayGoOn(ctx, "j"); may || err != nil {
		t.Errorf("MayGoOn: %t, %v, want false", may, err)
	}
	if n := s.reset("j", "a"); n != 1 {
		t.Errorf("%d reset, want 1", n)
	}
	s.wantJob("j", job.StateWaiting, job.Counts{Pending: 2}, 1)
	s.work()
	s.wantJob("j", job.StateCompleted, job.Counts{Completed: 2}, 0)
	s.sound()
}

func TestResetLeavesCancelledAndDismissedTasksAlone(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("flaky"), task("seen"), task("oops"))
	s.cancel("j", "oops")
	s.work("flaky", "seen")
	s.dismiss("j", "seen")
	got, err := s.Reset(ctx, "j", db.Which{})
	if want := (db.Resetting{Reset: 1, Cancelled: 1, Dismissed: 1}); err != nil || got != want {
		t.Errorf("reset: %+v, %v, want %+v", got, err, want)
	}
	s.wantJob("j", job.StateWaiting, job.Counts{Pending: 1, Failed: 1, Dismissed: 1}, 0)
	got, err = s.Reset(ctx, "j", db.Which{Cancelled: true})
	if want := (db.Resetting{Reset: 1, Dismissed: 1}); err != nil || got != want {
		t.Errorf("reset with what was cancelled: %+v, %v, want %+v", got, err, want)
	}
	s.cancel("j", "oops")
	if n := s.reset("j", "oops", "seen", "oops"); n != 2 {
		t.Errorf("%d reset by their ids, want 2", n)
	}
	s.wantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 0)
	s.sound()
}

func TestResetOfSeveralTasksIsAllOrNothing(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("bad"), task("good"))
	s.work("bad")
	before := s.dump()
	if _, err := s.Reset(ctx, "j", db.Which{Tasks: []string{"bad", "good"}}); err == nil {
		t.Error("a completed task was reset")
	}
	if _, err := s.Dismiss(ctx, "j", []string{"bad", "absent"}); !errors.Is(err, db.ErrNoTask) {
		t.Errorf("dismiss: %v, want ErrNoTask", err)
	}
	s.unchanged(before)
}

// A runner of the version before tells by job.failed alone how a job has ended.
func TestARunnerThatKnowsNoDismissalTellsTheSameState(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b"))
	s.finish(s.claim(), failure)
	a := s.claim()
	s.dismiss("j")
	raw := s.raw("foreign_keys(1)")
	var failed int
	if err := raw.QueryRow(`SELECT failed FROM job`).Scan(&failed); err != nil || failed != 0 {
		t.Errorf("job.failed is %d, %v, want 0", failed, err)
	}
	s.finish(a, success)
	s.wantJob("j", job.StateCompleted, job.Counts{Completed: 1, Dismissed: 1}, 0)
	s.sound()
}

func TestAnInterruptedRunLeavesNothingPending(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("runs"), task("waits"), task("after", "runs"))
	s.claim()
	c, err := s.Interrupt(ctx, "j")
	if err != nil || c.Pending != 2 || len(c.Running) != 1 || !c.Running[0].Cancelled {
		t.Errorf("Interrupt: %+v, %v", c, err)
	}
	if got := s.task("j", "waits"); got.Reason != job.Cancelled || got.Error != "cancelled: the run was interrupted" {
		t.Errorf("the task is %+v", got)
	}
	s.lose("j", "runs")
	if a := s.claimAny(unlimited); a != nil {
		t.Errorf("claimed %+v", a)
	}
	s.sound()
}
