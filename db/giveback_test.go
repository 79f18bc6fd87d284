package db_test

import (
	"errors"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func TestATaskThatIsGivenBackIsAsItWas(t *testing.T) {
	for name, begin := range map[string]func(*store){
		"first of its job":   func(s *store) { s.enqueue("j", task("a"), task("b", "a")) },
		"after a failure":    func(s *store) { s.enqueue("j", task("a"), task("b", "a")); s.work("a"); s.reset("j") },
		"after another task": func(s *store) { s.enqueue("j", task("0"), task("a"), task("b", "a")); s.finish(s.claim(), success) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			begin(s)
			before, tasks := s.job("j"), s.task("j", "a")
			a := s.claim()
			if given, err := s.GiveBack(ctx, a); !given || err != nil {
				t.Fatalf("GiveBack: %t, %v", given, err)
			}
			s.sound()
			if now := s.job("j"); now.Tasks != before.Tasks {
				t.Errorf("counts are %+v, and were %+v", now.Tasks, before.Tasks)
			}
			if now := s.task("j", "a"); now.Status != job.Pending || now.Attempts != tasks.Attempts {
				t.Errorf("the task is %+v, and was %+v", now, tasks)
			}
			if again := s.claim(); again.Task != "a" || again.Attempt != a.Attempt || again.Token == a.Token {
				t.Errorf("claimed again: %+v, first %+v", again, a)
			}
		})
	}
}

func TestATaskIsGivenBackOnceAndByItsAttemptAlone(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	a := s.claim()
	forged := *a
	forged.Token = "0123456789abcdef0123456789abcdef"
	if given, err := s.GiveBack(ctx, &forged); given || !errors.Is(err, db.ErrFenced) {
		t.Errorf("GiveBack with another token: %t, %v, want ErrFenced", given, err)
	}
	if given, err := s.GiveBack(ctx, a); !given || err != nil {
		t.Fatalf("GiveBack: %t, %v", given, err)
	}
	next := s.claim()
	before := s.dump()
	if given, err := s.GiveBack(ctx, a); given || !errors.Is(err, db.ErrFenced) {
		t.Errorf("second GiveBack: %t, %v, want ErrFenced", given, err)
	}
	s.unchanged(before)
	s.finish(next, success)
	before = s.dump()
	if given, err := s.GiveBack(ctx, next); given || !errors.Is(err, db.ErrFenced) {
		t.Errorf("GiveBack after the result: %t, %v, want ErrFenced", given, err)
	}
	s.unchanged(before)
}

func TestATaskThatIsToBeCancelledIsNotGivenBack(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	a := s.claim()
	if asked, err := s.CancelAsked(ctx, a); asked || err != nil {
		t.Errorf("CancelAsked before: %t, %v", asked, err)
	}
	s.cancel("j", "a")
	if asked, err := s.CancelAsked(ctx, a); !asked || err != nil {
		t.Errorf("CancelAsked: %t, %v", asked, err)
	}
	before := s.dump()
	if given, err := s.GiveBack(ctx, a); given || err != nil {
		t.Errorf("GiveBack: %t, %v, want false", given, err)
	}
	s.unchanged(before)
}

// The signal of the cancel may come after the result: the runner must not have
// another task by then.
func TestARunnerWhoseTaskIsToBeCancelledGetsNoOther(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b"))
	a := s.claim()
	s.cancel("j", "a")
	if done, err := s.Finish(ctx, a, success, true); err != nil || done.Next != nil || !done.Ready {
		t.Errorf("Finish: %+v, %v, want ready and no next task", done, err)
	}
	s.sound()
}

func TestADeadRunnerGetsNoTask(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	s.enqueue("k", task("a"))
	runners := []db.Runner{{Lock: 1}, {Lock: 2}, {Lock: 3}}
	got, err := s.ClaimAll(ctx, runners, unlimited, "", func(r db.Runner) (bool, error) { return r.Lock != 1, nil })
	if err != nil || len(got) != 2 || got[0].Runner().Lock != 2 || got[1].Runner().Lock != 3 {
		t.Errorf("claimed %+v, %v, want tasks for 2 and 3", got, err)
	}
	unseen := errors.New("cannot look")
	s.enqueue("l", task("a"))
	before := s.dump()
	_, err = s.ClaimAll(ctx, []db.Runner{{Lock: 4}}, unlimited, "", func(db.Runner) (bool, error) { return false, unseen })
	if !errors.Is(err, unseen) {
		t.Errorf("%v, want %v", err, unseen)
	}
	s.unchanged(before)
}

func TestARunnerWithoutATaskSaysSoBeforeOthersCanWrite(t *testing.T) {
	s := open(t)
	called := 0
	none := func() { called++ }
	if a, err := s.Assigned(ctx, 7, "boot", none); a != nil || err != nil || called != 1 {
		t.Errorf("%+v, %v, called %d times", a, err, called)
	}
	s.enqueue("j", task("a"))
	s.claim()
	if a, err := s.Assigned(ctx, 7, "boot", none); a == nil || err != nil || called != 1 {
		t.Errorf("%+v, %v, called %d times", a, err, called)
	}
}

func TestWhatACommitInDoubtHasDoneIsFoundOut(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b"))
	found := func(want ...string) {
		t.Helper()
		got, err := s.AssignedTo(ctx, []db.Runner{runner1, {Lock: 8}})
		if err != nil || len(got) != len(want) || len(got) > 0 && got[0].Task != want[0] {
			t.Errorf("AssignedTo: %+v, %v, want %q", got, err, want)
		}
	}
	found()
	a := s.claim()
	found("a")
	if _, err := s.Recorded(ctx, a, success); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Recorded while it runs: %v, want ErrFenced", err)
	}
	if done, err := s.Finish(ctx, a, success, true); err != nil || done.Next == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	found("b")
	b, err := s.Recorded(ctx, a, success)
	if err != nil || b.Next == nil || b.Next.Task != "b" {
		t.Fatalf("Recorded: %+v, %v, want b as the next task", b, err)
	}
	if _, err := s.Recorded(ctx, a, failure); !errors.Is(err, db.ErrFenced) {
		t.Errorf("Recorded with another result: %v, want ErrFenced", err)
	}
	s.finish(b.Next, failure)
	if done, err := s.Recorded(ctx, b.Next, failure); err != nil || done != (db.Finished{}) {
		t.Errorf("Recorded at the end: %+v, %v", done, err)
	}
	found()
	s.sound()
}
