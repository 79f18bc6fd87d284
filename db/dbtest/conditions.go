package dbtest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// runIf is a task that runs at certain ends of others.
func runIf(r job.RunIf, id string, needs ...string) job.Spec {
	s := Task(id, needs...)
	s.RunIf = r
	return s
}

// afterAny is a task that runs after others, however they end.
func afterAny(id string, needs ...string) job.Spec {
	return job.Spec{ID: id, Command: "true", AfterAny: needs}
}

func (s *Store) wantWork(want string, failing ...string) {
	s.T.Helper()
	if got := fmt.Sprint(s.Work(failing...)); got != want {
		s.T.Errorf("they ran as %s, want %s", got, want)
	}
}

func (s *Store) wantSkipped(name string, ids ...string) {
	s.T.Helper()
	for _, id := range ids {
		if got := s.MustTask(name, id); got.Status != job.Failed || got.Reason != job.Skipped || got.DismissedAt.IsZero() || got.CompletedAt.IsZero() {
			s.T.Errorf("%s is %s, %s, dismissed at %s, want it skipped", id, got.Status, got.Reason, got.DismissedAt)
		}
	}
}

func (e suite) ATaskAfterAnyEndRunsAfterAFailure(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), afterAny("b", "a"), Task("c", "a"), afterAny("d", "c"))
	s.wantWork("[a b d]", "a") // c can never run, and d need not wait for it
	s.WantJob("j", job.StateFailed, job.Counts{Pending: 1, Completed: 2, Failed: 1}, 1)
	if got := s.MustTask("j", "b"); len(got.Dependencies) != 0 || !slices.Equal(got.AfterAny, []string{"a"}) {
		t.Errorf("b is %+v", got.Spec)
	}
	s.Sound()
	s.MustReset("j")
	s.wantWork("[a c]")
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	s.Sound()
}

func (e suite) CleanUpRunsWhateverHappensAndAnAlarmOnlyIfSomethingFails(t *testing.T) {
	for failing, want := range map[string][]string{
		"":  {"a", "b", "clean", "end"},
		"a": {"a", "alarm", "clean", "end", "sent"},
		"b": {"a", "alarm", "b", "clean", "end", "sent"},
	} {
		t.Run("failing "+failing, func(t *testing.T) {
			s := e.open(t)
			s.MustEnqueue("j", Task("a"), Task("b", "a"), runIf(job.RunAlways, "clean", "b"),
				runIf(job.RunOnFailure, "alarm", "a", "b"), Task("sent", "alarm"), runIf(job.RunAlways, "end", "alarm"))
			if got := slices.Sorted(slices.Values(s.Work(failing))); !slices.Equal(got, want) {
				t.Errorf("%q ran, want %q", got, want)
			}
			s.Sound()
			if failing == "" {
				s.wantSkipped("j", "alarm", "sent")
				s.WantJob("j", job.StateCompleted, job.Counts{Completed: 4, Dismissed: 2}, 0)
			} else if j := s.MustJob("j"); j.State != job.StateFailed || j.Tasks.Failed != 1 {
				t.Errorf("the job is %s, %+v", j.State, j.Tasks)
			}
		})
	}
}

func (e suite) ASkippedTaskIsNoFailure(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), runIf(job.RunOnFailure, "alarm", "a"), runIf(job.RunOnFailure, "second", "alarm"), afterAny("last", "second"))
	s.wantWork("[a last]")
	s.wantSkipped("j", "alarm", "second")
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 2, Dismissed: 2}, 0)

	// What comes later is treated as if it had been there.
	s.MustEnqueue("j", Task("below", "alarm"), runIf(job.RunOnFailure, "third", "a"), runIf(job.RunAlways, "always", "third"))
	s.wantSkipped("j", "below", "third")
	s.wantWork("[always]")
	s.Sound()
}

func (e suite) WhatHasLetGoIsNotCountedTwice(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), afterAny("c", "a", "b"))
	s.MustFinish(s.MustClaim(), Failure)
	s.WantJob("j", job.StateWorking, job.Counts{Pending: 2, Failed: 1}, 1)
	s.MustReset("j", "a")
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 1)
	s.Sound()
	s.MustFinish(s.MustClaim(), Failure) // a again
	s.Sound()
	if _, err := s.Dismiss(ctx, "j", nil); err != nil {
		t.Fatal(err)
	}
	s.MustReset("j", "a")
	s.MustFinish(s.MustClaim(), Success)
	s.Sound()
	s.WantJob("j", job.StateWorking, job.Counts{Pending: 2, Completed: 1}, 1)
	s.wantWork("[b c]", "b")
	s.WantJob("j", job.StateFailed, job.Counts{Completed: 2, Failed: 1}, 0)
	s.Sound()
}

// A task that can never run lets go of others; later it is skipped, which is its end.
func (e suite) ASkippedTaskThatCouldNeverRunLetsGoOnce(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("bad"), Task("ok"), runIf(job.RunOnFailure, "alarm", "ok"), Task("dead", "bad", "alarm"), Task("slow"), afterAny("last", "dead", "slow"))
	s.MustFinish(s.MustClaim(), Failure)
	s.Sound()
	s.MustFinish(s.MustClaim(), Success)
	s.wantSkipped("j", "alarm", "dead")
	s.WantJob("j", job.StateWorking, job.Counts{Pending: 2, Completed: 1, Failed: 1, Dismissed: 2}, 1)
	s.Sound()
	s.wantWork("[slow last]")
	s.Sound()
}

