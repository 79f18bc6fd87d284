package dbtest

import (
	"errors"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (e suite) AResultIsRecordedOnce(t *testing.T) {
	for _, next := range []bool{false, true} {
		s := e.open(t)
		s.MustEnqueue("j", Task("a"), Task("b", "a"))
		a := s.MustClaim()
		s.MustFinish(a, Success)
		before := s.Dump()
		for _, r := range []job.Result{Success, Failure} {
			if done, err := s.Finish(ctx, a, r, next); !errors.Is(err, db.ErrFenced) || done != (db.Finished{}) {
				t.Errorf("second Finish: %+v, %v, want ErrFenced", done, err)
			}
		}
		s.Unchanged(before)
		s.Sound()
	}
}

// openClaimed opens a new database, in which the one task, a of job j, runs.
func (e suite) openClaimed(t *testing.T) (*Store, *db.Assignment) {
	t.Helper()
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	return s, s.MustClaim()
}

func (e suite) ALateResultOfALostAttemptIsDiscarded(t *testing.T) {
	s, a := e.openClaimed(t)
	s.MustLose("j", "a")
	before := s.Dump()
	if _, err := s.Finish(ctx, a, Success, true); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Finish after Lose: %v, want ErrFenced", err)
	}
	s.Unchanged(before)
}

func (e suite) ALateResultDoesNotEndTheNextAttempt(t *testing.T) {
	s, stale := e.openClaimed(t)
	s.MustLose("j", "a")
	s.MustReset("j")
	fresh := s.MustClaim()
	if stale.Token == fresh.Token {
		t.Error("two attempts have the same token")
	}
	before := s.Dump()
	if _, err := s.Finish(ctx, stale, Failure, true); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Finish of the older attempt: %v, want ErrFenced", err)
	}
	s.Unchanged(before)
	s.MustFinish(fresh, Success)
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 1}, 0)
}

func (e suite) AResultWithAnotherTokenIsDiscarded(t *testing.T) {
	s, a := e.openClaimed(t)
	before := s.Dump()
	forged := *a
	forged.Token = "0123456789abcdef0123456789abcdef"
	if _, err := s.Finish(ctx, &forged, Success, false); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Finish with another token: %v, want ErrFenced", err)
	}
	s.Unchanged(before)
}

func (e suite) AnAttemptThatHasEndedCannotBeLost(t *testing.T) {
	s, a := e.openClaimed(t)
	seen := s.Running()[0]
	s.MustFinish(a, Success)
	before := s.Dump()
	if lost, err := s.Lose(ctx, seen, "late"); lost || err != nil {
		t.Errorf("Lose after Finish: %t, %v, want false", lost, err)
	}
	s.Unchanged(before)
	s.Sound()
}

func (e suite) AnAttemptIsLostOnce(t *testing.T) {
	s, _ := e.openClaimed(t)
	seen := s.Running()[0]
	s.MustLose("j", "a")
	s.MustReset("j")
	s.MustClaim()
	before := s.Dump()
	if lost, err := s.Lose(ctx, seen, "again"); lost || err != nil {
		t.Errorf("second Lose: %t, %v, want false", lost, err)
	}
	s.Unchanged(before)
}
