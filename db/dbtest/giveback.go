package dbtest

import (
	"errors"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (e suite) ATaskThatIsGivenBackIsAsItWas(t *testing.T) {
	for name, begin := range map[string]func(*Store){
		"first of its job": func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a")) },
		"after a failure":  func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a")); s.Work("a"); s.MustReset("j") },
		"after another task": func(s *Store) {
			s.MustEnqueue("j", Task("0"), Task("a"), Task("b", "a"))
			s.MustFinish(s.MustClaim(), Success)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := e.open(t)
			begin(s)
			before, tasks := s.MustJob("j"), s.MustTask("j", "a")
			a := s.MustClaim()
			if given, err := s.GiveBack(ctx, a); !given || err != nil {
				t.Fatalf("GiveBack: %t, %v", given, err)
			}
			s.Sound()
			if now := s.MustJob("j"); now.Tasks != before.Tasks {
				t.Errorf("counts are %+v, and were %+v", now.Tasks, before.Tasks)
			}
			if now := s.MustTask("j", "a"); now.Status != job.Pending || now.Attempts != tasks.Attempts {
				t.Errorf("the task is %+v, and was %+v", now, tasks)
			}
			if again := s.MustClaim(); again.Task != "a" || again.Attempt != a.Attempt || again.Token == a.Token {
				t.Errorf("claimed again: %+v, first %+v", again, a)
			}
		})
	}
}

func (e suite) ATaskIsGivenBackOnceAndByItsAttemptAlone(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	a := s.MustClaim()
	forged := *a
	forged.Token = "0123456789abcdef0123456789abcdef"
	if given, err := s.GiveBack(ctx, &forged); given || !errors.Is(err, db.ErrFenced) {
		t.Errorf("GiveBack with another token: %t, %v, want ErrFenced", given, err)
	}
	if given, err := s.GiveBack(ctx, a); !given || err != nil {
		t.Fatalf("GiveBack: %t, %v", given, err)
	}
	next := s.MustClaim()
	before := s.Dump()
	if given, err := s.GiveBack(ctx, a); given || !errors.Is(err, db.ErrFenced) {
		t.Errorf("second GiveBack: %t, %v, want ErrFenced", given, err)
	}
	s.Unchanged(before)
	s.MustFinish(next, Success)
	before = s.Dump()
	if given, err := s.GiveBack(ctx, next); given || !errors.Is(err, db.ErrFenced) {
		t.Errorf("GiveBack after the result: %t, %v, want ErrFenced", given, err)
	}
	s.Unchanged(before)
}

func (e suite) ATaskThatIsToBeCancelledIsNotGivenBack(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	a := s.MustClaim()
	if asked, err := s.Asked(ctx, a); asked.Cancelled || err != nil {
		t.Errorf("Asked before: %+v, %v", asked, err)
	}
	s.MustCancel("j", "a")
	if asked, err := s.Asked(ctx, a); !asked.Cancelled || err != nil {
		t.Errorf("Asked: %+v, %v", asked, err)
	}
	before := s.Dump()
	if given, err := s.GiveBack(ctx, a); given || err != nil {
		t.Errorf("GiveBack: %t, %v, want false", given, err)
	}
	s.Unchanged(before)
}

// The signal of the cancel may come after the result: the runner must not have
// another task by then.
func (e suite) ARunnerWhoseTaskIsToBeCancelledGetsNoOther(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"))
	a := s.MustClaim()
	s.MustCancel("j", "a")
	if done, err := s.Finish(ctx, a, Success, true); err != nil || done.Next != nil || !done.Ready {
		t.Errorf("Finish: %+v, %v, want ready and no next task", done, err)
	}
	s.Sound()
}

func (e suite) ADeadRunnerGetsNoTask(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	s.MustEnqueue("k", Task("a"))
	runners := []db.Runner{{Lock: 1}, {Lock: 2}, {Lock: 3}}
	got, err := s.ClaimAll(ctx, runners, Unlimited, "", func(r db.Runner) (bool, error) { return r.Lock != 1, nil })
	if err != nil || len(got) != 2 || got[0].Runner().Lock != 2 || got[1].Runner().Lock != 3 {
		t.Errorf("claimed %+v, %v, want tasks for 2 and 3", got, err)
	}
	unseen := errors.New("cannot look")
	s.MustEnqueue("l", Task("a"))
	before := s.Dump()
	_, err = s.ClaimAll(ctx, []db.Runner{{Lock: 4}}, Unlimited, "", func(db.Runner) (bool, error) { return false, unseen })
	if !errors.Is(err, unseen) {
		t.Errorf("%v, want %v", err, unseen)
	}
	s.Unchanged(before)
}

func (e suite) ARunnerWithoutATaskSaysSoBeforeOthersCanWrite(t *testing.T) {
	s := e.open(t)
	called := 0
	none := func() { called++ }
	if a, err := s.Assigned(ctx, 7, "boot", none); a != nil || err != nil || called != 1 {
		t.Errorf("%+v, %v, called %d times", a, err, called)
	}
	s.MustEnqueue("j", Task("a"))
	s.MustClaim()
	if a, err := s.Assigned(ctx, 7, "boot", none); a == nil || err != nil || called != 1 {
		t.Errorf("%+v, %v, called %d times", a, err, called)
	}
}

func (e suite) WhatACommitInDoubtHasDoneIsFoundOut(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"))
	found := func(want ...string) {
		t.Helper()
		got, err := s.AssignedTo(ctx, []db.Runner{Runner1, {Lock: 8}})
		if err != nil || len(got) != len(want) || len(got) > 0 && got[0].Task != want[0] {
			t.Errorf("AssignedTo: %+v, %v, want %q", got, err, want)
		}
	}
	found()
	a := s.MustClaim()
	found("a")
	if _, err := s.Recorded(ctx, a, Success); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Recorded while it runs: %v, want ErrFenced", err)
	}
	if done, err := s.Finish(ctx, a, Success, true); err != nil || done.Next == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	found("b")
	b, err := s.Recorded(ctx, a, Success)
	if err != nil || b.Next == nil || b.Next.Task != "b" {
		t.Fatalf("Recorded: %+v, %v, want b as the next task", b, err)
	}
	if _, err := s.Recorded(ctx, a, Failure); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Recorded with another result: %v, want ErrFenced", err)
	}
	s.MustFinish(b.Next, Failure)
	if done, err := s.Recorded(ctx, b.Next, Failure); err != nil || done != (db.Finished{}) {
		t.Errorf("Recorded at the end: %+v, %v", done, err)
	}
	found()
	s.Sound()
}
