package db_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func TestARemovedTaskIsGoneWithItsAttempts(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("bad"), task("good"), task("blocked", "bad"))
	s.work("bad")
	s.reset("j", "bad")
	s.work("bad")
	before := s.dump()
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
	s.unchanged(before)

	got, err := s.RemoveTasks(ctx, "j", []string{"bad", "blocked"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]db.Removed{{Task: "bad", Attempts: 2}, {Task: "blocked"}}, got); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	s.wantJob("j", job.StateCompleted, job.Counts{Completed: 1}, 0)
	s.sound()
	// Their numbers are not given again.
	if ids := s.enqueue("j", job.Spec{Command: "true"}).IDs; ids[0] != "4" {
		t.Errorf("the next task is %v, want 4", ids)
	}
	if _, err := s.RemoveTasks(ctx, "j", []string{"good", "4"}); err != nil {
		t.Error(err)
	}
	s.wantJob("j", job.StateCompleted, job.Counts{}, 0)
	s.sound()
}

func TestNothingThatRunsIsRemoved(t *testing.T) {
	s := open(t)
	s.enqueue("a", task("t"))
	s.enqueue("b", task("runs"), task("waits"))
	s.claim("b")
	before := s.dump()
	if _, err := s.RemoveJobs(ctx, []string{"a", "b"}); !errors.Is(err, db.ErrInUse) {
		t.Errorf("remove a job: %v, want ErrInUse", err)
	}
	if _, err := s.RemoveTasks(ctx, "b", []string{"waits", "runs"}); !errors.Is(err, db.ErrInUse) {
		t.Errorf("remove a task: %v, want ErrInUse", err)
	}
	s.unchanged(before)
}

func TestARemovedJobLeavesItsSubtasksInOtherJobs(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("parent"))
	p := s.claim()
	if _, err := s.Enqueue(ctx, subtasks("other", p.Token, task("child"))); err != nil {
		t.Fatal(err)
	}
	s.finish(p, success)
	c := s.claim("other")
	if _, err := s.Enqueue(ctx, subtasks("third", c.Token, task("grandchild"))); err != nil {
		t.Fatal(err)
	}
	removed, err := s.RemoveJobs(ctx, []string{"j", "j"})
	if err != nil || len(removed) != 1 || removed[0].Tasks != 1 {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if _, err := s.Enqueue(ctx, subtasks("third", c.Token, task("another"))); err != nil {
		t.Errorf("a task whose parent was removed cannot queue: %v", err)
	}
	s.finish(c, success)
	s.work()
	s.wantJob("third", job.StateCompleted, job.Counts{Completed: 2}, 0)
	s.sound()
}

func TestTheEnvironmentOfARemovedTaskGoesWithIt(t *testing.T) {
	s := open(t)
	secret := job.Spec{ID: "a", Command: "true", Env: []string{"PASSWORD=hunter2"}}
	shared := job.Spec{ID: "b", Command: "true", Env: []string{"LANG=C"}}
	s.enqueue("j", secret, shared)
	s.enqueue("k", shared)
	if _, err := s.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	var left string
	if err := s.raw("foreign_keys(1)").QueryRow(`SELECT group_concat(CAST(content AS TEXT)) FROM environment`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != "LANG=C\x00" {
		t.Errorf("environments left: %q", left)
	}
}

func TestFilesAreLeftToALaterTaskOfTheSameName(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b"))
	gone, err := s.RemoveTasks(ctx, "j", []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	s.enqueue("j", task("b"))
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

// Who watches a job goes on with it when an attempt that it has seen is there no
// more, and its number is given to another.
func TestAWatcherSeesAnAttemptThatTookTheNumberOfAnother(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b"))
	a := s.claim()
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
	s.finish(s.claim(), success)
	s.claim()
	got, err := s.Steps(ctx, "j", seen[0].Row, []int64{seen[0].Row})
	if err != nil || len(got) != 2 || got[0].Task != "a" || got[1].Task != "b" {
		t.Errorf("steps: %+v, %v, want those of a and b", got, err)
	}
}
