package dbtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (e suite) ARemovedTaskIsGoneWithItsAttempts(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("bad"), Task("good"), Task("blocked", "bad"))
	s.Work("bad")
	s.MustReset("j", "bad")
	s.Work("bad")
	before := s.Dump()
	for _, c := range []struct {
		ids   []string
		want  error
		names string
	}{
		{[]string{"bad"}, db.ErrInUse, `needed by "blocked"`},
		{[]string{"good", "absent"}, db.ErrNoTask, `"absent"`},
	} {
		_, err := s.RemoveTasks(ctx, "j", c.ids)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("remove %v: %v, want %v that names %s", c.ids, err, c.want, c.names)
		}
	}
	s.Unchanged(before)

	got, err := s.RemoveTasks(ctx, "j", []string{"bad", "blocked"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]db.Removed{{Task: "bad", Attempts: 2}, {Task: "blocked"}}, got); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 1}, 0)
	s.Sound()
	// Their numbers are not given again.
	if ids := s.MustEnqueue("j", job.Spec{Command: "true"}).IDs; ids[0] != "4" {
		t.Errorf("the next task is %v, want 4", ids)
	}
	if _, err := s.RemoveTasks(ctx, "j", []string{"good", "4"}); err != nil {
		t.Error(err)
	}
	s.WantJob("j", job.StateCompleted, job.Counts{}, 0)
	s.Sound()
}

func (e suite) NothingThatRunsIsRemoved(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("t"))
	s.MustEnqueue("b", Task("runs"), Task("waits"))
	s.MustClaim("b")
	before := s.Dump()
	if _, err := s.RemoveJobs(ctx, []string{"a", "b"}); !errors.Is(err, db.ErrInUse) {
		t.Errorf("remove a job: %v, want ErrInUse", err)
	}
	if _, err := s.RemoveTasks(ctx, "b", []string{"waits", "runs"}); !errors.Is(err, db.ErrInUse) {
		t.Errorf("remove a task: %v, want ErrInUse", err)
	}
	s.Unchanged(before)
}

func (e suite) ARemovedJobLeavesItsSubtasksInOtherJobs(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("parent"))
	p := s.MustClaim()
	if _, err := s.Enqueue(ctx, Subtasks("other", p.Token, Task("child"))); err != nil {
		t.Fatal(err)
	}
	s.MustFinish(p, Success)
	c := s.MustClaim("other")
	if _, err := s.Enqueue(ctx, Subtasks("third", c.Token, Task("grandchild"))); err != nil {
		t.Fatal(err)
	}
	removed, err := s.RemoveJobs(ctx, []string{"j", "j"})
	if err != nil || len(removed) != 1 || removed[0].Tasks != 1 {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if _, err := s.Enqueue(ctx, Subtasks("third", c.Token, Task("another"))); err != nil {
		t.Errorf("a task whose parent was removed cannot queue: %v", err)
	}
	s.MustFinish(c, Success)
	s.Work()
	s.WantJob("third", job.StateCompleted, job.Counts{Completed: 2}, 0)
	s.Sound()
}

func (e suite) TheEnvironmentOfARemovedTaskGoesWithIt(t *testing.T) {
	s := e.open(t)
	secret := job.Spec{ID: "a", Command: "true", Env: []string{"PASSWORD=hunter2"}}
	shared := job.Spec{ID: "b", Command: "true", Env: []string{"LANG=C"}}
	s.MustEnqueue("j", secret, shared)
	s.MustEnqueue("k", shared)
	if _, err := s.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	var count int
	var left []byte
	if err := s.sql().QueryRow("SELECT count(*) FROM environment").Scan(&count); err != nil {
		t.Fatal(err)
	}
	if err := s.sql().QueryRow("SELECT content FROM environment").Scan(&left); err != nil {
		t.Fatal(err)
	}
	if count != 1 || string(left) != "LANG=C\x00" {
		t.Errorf("%d environments left, the first is %q", count, left)
	}
}

func (e suite) FilesAreLeftToALaterTaskOfTheSameName(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"))
	gone, err := s.RemoveTasks(ctx, "j", []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("j", Task("b"))
	var got []db.Removed
	if err := s.WhileGone(ctx, "j", gone, func(r []db.Removed) error { got = r; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Task != "a" {
		t.Errorf("gone: %+v, want a alone", got)
	}
	if err := s.WhileGone(ctx, "j", nil, func([]db.Removed) error { t.Error("called for a job that is there"); return nil }); err != nil {
		t.Fatal(err)
	}
}

// A watcher of a job continues when an attempt that it has seen was removed, and its
// number was given to another.
func (e suite) AWatcherSeesAnAttemptThatTookTheNumberOfAnother(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"))
	a := s.MustClaim()
	seen, err := s.Steps(ctx, "j", 0, nil)
	if err != nil || len(seen) != 1 {
		t.Fatalf("steps: %+v, %v", seen, err)
	}
	if given, err := s.GiveBack(ctx, a); !given || err != nil {
		t.Fatalf("GiveBack: %t, %v", given, err)
	}
	if got, err := s.Steps(ctx, "j", seen[0].Row, []int64{seen[0].Row}); err != nil || len(got) != 0 {
		t.Errorf("steps: %+v, %v, want none", got, err)
	}
	s.MustFinish(s.MustClaim(), Success)
	s.MustClaim()
	got, err := s.Steps(ctx, "j", seen[0].Row, []int64{seen[0].Row})
	if err != nil || len(got) != 2 || got[0].Task != "a" || got[1].Task != "b" {
		t.Errorf("steps: %+v, %v, want those of a and b", got, err)
	}
}
