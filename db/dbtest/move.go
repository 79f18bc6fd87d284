package dbtest

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// mustMove moves tasks of job j.
func (s *Store) mustMove(m db.Move) db.Moved {
	s.T.Helper()
	out, err := s.Move(ctx, "j", m)
	if err != nil {
		s.T.Fatal(err)
	}
	return out
}

// wantOrder runs what can run, in one place, and compares the order.
func (s *Store) wantOrder(want ...string) {
	s.T.Helper()
	s.Sound()
	if diff := cmp.Diff(want, s.Work()); diff != "" {
		s.T.Errorf("order (-want +got):\n%s", diff)
	}
}

func (e suite) AMovedTaskRunsFirst(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c"), Task("d"))
	if got := s.mustMove(db.Move{Tasks: []string{"d", "c", "d"}}); !slices.Equal(got.Tasks, []string{"c", "d"}) {
		t.Errorf("moved %q", got.Tasks)
	}
	s.mustMove(db.Move{Tasks: []string{"b"}})
	s.wantOrder("b", "c", "d", "a")
}

func (e suite) AMovedTaskRunsLastButBeforeNewOnes(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c"))
	s.mustMove(db.Move{Tasks: []string{"a", "b"}, Last: true})
	s.MustEnqueue("j", Task("d"))
	s.wantOrder("c", "a", "b", "d")
}

func (e suite) TasksAreMovedBeforeAnother(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c"), Task("d"), Task("e"), Task("f"))
	s.mustMove(db.Move{Tasks: []string{"f", "e"}, Before: "b"}) // a e f b c d: the front makes room
	s.mustMove(db.Move{Tasks: []string{"a"}, Before: "d"})      // e f b c a d: the back does
	s.mustMove(db.Move{Tasks: []string{"d"}, Before: "e"})      // d e f b c a
	s.mustMove(db.Move{Tasks: []string{"a"}, Before: "f"})
	s.MustEnqueue("j", Task("g"))
	s.wantOrder("d", "e", "a", "f", "b", "c", "g")
}

func (e suite) PriorityAndDependenciesComeBeforeTheOrder(t *testing.T) {
	s := e.open(t)
	high := Task("high")
	high.Priority = 5
	s.MustEnqueue("j", Task("a"), Task("b", "a"), high, Task("c"))
	got := s.mustMove(db.Move{Tasks: []string{"b", "c"}})
	want := db.Moved{Tasks: []string{"b", "c"}, Outranked: []string{"b", "c"}, Waiting: []string{"b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := s.mustMove(db.Move{Tasks: []string{"b"}, Before: "a"}); !slices.Equal(got.Needing, []string{"b"}) {
		t.Errorf("%+v, want that b needs a", got)
	}
	before := s.Dump()
	for name, m := range map[string]db.Move{
		"another priority": {Tasks: []string{"c"}, Before: "high"},
		"itself":           {Tasks: []string{"a", "c"}, Before: "a"},
	} {
		if _, err := s.Move(ctx, "j", m); !errors.Is(err, db.ErrOrder) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Unchanged(before)
	s.wantOrder("high", "c", "a", "b")
}

func (e suite) OnlyPendingTasksAreMoved(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c"))
	s.MustClaim("j")
	before := s.Dump()
	for _, m := range []db.Move{{Tasks: []string{"b", "a"}}, {Tasks: []string{"c"}, Before: "a"}} {
		var bad *db.NotPending
		if _, err := s.Move(ctx, "j", m); !errors.As(err, &bad) || len(bad.Tasks) != 1 || bad.Tasks[0].ID != "a" {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if _, err := s.Move(ctx, "j", db.Move{Tasks: []string{"b", "none"}}); !errors.Is(err, db.ErrNoTask) {
		t.Error(err)
	}
	if _, err := s.Move(ctx, "none", db.Move{Tasks: []string{"b"}}); !errors.Is(err, db.ErrNoJob) {
		t.Error(err)
	}
	s.Unchanged(before)
}

// What needs places in pools, and what needs none, is in one order.
func (e suite) TasksWithPoolsAreMovedToo(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 1)
	s.setPool("disk", 1)
	s.MustEnqueue("j", Task("a"), pooled("b", "gpu"), pooled("c", "disk"), pooled("d", "gpu"))
	s.mustMove(db.Move{Tasks: []string{"d"}})
	s.mustMove(db.Move{Tasks: []string{"c"}, Before: "b"})
	s.wantOrder("d", "a", "c", "b")
}

func (e suite) TheOrderIsExportedAndImported(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c"))
	s.mustMove(db.Move{Tasks: []string{"c"}})
	s.mustMove(db.Move{Tasks: []string{"a"}, Last: true})
	tasks, err := s.Tasks(ctx, "j")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	s.MustImport("j", tasks...)
	s.MustEnqueue("j", Task("d"))
	if got := s.MustTask("j", "d"); got.Status != job.Pending {
		t.Errorf("%+v", got)
	}
	s.wantOrder("c", "b", "a", "d")
}
