package db_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (s *store) parked() int {
	s.t.Helper()
	n, err := s.Parked(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *store) park(a *db.Assignment, on bool) {
	s.t.Helper()
	if err := s.SetParked(ctx, a.Token, on); err != nil {
		s.t.Fatal(err)
	}
}

func TestOnlyThePlacesOfTheDeadAreTakenBack(t *testing.T) {
	s := open(t)
	s.enqueue("dead", task("a"))
	s.enqueue("alive", task("a"))
	dead, alive := s.claim("dead"), s.claim("alive")
	s.park(dead, true)
	s.park(dead, true)
	s.park(alive, true)
	lives := func(token string) (bool, error) { return token == alive.Token, nil }
	if some, err := s.DeadParked(ctx, lives); err != nil || !some {
		t.Errorf("dead parked: %t, %v", some, err)
	}
	if n, err := s.FreeParked(ctx, lives); err != nil || n != 1 || s.parked() != 1 {
		t.Errorf("%d attempts are parked (%v), by the rows %d, want 1", n, err, s.parked())
	}
	if some, err := s.DeadParked(ctx, lives); err != nil || some {
		t.Errorf("dead parked: %t, %v", some, err)
	}
	// One that was taken for dead and ends its waiting all the same takes nothing
	// from others that begin.
	s.park(dead, false)
	s.park(dead, true)
	if s.parked() != 2 {
		t.Errorf("%d attempts are parked, want 2", s.parked())
	}
}

func TestBecomeTellsHowAttemptsHaveEnded(t *testing.T) {
	s := open(t)
	for _, name := range []string{"done", "failed", "lost", "runs"} {
		s.enqueue(name, task("a"))
	}
	done, failed := s.claim("done"), s.claim("failed")
	s.claim("lost")
	s.claim("runs")
	before := s.active()
	s.finish(done, success)
	s.finish(failed, failure)
	s.lose("lost", "a")
	became, err := s.Become(ctx, before)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, b := range became {
		got[b.Job] = string(b.Status) + " " + string(b.Reason)
	}
	want := map[string]string{"done": "completed ", "failed": "failed exited", "lost": "failed lost", "runs": "running "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("became (-want +got):\n%s", diff)
	}
}

func TestAManagerIsFoundByItsInstance(t *testing.T) {
	s := open(t)
	for _, id := range []string{"first", "second"} {
		if err := s.RegisterManager(ctx, db.Instance{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AskToStop(ctx, "first", db.StopKill); err != nil {
		t.Fatal(err)
	}
	if err := s.ManagerStopped(ctx, "first"); err != nil {
		t.Fatal(err)
	}
	first, err := s.ManagerWith(ctx, "first")
	if err != nil || first == nil || first.Stop != db.StopKill || first.StoppedAt.IsZero() {
		t.Errorf("%+v, %v", first, err)
	}
	if second, err := s.ManagerWith(ctx, "second"); err != nil || second.Stop != "" || !second.StoppedAt.IsZero() {
		t.Errorf("%+v, %v", second, err)
	}
	if none, err := s.ManagerWith(ctx, "third"); err != nil || none != nil {
		t.Errorf("%+v, %v", none, err)
	}
}

// A task that was queued after stop could still start: a manager that was held up came
// to claim before it came to look for the request.
func TestAManagerThatWasAskedToStopClaimsNothing(t *testing.T) {
	s := open(t)
	for _, id := range []string{"asked", "other"} {
		if err := s.RegisterManager(ctx, db.Instance{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	s.enqueue("j", job.Spec{ID: "a", Command: "true"})
	if err := s.AskToStop(ctx, "asked", db.StopLeave); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Claim(ctx, db.Runner{Manager: "asked", Lock: 1}, 10, ""); a != nil || err != nil {
		t.Errorf("claimed %+v, %v", a, err)
	}
	if a, err := s.Claim(ctx, db.Runner{Manager: "other", Lock: 1}, 10, ""); a == nil || err != nil {
		t.Errorf("another manager claimed %+v, %v", a, err)
	}
}
