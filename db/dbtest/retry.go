package dbtest

import (
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// retry runs ended tasks again, and fails the test unless so many are.
func (s *Store) retry(name string, want int, r db.Retry) {
	s.T.Helper()
	got, err := s.Retry(ctx, name, r)
	if err != nil || got.Reset != want {
		s.T.Fatalf("retried: %+v, %v, want %d", got, err, want)
	}
	s.Sound()
}

func (e suite) ACompletedTaskRunsAgainOnRequest(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c", "b"), Task("x"))
	s.Work()
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	named := db.Retry{Which: db.Which{Tasks: []string{"a"}}}
	if _, err := s.Retry(ctx, "j", named); err == nil {
		t.Error("a completed task was reset as if it had failed")
	}
	if _, err := s.Retry(ctx, "j", db.Retry{Which: named.Which, Downstream: true}); err == nil || !strings.Contains(err.Error(), "--completed") {
		t.Errorf("a completed task was retried without Completed: %v", err)
	}
	named.Completed = true
	s.retry("j", 1, named)
	s.WantJob("j", job.StateWaiting, job.Counts{Completed: 3, Pending: 1}, 0)
	s.Work()
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	s.Sound()

	// With all that comes after it.
	named.Downstream = true
	s.retry("j", 3, named)
	s.WantJob("j", job.StateWaiting, job.Counts{Completed: 1, Pending: 3}, 2)
	s.Work()
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	if got := s.MustTask("j", "b").Attempts; got != 2 {
		t.Errorf("b had %d attempts, want 2", got)
	}
	if got := s.MustTask("j", "x").Attempts; got != 1 {
		t.Errorf("x had %d attempts, want 1", got)
	}

	s.retry("j", 4, db.Retry{Completed: true})
	s.Work()
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	s.Sound()
}

func (e suite) WhatDependsOnARetriedTaskWaitsForIt(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c", "a", "b"))
	if a := s.ClaimAny(Unlimited); a.Task != "a" {
		t.Fatalf("claimed %s", a.Task)
	} else if _, err := s.Finish(ctx, a, Success, false); err != nil {
		t.Fatal(err)
	}
	b := s.ClaimAny(Unlimited)
	if _, err := s.Finish(ctx, b, Success, false); err != nil {
		t.Fatal(err)
	}
	// c is ready now.
	s.WantJob("j", job.StateWorking, job.Counts{Completed: 2, Pending: 1}, 0)
	s.retry("j", 1, db.Retry{Which: db.Which{Tasks: []string{"a"}}, Completed: true})
	if got := s.MustTask("j", "c"); got.Status != job.Pending {
		t.Fatalf("c is %+v", got)
	}
	if a := s.ClaimAny(Unlimited); a == nil || a.Task != "a" {
		t.Fatalf("claimed %+v, want a before c", a)
	} else if _, err := s.Finish(ctx, a, Success, false); err != nil {
		t.Fatal(err)
	}
	c := s.ClaimAny(Unlimited)
	if c == nil || c.Task != "c" {
		t.Fatalf("claimed %+v, want c", c)
	}
	if _, err := s.Retry(ctx, "j", db.Retry{Which: db.Which{Tasks: []string{"a"}}, Completed: true}); err == nil || !strings.Contains(err.Error(), "runs") {
		t.Errorf("what a running task depends on was retried: %v", err)
	}
	s.Sound()
}

func (e suite) ARetryTakesFailuresDownstream(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("other"))
	s.Work("a", "other")
	if _, err := s.Cancel(ctx, "j", "b"); err != nil {
		t.Fatal(err)
	}
	s.dismiss("j", "other")
	s.WantJob("j", job.StateFailed, job.Counts{Failed: 2, Dismissed: 1}, 0)
	// The cancelled one is taken because it comes after a; the dismissed one is not.
	got, err := s.Retry(ctx, "j", db.Retry{Downstream: true})
	if want := (db.Resetting{Reset: 2, Dismissed: 1}); err != nil || got != want {
		t.Errorf("retried: %+v, %v, want %+v", got, err, want)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 2, Dismissed: 1}, 1)
	s.Work()
	s.Sound()
}

func (e suite) SomeTasksAreCancelled(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c"), Task("d", "c"))
	a := s.ClaimAny(Unlimited)
	if _, err := s.Finish(ctx, a, Success, false); err != nil {
		t.Fatal(err)
	}
	s.ClaimAny(Unlimited)
	if _, err := s.CancelTasks(ctx, "j", []string{"c", "nobody"}); err == nil {
		t.Error("a task that is not there was cancelled")
	}
	got, err := s.CancelTasks(ctx, "j", []string{"a", "b", "d", "d"})
	if err != nil || got.Pending != 1 || len(got.Running) != 1 || got.Running[0].Task != "b" {
		t.Errorf("cancelled: %+v, %v, want b while it runs, and d", got, err)
	}
	s.WantJob("j", job.StateWorking, job.Counts{Completed: 1, Running: 1, Pending: 1, Failed: 1}, 0)
	s.Sound()
}
