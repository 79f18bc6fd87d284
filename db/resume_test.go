package db_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// runFile begins a job with the tasks of a file, and works on it.
func (s *store) runFile(name string, failing []string, tasks ...job.Spec) {
	s.t.Helper()
	if _, err := s.Enqueue(ctx, db.Batch{Job: name, NewJob: true, FromFile: true, Tasks: specs(tasks...)}); err != nil {
		s.t.Fatal(err)
	}
	s.work(failing...)
}

func (s *store) resume(name string, tasks ...job.Spec) (db.Resumed, error) {
	return s.Resume(ctx, db.Batch{Job: name, Tasks: specs(tasks...)})
}

func TestAResumedJobRunsWhatTheFileSaysNow(t *testing.T) {
	s := open(t)
	old := job.Spec{ID: "a", Command: "sh", Args: []string{"-c", "false"}, Env: []string{"V=old"}}
	s.runFile("j", []string{"a", "gone"}, old, task("b", "a"), task("c"), task("gone"), task("left", "gone"))
	s.enqueue("j", task("byhand", "a"))
	now := job.Spec{ID: "a", Command: "sh", Args: []string{"-c", "true"}, Env: []string{"V=new"}, Priority: 3, Timeout: job.NoTimeout}
	got, err := s.resume("j", now, task("b"), task("c"), task("new", "b"))
	if err != nil {
		t.Fatal(err)
	}
	old.Args, old.Env = []string{"-c", "false"}, []string{"V=old"}
	want := db.Resumed{
		Changes: []db.Change{
			{Status: job.Failed, Before: old, After: now},
			{Status: job.Pending, Before: task("b", "a"), After: task("b")},
			{Status: job.Completed, Before: task("c"), After: task("c")},
		},
		Added:    []string{"new"},
		Removed:  []db.Removed{{Task: "gone", Attempts: 1}, {Task: "left"}},
		Kept:     []string{"byhand"},
		LastStep: 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resumed (-want +got):\n%s", diff)
	}
	s.sound()
	s.wantJob("j", job.StateWaiting, job.Counts{Pending: 4, Completed: 1}, 2)
	a := s.claim()
	if diff := cmp.Diff(now.Args, a.Args); diff != "" || a.Env[0] != "V=new" || a.Timeout != job.NoTimeout || a.Attempt != 2 {
		t.Errorf("claimed %+v, want the second attempt, as the file says now", a)
	}
	s.finish(a, success)
	if ids := s.work(); !cmp.Equal(ids, []string{"b", "byhand", "new"}) {
		t.Errorf("then ran %v", ids)
	}
	s.wantJob("j", job.StateCompleted, job.Counts{Completed: 5}, 0)
	s.sound()
}

func TestAResumedJobTakesUpWhatWasCancelledOrDismissed(t *testing.T) {
	s := open(t)
	tasks := []job.Spec{task("a"), task("b"), task("c")}
	s.runFile("j", []string{"a"}, tasks...)
	s.dismiss("j", "a")
	s.enqueue("j", task("sub"))
	if _, err := s.Interrupt(ctx, "j"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.resume("j", tasks...); err != nil {
		t.Fatal(err)
	}
	if ids := s.work(); !cmp.Equal(ids, []string{"a", "sub"}) {
		t.Errorf("ran %v, want a and sub", ids)
	}
	s.wantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	s.sound()
}

func TestAResumedJobLeavesWhatRunsAsItIs(t *testing.T) {
	s := open(t)
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", FromFile: true, Tasks: specs(task("a"), task("b"))}); err != nil {
		t.Fatal(err)
	}
	a := s.claim()
	got, err := s.resume("j", task("b"))
	if err != nil || !cmp.Equal(got.Running, []string{"a"}) {
		t.Errorf("resumed: %+v, %v, want that a runs", got, err)
	}
	s.sound()
	s.finish(a, success)
	s.work()
	s.wantJob("j", job.StateCompleted, job.Counts{Completed: 2}, 0)
	s.sound()
}

func TestResumeIsRefusedWhereItContradictsWhatIsDone(t *testing.T) {
	s := open(t)
	s.runFile("j", []string{"b"}, task("a"), task("b"), task("c", "b"))
	s.enqueue("j", task("byhand", "c"))
	before := s.dump()
	for _, c := range []struct {
		names string
		tasks []job.Spec
	}{
		{`task "a" is completed, and now depends on "b"`, []job.Spec{task("a", "b"), task("b"), task("c")}},
		{`task "a" is completed, and now depends on "d"`, []job.Spec{task("a", "d"), task("b"), task("c"), task("d")}},
		{`task "c", which is left out now, is needed by "byhand"`, []job.Spec{task("a"), task("b")}},
	} {
		_, err := s.resume("j", c.tasks...)
		if !errors.Is(err, db.ErrContradict) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%v, want ErrContradict, %s", err, c.names)
		}
	}
	s.unchanged(before)
	if _, err := s.resume("absent", task("a")); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("resume of no job: %v, want ErrNoJob", err)
	}
}

func TestAJobThatMustBeNewIsNotMixedWithAnother(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	before := s.dump()
	_, err := s.Enqueue(ctx, db.Batch{Job: "j", NewJob: true, Tasks: specs(task("b"))})
	if !errors.Is(err, db.ErrJobExists) {
		t.Errorf("%v, want ErrJobExists", err)
	}
	s.unchanged(before)
}
