package db_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// set changes columns of a job for which there is no method yet.
func (s *store) set(name, assignments string) {
	s.t.Helper()
	if _, err := s.raw().Exec("UPDATE job SET "+assignments+" WHERE name = ?", name); err != nil {
		s.t.Fatal(err)
	}
}

// slots are the places that running tasks have, by their ids.
func (s *store) slots() map[string]int {
	out := map[string]int{}
	for _, row := range s.rows("SELECT t.name, a.slot FROM attempt a JOIN task t ON t.id = a.task WHERE a.slot IS NOT NULL")[1:] {
		out[row[0].(string)] = row[1].(int)
	}
	return out
}

func TestAJobRunsAsManyTasksAsItHasPlaces(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b"), task("c"), task("d"), task("e"), task("f"))
	s.set("j", "parallel = 3")
	got, err := s.ClaimAll(ctx, make([]db.Runner, 5), 50, "", nil)
	if err != nil || len(got) != 3 {
		t.Fatalf("claimed %d, %v, want 3", len(got), err)
	}
	if diff := cmp.Diff(map[string]int{"a": 0, "b": 1, "c": 2}, s.slots()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.wantNone("j")
	s.sound()

	// The lowest free place is taken.
	s.finish(got[1], success)
	s.finish(got[0], success)
	s.claim("j")
	if diff := cmp.Diff(map[string]int{"c": 2, "d": 0}, s.slots()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// Fewer places than are taken: what runs goes on, and nothing else starts.
	s.set("j", "parallel = 1")
	s.wantNone("j")
	done, err := s.Finish(ctx, got[2], success, true)
	if err != nil || done.Next != nil {
		t.Errorf("went on with %+v, %v", done.Next, err)
	}
	s.wantNone("j")
	s.sound()
}

// The other task of the job keeps it at work when one is given back.
func TestATaskIsGivenBackBesideAnother(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b"))
	s.set("j", "parallel = 2")
	s.claim("j")
	if ok, err := s.GiveBack(ctx, s.claim("j")); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	s.wantJob("j", job.StateWorking, job.Counts{Pending: 1, Running: 1}, 0)
	s.sound()
}

func TestNothingOfAJobThatIsHeldIsClaimed(t *testing.T) {
	s := open(t)
	s.enqueue("held", task("a"), task("b"))
	s.enqueue("j", task("a"))
	first := s.claim("held")
	s.set("held", "holds = 1")
	if n, err := s.Claimable(ctx, 9, ""); n != 1 || err != nil {
		t.Errorf("%d jobs can be claimed, %v, want 1", n, err)
	}
	if got := s.claim(); got.Job != "j" {
		t.Errorf("claimed %s/%s", got.Job, got.Task)
	}
	s.wantNone("held")
	done, err := s.Finish(ctx, first, success, true)
	if err != nil || done.Next != nil {
		t.Errorf("went on with %+v, %v", done.Next, err)
	}
	s.wantNone("held")
	s.set("held", "holds = 0")
	if got := s.claim("held"); got.Task != "b" {
		t.Errorf("claimed %s", got.Task)
	}
	s.sound()
}

// wantNone wants nothing to be claimed of a job.
func (s *store) wantNone(name string) {
	s.t.Helper()
	for _, only := range []string{name, ""} {
		if a, err := s.Claim(ctx, db.Runner{}, 50, only); a != nil || err != nil {
			s.t.Errorf("claimed %+v, %v", a, err)
		}
	}
}
