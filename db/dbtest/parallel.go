package dbtest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// set changes columns of a job for which there is no method yet.
func (s *Store) set(name, assignments string) {
	s.T.Helper()
	if _, err := s.sql().Exec(fmt.Sprintf("UPDATE job SET %s WHERE name = '%s'", assignments, name)); err != nil {
		s.T.Fatal(err)
	}
}

// slots are the places that running tasks have, by their ids.
func (s *Store) slots() map[string]int {
	s.T.Helper()
	rows, err := s.sql().Query("SELECT t.name, a.slot FROM attempt a JOIN task t ON t.id = a.task WHERE a.slot IS NOT NULL")
	if err != nil {
		s.T.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var id string
		var slot int
		if err := rows.Scan(&id, &slot); err != nil {
			s.T.Fatal(err)
		}
		out[id] = slot
	}
	if err := rows.Err(); err != nil {
		s.T.Fatal(err)
	}
	return out
}

func (e suite) AJobRunsAsManyTasksAsItHasPlaces(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c"), Task("d"), Task("e"), Task("f"))
	s.set("j", "parallel = 3")
	got, err := s.ClaimAll(ctx, make([]db.Runner, 5), 50, "", nil)
	if err != nil || len(got) != 3 {
		t.Fatalf("claimed %d, %v, want 3", len(got), err)
	}
	if diff := cmp.Diff(map[string]int{"a": 0, "b": 1, "c": 2}, s.slots()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.wantNone("j")
	s.Sound()

	// The lowest free place is taken.
	s.MustFinish(got[1], Success)
	s.MustFinish(got[0], Success)
	s.MustClaim("j")
	if diff := cmp.Diff(map[string]int{"c": 2, "d": 0}, s.slots()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// Fewer places than are taken: what runs goes on, and nothing else starts.
	s.set("j", "parallel = 1")
	s.wantNone("j")
	done, err := s.Finish(ctx, got[2], Success, true)
	if err != nil || done.Next != nil {
		t.Errorf("went on with %+v, %v", done.Next, err)
	}
	s.wantNone("j")
	s.Sound()
}

// The other task of the job keeps it at work when one is given back.
func (e suite) ATaskIsGivenBackBesideAnother(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"))
	s.set("j", "parallel = 2")
	s.MustClaim("j")
	if ok, err := s.GiveBack(ctx, s.MustClaim("j")); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	s.WantJob("j", job.StateWorking, job.Counts{Pending: 1, Running: 1}, 0)
	s.Sound()
}

func (e suite) NothingOfAJobThatIsHeldIsClaimed(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("held", Task("a"), Task("b"))
	s.MustEnqueue("j", Task("a"))
	first := s.MustClaim("held")
	s.set("held", "holds = 1")
	if n, err := s.Claimable(ctx, 9, ""); n != 1 || err != nil {
		t.Errorf("%d jobs can be claimed, %v, want 1", n, err)
	}
	if got := s.MustClaim(); got.Job != "j" {
		t.Errorf("claimed %s/%s", got.Job, got.Task)
	}
	s.wantNone("held")
	done, err := s.Finish(ctx, first, Success, true)
	if err != nil || done.Next != nil {
		t.Errorf("went on with %+v, %v", done.Next, err)
	}
	s.wantNone("held")
	s.set("held", "holds = 0")
	if got := s.MustClaim("held"); got.Task != "b" {
		t.Errorf("claimed %s", got.Task)
	}
	s.Sound()
}

// wantNone wants nothing to be claimed of a job.
func (s *Store) wantNone(name string) {
	s.T.Helper()
	for _, only := range []string{name, ""} {
		if a, err := s.Claim(ctx, db.Runner{}, 50, only); a != nil || err != nil {
			s.T.Errorf("claimed %+v, %v", a, err)
		}
	}
}
