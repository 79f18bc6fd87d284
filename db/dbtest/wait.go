package dbtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
)

func (s *Store) parked() int {
	s.T.Helper()
	n, err := s.Parked(ctx)
	if err != nil {
		s.T.Fatal(err)
	}
	return n
}

func (s *Store) park(a *db.Assignment, on bool) {
	s.T.Helper()
	if err := s.SetParked(ctx, a.Token, on); err != nil {
		s.T.Fatal(err)
	}
}

func (e suite) OnlyThePlacesOfTheDeadAreTakenBack(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("dead", Task("a"))
	s.MustEnqueue("alive", Task("a"))
	dead, alive := s.MustClaim("dead"), s.MustClaim("alive")
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
	// A command that was considered dead but unparks later takes nothing from others
	// that park.
	s.park(dead, false)
	s.park(dead, true)
	if s.parked() != 2 {
		t.Errorf("%d attempts are parked, want 2", s.parked())
	}
}

func (e suite) BecomeTellsHowAttemptsHaveEnded(t *testing.T) {
	s := e.open(t)
	for _, name := range []string{"done", "failed", "lost", "runs"} {
		s.MustEnqueue(name, Task("a"))
	}
	done, failed := s.MustClaim("done"), s.MustClaim("failed")
	s.MustClaim("lost")
	s.MustClaim("runs")
	before := s.Running()
	s.MustFinish(done, Success)
	s.MustFinish(failed, Failure)
	s.MustLose("lost", "a")
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

func (e suite) AManagerIsFoundByItsInstance(t *testing.T) {
	s := e.open(t)
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
func (e suite) AManagerThatWasAskedToStopClaimsNothing(t *testing.T) {
	s := e.open(t)
	for _, id := range []string{"asked", "other"} {
		if err := s.RegisterManager(ctx, db.Instance{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	s.MustEnqueue("j", Task("a"))
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
