package db_test

import (
	"errors"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func TestAResultIsRecordedOnce(t *testing.T) {
	for _, next := range []bool{false, true} {
		s := open(t)
		s.enqueue("j", task("a"), task("b", "a"))
		a := s.claim()
		s.finish(a, success)
		before := s.dump()
		for _, r := range []job.Result{success, failure} {
			if done, err := s.Finish(ctx, a, r, next); !errors.Is(err, db.ErrFenced) || done != (db.Finished{}) {
				t.Errorf("second Finish: %+v, %v, want ErrFenced", done, err)
			}
		}
		s.unchanged(before)
		s.sound()
	}
}

func TestALateResultOfALostAttemptIsDiscarded(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	a := s.claim()
	s.lose("j", "a")
	before := s.dump()
	if _, err := s.Finish(ctx, a, success, true); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Finish after Lose: %v, want ErrFenced", err)
	}
	s.unchanged(before)
}

func TestALateResultDoesNotEndTheNextAttempt(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	stale := s.claim()
	s.lose("j", "a")
	s.reset("j")
	fresh := s.claim()
	if stale.Token == fresh.Token {
		t.Error("two attempts have the same token")
	}
	before := s.dump()
	if _, err := s.Finish(ctx, stale, failure, true); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Finish of the older attempt: %v, want ErrFenced", err)
	}
	s.unchanged(before)
	s.finish(fresh, success)
	s.wantJob("j", job.StateCompleted, job.Counts{Completed: 1}, 0)
}

func TestAResultWithAnotherTokenIsDiscarded(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	a := s.claim()
	before := s.dump()
	forged := *a
	forged.Token = "0123456789abcdef0123456789abcdef"
	if _, err := s.Finish(ctx, &forged, success, false); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Finish with another token: %v, want ErrFenced", err)
	}
	s.unchanged(before)
}

func TestAnAttemptThatHasEndedCannotBeLost(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	a := s.claim()
	seen := s.active()[0]
	s.finish(a, success)
	before := s.dump()
	if lost, err := s.Lose(ctx, seen, "late"); lost || err != nil {
		t.Errorf("Lose after Finish: %t, %v, want false", lost, err)
	}
	s.unchanged(before)
	s.sound()
}

func TestAnAttemptIsLostOnce(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	s.claim()
	seen := s.active()[0]
	s.lose("j", "a")
	s.reset("j")
	s.claim()
	before := s.dump()
	if lost, err := s.Lose(ctx, seen, "again"); lost || err != nil {
		t.Errorf("second Lose: %t, %v, want false", lost, err)
	}
	s.unchanged(before)
}
