package dbtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// runFile begins a job with the tasks of a file, and works on it.
func (s *Store) runFile(name string, failing []string, tasks ...job.Spec) {
	s.T.Helper()
	if _, err := s.Enqueue(ctx, db.Batch{Job: name, NewJob: true, FromFile: true, Tasks: Specs(tasks...)}); err != nil {
		s.T.Fatal(err)
	}
	s.Work(failing...)
}

func (s *Store) resume(name string, tasks ...job.Spec) (db.Resumed, error) {
	return s.Resume(ctx, db.Batch{Job: name, Tasks: Specs(tasks...)})
}

func (e suite) AResumedJobRunsWhatTheFileSaysNow(t *testing.T) {
	s := e.open(t)
	old := job.Spec{ID: "a", Command: "sh", Args: []string{"-c", "false"}, Env: []string{"V=old"}}
	s.runFile("j", []string{"a", "gone"}, old, Task("b", "a"), Task("c"), Task("gone"), Task("left", "gone"))
	s.MustEnqueue("j", Task("byhand", "a"))
	now := job.Spec{ID: "a", Command: "sh", Args: []string{"-c", "true"}, Env: []string{"V=new"}, Priority: 3, Timeout: job.NoTimeout}
	got, err := s.resume("j", now, Task("b"), Task("c"), Task("new", "b"))
	if err != nil {
		t.Fatal(err)
	}
	old.Args, old.Env = []string{"-c", "false"}, []string{"V=old"}
	want := db.Resumed{
		Changes: []db.Change{
			{Status: job.Failed, Before: old, After: now},
			{Status: job.Pending, Before: Task("b", "a"), After: Task("b")},
			{Status: job.Completed, Before: Task("c"), After: Task("c")},
		},
		Added:    []string{"new"},
		Removed:  []db.Removed{{Task: "gone", Attempts: 1}, {Task: "left"}},
		Kept:     []string{"byhand"},
		LastStep: 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resumed (-want +got):\n%s", diff)
	}
	s.Sound()
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 4, Completed: 1}, 2)
	a := s.MustClaim()
	if diff := cmp.Diff(now.Args, a.Args); diff != "" || a.Env[0] != "V=new" || a.Timeout != job.NoTimeout || a.Attempt != 2 {
		t.Errorf("claimed %+v, want the second attempt, as the file says now", a)
	}
	s.MustFinish(a, Success)
	if ids := s.Work(); !cmp.Equal(ids, []string{"b", "byhand", "new"}) {
		t.Errorf("then ran %v", ids)
	}
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 5}, 0)
	s.Sound()
}

func (e suite) AResumedJobTakesUpWhatWasCancelledOrDismissed(t *testing.T) {
	s := e.open(t)
	tasks := []job.Spec{Task("a"), Task("b"), Task("c")}
	s.runFile("j", []string{"a"}, tasks...)
	s.dismiss("j", "a")
	s.MustEnqueue("j", Task("sub"))
	if _, err := s.Interrupt(ctx, "j"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.resume("j", tasks...); err != nil {
		t.Fatal(err)
	}
	if ids := s.Work(); !cmp.Equal(ids, []string{"a", "sub"}) {
		t.Errorf("ran %v, want a and sub", ids)
	}
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	s.Sound()
}

func (e suite) AResumedJobLeavesWhatRunsAsItIs(t *testing.T) {
	s := e.open(t)
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", FromFile: true, Tasks: Specs(Task("a"), Task("b"))}); err != nil {
		t.Fatal(err)
	}
	a := s.MustClaim()
	got, err := s.resume("j", Task("b"))
	if err != nil || !cmp.Equal(got.Running, []string{"a"}) {
		t.Errorf("resumed: %+v, %v, want that a runs", got, err)
	}
	s.Sound()
	s.MustFinish(a, Success)
	s.Work()
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 2}, 0)
	s.Sound()
}

func (e suite) ResumeIsRefusedWhereItContradictsWhatIsDone(t *testing.T) {
	s := e.open(t)
	s.runFile("j", []string{"b"}, Task("a"), Task("b"), Task("c", "b"))
	s.MustEnqueue("j", Task("byhand", "c"))
	before := s.Dump()
	for _, c := range []struct {
		names string
		tasks []job.Spec
	}{
		{`task "a" is completed, and now depends on "b"`, []job.Spec{Task("a", "b"), Task("b"), Task("c")}},
		{`task "a" is completed, and now depends on "d"`, []job.Spec{Task("a", "d"), Task("b"), Task("c"), Task("d")}},
		{`task "c", which is left out now, is needed by "byhand"`, []job.Spec{Task("a"), Task("b")}},
	} {
		_, err := s.resume("j", c.tasks...)
		if !errors.Is(err, db.ErrContradict) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%v, want ErrContradict, %s", err, c.names)
		}
	}
	s.Unchanged(before)
	if _, err := s.resume("absent", Task("a")); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("resume of no job: %v, want ErrNoJob", err)
	}
}

func (e suite) AJobThatMustBeNewIsNotMixedWithAnother(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	before := s.Dump()
	_, err := s.Enqueue(ctx, db.Batch{Job: "j", NewJob: true, Tasks: Specs(Task("b"))})
	if !errors.Is(err, db.ErrJobExists) {
		t.Errorf("%v, want ErrJobExists", err)
	}
	s.Unchanged(before)
}
