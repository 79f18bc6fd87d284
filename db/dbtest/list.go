package dbtest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// blockers are what the pending tasks of a job wait for.
func (s *Store) blockers(name string) map[string][]db.Blocker {
	s.T.Helper()
	out := map[string][]db.Blocker{}
	err := s.ListTasks(ctx, db.TasksQuery{Job: new(name)}, func(l db.Listed) error {
		if len(l.Blockers) > 0 {
			out[l.ID] = l.Blockers
		}
		return nil
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return out
}

// List returns job/id of the tasks that a query asks for.
func (s *Store) List(q db.TasksQuery) (ids []string) {
	s.T.Helper()
	err := s.ListTasks(ctx, q, func(l db.Listed) error {
		ids = append(ids, l.Job+"/"+l.ID)
		return nil
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return ids
}

func (e suite) TasksAreListedInAnyOrder(t *testing.T) {
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: Ticking(time.Date(2025, 10, 2, 10, 30, 0, 0, time.UTC))})
	s.MustEnqueue("z", Task("done"), Task("bad"), Task("waits", "bad"), Task("ready"))
	s.MustFinish(s.MustClaim(), Success)
	s.MustFinish(s.MustClaim(), Failure)
	s.MustEnqueue("a", Task("runs"), Task("next"))
	s.MustClaim("a")
	for range 10 { // at each, the clock goes on, and so does the task that runs
		s.List(db.TasksQuery{Sort: db.ByDuration})
	}
	for order, want := range map[db.Order][]string{
		db.ByJob:      {"a/runs", "a/next", "z/done", "z/bad", "z/waits", "z/ready"},
		db.ByName:     {"z/bad", "z/done", "a/next", "z/ready", "a/runs", "z/waits"},
		db.ByState:    {"a/runs", "z/bad", "z/ready", "a/next", "z/waits", "z/done"},
		db.ByCreated:  {"a/next", "a/runs", "z/ready", "z/waits", "z/bad", "z/done"},
		db.ByUpdated:  {"a/runs", "a/next", "z/bad", "z/done", "z/ready", "z/waits"},
		db.ByDuration: {"a/runs", "z/done", "z/bad", "z/waits", "z/ready", "a/next"},
	} {
		if diff := cmp.Diff(want, s.List(db.TasksQuery{Sort: order})); diff != "" {
			t.Errorf("by %q (-want +got):\n%s", order, diff)
		}
	}
}

func (e suite) TasksAreListedInParts(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c", "a", "b"), Task("d"))
	s.MustEnqueue("k", Task("a"))
	s.Work("d")
	for _, c := range []struct {
		name  string
		query db.TasksQuery
		want  []string
	}{
		{"one job", db.TasksQuery{Job: new("j")}, []string{"j/a", "j/b", "j/c", "j/d"}},
		{"one task", db.TasksQuery{Job: new("j"), Task: new("c")}, []string{"j/c"}},
		{"the first", db.TasksQuery{Limit: 2}, []string{"j/a", "j/b"}},
		{"the next", db.TasksQuery{Limit: 2, Offset: 2}, []string{"j/c", "j/d"}},
		{"what failed", db.TasksQuery{Statuses: []job.Status{job.Failed}}, []string{"j/d"}},
		{"what failed or is done", db.TasksQuery{Statuses: []job.Status{job.Failed, job.Completed}}, []string{"j/a", "j/b", "j/c", "j/d", "k/a"}},
		{"what waits", db.TasksQuery{Statuses: []job.Status{job.Pending}}, nil},
	} {
		if diff := cmp.Diff(c.want, s.List(c.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	s.MustEnqueue("l", Task("seen"), Task("bad"))
	s.Work("seen", "bad")
	if _, err := s.Dismiss(ctx, "l", []string{"seen"}); err != nil {
		t.Fatal(err)
	}
	for f, want := range map[db.Order][]string{db.ByJob: {"l/bad"}, db.ByState: {"l/bad"}} {
		if diff := cmp.Diff(want, s.List(db.TasksQuery{Job: new("l"), Sort: f, Statuses: []job.Status{job.Failed}})); diff != "" {
			t.Errorf("failures that count, by %q (-want +got):\n%s", f, diff)
		}
	}
	if diff := cmp.Diff([]string{"l/bad", "l/seen"}, s.List(db.TasksQuery{Job: new("l"), Sort: db.ByState})); diff != "" {
		t.Errorf("what was dismissed comes last (-want +got):\n%s", diff)
	}
	none := func(db.Listed) error { return nil }
	if err := s.ListTasks(ctx, db.TasksQuery{Job: new("nope")}, none); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("%v, want ErrNoJob", err)
	}
	if err := s.ListTasks(ctx, db.TasksQuery{Job: new("j"), Task: new("nope")}, none); !errors.Is(err, db.ErrNoTask) {
		t.Errorf("%v, want ErrNoTask", err)
	}
}

func (e suite) CancelledTasksAreCountedByJob(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("bad"), Task("x"), Task("y"))
	s.Work("bad")
	s.MustEnqueue("k", Task("a"), Task("b"))
	s.MustEnqueue("j", Task("z"))
	for _, name := range []string{"j", "k"} {
		if _, err := s.Cancel(ctx, name, ""); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]map[string]int{"": {"j": 1, "k": 2}, "k": {"k": 2}, "nope": {}} {
		if got, err := s.Cancelled(ctx, name); err != nil || !cmp.Equal(got, want) {
			t.Errorf("of %q: %v, %v; want %v", name, got, err, want)
		}
	}
}

func (e suite) NamesOfVariablesAreTold(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", job.Spec{ID: "with", Command: "true", Env: []string{"PATH=/bin", "SECRET=a=b"}}, job.Spec{ID: "empty", Command: "true", Env: []string{}}, Task("without"))
	for id, want := range map[string]struct {
		names  []string
		stored bool
	}{"with": {[]string{"PATH", "SECRET"}, true}, "empty": {nil, true}, "without": {nil, false}} {
		names, stored, err := s.EnvNames(ctx, "j", id)
		if err != nil || !cmp.Equal(names, want.names) || stored != want.stored {
			t.Errorf("%s: %q, %t, %v; want %q, %t", id, names, stored, err, want.names, want.stored)
		}
	}
}
