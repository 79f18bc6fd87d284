package dbtest

import (
	"errors"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (s *Store) dismiss(name string, ids ...string) db.Dismissing {
	s.T.Helper()
	d, err := s.Dismiss(ctx, name, ids)
	if err != nil {
		s.T.Fatal(err)
	}
	return d
}

func (e suite) ADismissedFailureDoesNotCount(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("nightly", Task("d1"), Task("d2"))
	s.Work("d1")
	s.WantJob("nightly", job.StateFailed, job.Counts{Completed: 1, Failed: 1}, 0)
	if got, want := s.dismiss("nightly", "d1"), (db.Dismissing{Dismissed: 1, State: job.StateCompleted}); got != want {
		t.Errorf("dismissed: %+v, want %+v", got, want)
	}
	s.WantJob("nightly", job.StateCompleted, job.Counts{Completed: 1, Dismissed: 1}, 0)
	if got := s.MustTask("nightly", "d1"); got.Status != job.Failed || got.Reason != job.Exited || got.DismissedAt.IsZero() {
		t.Errorf("the task is %+v, want it failed as before, and dismissed", got)
	}
	if got := s.dismiss("nightly"); got.Dismissed != 0 {
		t.Errorf("dismissed again: %+v", got)
	}

	// The job speaks of what came after.
	s.MustEnqueue("nightly", Task("d3"))
	s.Work()
	s.WantJob("nightly", job.StateCompleted, job.Counts{Completed: 2, Dismissed: 1}, 0)
	s.MustEnqueue("nightly", Task("d4"))
	s.Work("d4")
	s.WantJob("nightly", job.StateFailed, job.Counts{Completed: 2, Failed: 1, Dismissed: 1}, 0)
	s.Sound()
}

func (e suite) WhatDependsOnADismissedTaskStaysBlocked(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"))
	s.Work("a")
	if got, want := s.dismiss("j"), (db.Dismissing{Dismissed: 1, Blocked: 1, State: job.StateWaiting}); got != want {
		t.Errorf("dismissed: %+v, want %+v", got, want)
	}
	if a := s.ClaimAny(Unlimited); a != nil {
		t.Errorf("claimed %+v", a)
	}
	if may, err := s.MayGoOn(ctx, "j"); may || err != nil {
		t.Errorf("MayGoOn: %t, %v, want false", may, err)
	}
	if n := s.MustReset("j", "a"); n != 1 {
		t.Errorf("%d reset, want 1", n)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 2}, 1)
	s.Work()
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 2}, 0)
	s.Sound()
}

func (e suite) ResetLeavesCancelledAndDismissedTasksAlone(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("flaky"), Task("seen"), Task("oops"))
	s.MustCancel("j", "oops")
	s.Work("flaky", "seen")
	s.dismiss("j", "seen")
	got, err := s.Reset(ctx, "j", db.Which{})
	if want := (db.Resetting{Reset: 1, Cancelled: 1, Dismissed: 1}); err != nil || got != want {
		t.Errorf("reset: %+v, %v, want %+v", got, err, want)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 1, Failed: 1, Dismissed: 1}, 0)
	got, err = s.Reset(ctx, "j", db.Which{Cancelled: true})
	if want := (db.Resetting{Reset: 1, Dismissed: 1}); err != nil || got != want {
		t.Errorf("reset with what was cancelled: %+v, %v, want %+v", got, err, want)
	}
	s.MustCancel("j", "oops")
	if n := s.MustReset("j", "oops", "seen", "oops"); n != 2 {
		t.Errorf("%d reset by their ids, want 2", n)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 0)
	s.Sound()
}

func (e suite) ResetOfSeveralTasksIsAllOrNothing(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("bad"), Task("good"))
	s.Work("bad")
	before := s.Dump()
	if _, err := s.Reset(ctx, "j", db.Which{Tasks: []string{"bad", "good"}}); err == nil {
		t.Error("a completed task was reset")
	}
	if _, err := s.Dismiss(ctx, "j", []string{"bad", "absent"}); !errors.Is(err, db.ErrNoTask) {
		t.Errorf("dismiss: %v, want ErrNoTask", err)
	}
	s.Unchanged(before)
}

// A runner of the version before tells by job.failed alone how a job has ended.
func (e suite) ARunnerThatKnowsNoDismissalTellsTheSameState(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"))
	s.MustFinish(s.MustClaim(), Failure)
	a := s.MustClaim()
	s.dismiss("j")
	raw := s.sql()
	var failed int
	if err := raw.QueryRow(`SELECT failed FROM job`).Scan(&failed); err != nil || failed != 0 {
		t.Errorf("job.failed is %d, %v, want 0", failed, err)
	}
	s.MustFinish(a, Success)
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 1, Dismissed: 1}, 0)
	s.Sound()
}

func (e suite) AnInterruptedRunLeavesNothingPending(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("runs"), Task("waits"), Task("after", "runs"))
	s.MustClaim()
	c, err := s.Interrupt(ctx, "j")
	if err != nil || c.Pending != 2 || len(c.Running) != 1 || !c.Running[0].Cancelled {
		t.Errorf("Interrupt: %+v, %v", c, err)
	}
	if got := s.MustTask("j", "waits"); got.Reason != job.Cancelled || got.Error != "cancelled: the run was interrupted" {
		t.Errorf("the task is %+v", got)
	}
	s.MustLose("j", "runs")
	if a := s.ClaimAny(Unlimited); a != nil {
		t.Errorf("claimed %+v", a)
	}
	s.Sound()
}