func (e suite) ASkippedTaskThatNeedsAPoolWaitsForItWhenItIsPutBack(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 1)
	alarm := pooled("alarm", "gpu")
	alarm.Dependencies, alarm.RunIf = []string{"a"}, job.RunOnFailure
	s.MustEnqueue("j", Task("a"), alarm)
	s.wantWork("[a]")
	s.wantSkipped("j", "alarm")
	s.Sound()

	again := db.Retry{Which: db.Which{Tasks: []string{"a"}}, Completed: true, Downstream: true}
	if _, err := s.Retry(ctx, "j", again); err != nil {
		t.Fatal(err)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 2}, 1)
	s.Sound()
	s.MustFinish(s.MustClaim("j"), Failure)
	s.Sound()
	s.MustEnqueue("k", pooled("other", "gpu"))
	s.wantAny("j/alarm[{gpu [0]}]")
	s.wantAny("")
	s.Sound()
}

func (e suite) ACancelledTaskLetsGoOfWhatComesAfterAnyEnd(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("first"), Task("a", "first"), Task("b", "a"), runIf(job.RunAlways, "clean", "b"), runIf(job.RunOnFailure, "alarm", "a"))
	s.MustCancel("j", "a")
	s.Sound()
	s.wantWork("[first clean alarm]")
	s.Sound()
}

func (e suite) ConditionsHoldInFilesAndInAnyOrder(t *testing.T) {
	s := e.open(t)
	failed := ATask("a")
	failed.Status, failed.Reason = job.Failed, job.Exited
	always, alarm, dead := ATask("always"), ATask("alarm"), ATask("dead", "a")
	always.AfterAny = []string{"dead"}
	alarm.Dependencies, alarm.RunIf = []string{"a"}, job.RunOnFailure
	needless := ATask("needless", "done")
	needless.RunIf = job.RunOnFailure
	s.MustImport("j", always, alarm, needless, dead, failed, ACompleted("done"))
	s.wantSkipped("j", "needless")
	s.Sound()
	s.wantWork("[always alarm]")
	got := s.MustTask("j", "alarm")
	if got.RunIf != job.RunOnFailure || !slices.Equal(got.Dependencies, []string{"a"}) || got.AfterAny != nil {
		t.Errorf("alarm is %+v", got.Spec)
	}
	if _, err := s.Resume(ctx, db.Batch{Job: "j", Tasks: Specs(Task("a"), Task("alarm", "a"), afterAny("more", "a"))}); err == nil {
		t.Error("a completed task was to depend on one that has not completed")
	}
	if _, err := s.Resume(ctx, db.Batch{Job: "j", Tasks: Specs(Task("a"), afterAny("more", "a"), runIf(job.RunOnFailure, "no", "done"))}); err != nil {
		t.Fatal(err)
	}
	s.wantSkipped("j", "no")
	s.Sound()
	s.wantWork("[a more]", "a")
	s.Sound()
}

func (e suite) RandomConditionsKeepTheRules(t *testing.T) {
	random := random(t)
	s := e.open(t)
	var ids []string
	last := 0
	queue := func() {
		var batch []job.Spec
		for range 1 + random.IntN(4) {
			last++
			spec := job.Spec{ID: fmt.Sprint("t", last), Command: "true"}
			for range min(len(ids), random.IntN(3)) {
				if need := ids[len(ids)-1-random.IntN(min(len(ids), 6))]; random.IntN(3) > 0 {
					spec.Dependencies = append(spec.Dependencies, need)
				} else {
					spec.AfterAny = append(spec.AfterAny, need)
				}
			}
			if r := random.IntN(5); len(spec.Dependencies) > 0 && r < len(job.RunIfs) {
				spec.RunIf = job.RunIfs[r]
			}
			ids = append(ids, spec.ID)
			batch = append(batch, spec)
		}
		slices.Reverse(batch)
		s.MustEnqueue("j", batch...)
	}
	queue()
	for n := range 400 {
		if len(ids) == 0 { // all were removed
			queue()
		}
		id := ids[random.IntN(len(ids))]
		what := ""
		switch r := random.IntN(22); {
		case r >= 20:
			what = "edit " + id
			_, _ = s.Edit(context.Background(), "j", []string{id}, func(spec *job.Spec) error {
				spec.Dependencies, spec.AfterAny = spec.AfterAny, spec.Dependencies
				if spec.RunIf = job.RunIfs[random.IntN(len(job.RunIfs))]; len(spec.Dependencies) == 0 {
					spec.Dependencies = []string{ids[random.IntN(len(ids))]}
				}
				return nil
			})
		case r < 5:
			what = "queue"
			queue()
		case r < 15:
			what = "run"
			if a := s.ClaimAny(Unlimited); a != nil {
				s.MustFinish(a, []job.Result{Success, Failure}[random.IntN(2)])
			}
		case r < 17:
			what = "reset " + id
			_, _ = s.Reset(context.Background(), "j", db.Which{Tasks: []string{id}})
		case r < 18:
			what = "cancel " + id
			_, _ = s.Cancel(context.Background(), "j", id)
		case r < 19:
			what = "dismiss " + id
			_, _ = s.Dismiss(context.Background(), "j", []string{id})
		default:
			what = "remove " + id
			if _, err := s.RemoveTasks(context.Background(), "j", []string{id}); err == nil {
				ids = slices.DeleteFunc(ids, func(i string) bool { return i == id })
			}
		}
		if s.Sound(); t.Failed() {
			t.Fatalf("after step %d, %s", n+1, what)
		}
	}
}
