package db_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// blockers are what the pending tasks of a job wait for.
func (s *store) blockers(name string) map[string][]db.Blocker {
	s.t.Helper()
	out := map[string][]db.Blocker{}
	err := s.ListTasks(ctx, db.Filter{Job: name}, func(l db.Listed) error {
		if len(l.Blockers) > 0 {
			out[l.ID] = l.Blockers
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// list returns job/id of the tasks that a filter lets through.
func (s *store) list(f db.Filter) (ids []string) {
	s.t.Helper()
	err := s.ListTasks(ctx, f, func(l db.Listed) error {
		ids = append(ids, l.Job+"/"+l.ID)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

func TestTasksAreListedInAnyOrder(t *testing.T) {
	s := openAt(t, t.TempDir(), db.Options{Clock: ticking(time.Date(2025, 10, 2, 10, 30, 0, 0, time.UTC))})
	s.enqueue("z", task("done"), task("bad"), task("waits", "bad"), task("ready"))
	s.finish(s.claim(), success)
	s.finish(s.claim(), failure)
	s.enqueue("a", task("runs"), task("next"))
	s.claim("a")
	for range 10 { // at each, the clock goes on, and so does the task that runs
		s.list(db.Filter{Order: db.ByDuration})
	}
	for order, want := range map[db.Order][]string{
		db.ByJob:      {"a/runs", "a/next", "z/done", "z/bad", "z/waits", "z/ready"},
		db.ByName:     {"z/bad", "z/done", "a/next", "z/ready", "a/runs", "z/waits"},
		db.ByState:    {"a/runs", "z/bad", "z/ready", "a/next", "z/waits", "z/done"},
		db.ByCreated:  {"a/next", "a/runs", "z/ready", "z/waits", "z/bad", "z/done"},
		db.ByUpdated:  {"a/runs", "a/next", "z/bad", "z/done", "z/ready", "z/waits"},
		db.ByDuration: {"a/runs", "z/done", "z/bad", "z/waits", "z/ready", "a/next"},
	} {
		if diff := cmp.Diff(want, s.list(db.Filter{Order: order})); diff != "" {
			t.Errorf("by %q (-want +got):\n%s", order, diff)
		}
	}
}

func TestTasksAreListedInParts(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b", "a"), task("c", "a", "b"), task("d"))
	s.enqueue("k", task("a"))
	s.work("d")
	for _, c := range []struct {
		name   string
		filter db.Filter
		want   []string
	}{
		{"one job", db.Filter{Job: "j"}, []string{"j/a", "j/b", "j/c", "j/d"}},
		{"one task", db.Filter{Job: "j", Task: "c"}, []string{"j/c"}},
		{"the first", db.Filter{Limit: 2}, []string{"j/a", "j/b"}},
		{"the next", db.Filter{Limit: 2, Offset: 2}, []string{"j/c", "j/d"}},
		{"what failed", db.Filter{Statuses: []job.Status{job.Failed}}, []string{"j/d"}},
		{"what failed or is done", db.Filter{Statuses: []job.Status{job.Failed, job.Completed}}, []string{"j/a", "j/b", "j/c", "j/d", "k/a"}},
		{"what waits", db.Filter{Statuses: []job.Status{job.Pending}}, nil},
	} {
		if diff := cmp.Diff(c.want, s.list(c.filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	s.enqueue("l", task("seen"), task("bad"))
	s.work("seen", "bad")
	if _, err := s.Dismiss(ctx, "l", []string{"seen"}); err != nil {
		t.Fatal(err)
	}
	for f, want := range map[db.Order][]string{db.ByJob: {"l/bad"}, db.ByState: {"l/bad"}} {
		if diff := cmp.Diff(want, s.list(db.Filter{Job: "l", Order: f, Statuses: []job.Status{job.Failed}})); diff != "" {
			t.Errorf("failures that count, by %q (-want +got):\n%s", f, diff)
		}
	}
	if diff := cmp.Diff([]string{"l/bad", "l/seen"}, s.list(db.Filter{Job: "l", Order: db.ByState})); diff != "" {
		t.Errorf("what was dismissed comes last (-want +got):\n%s", diff)
	}
	none := func(db.Listed) error { return nil }
	if err := s.ListTasks(ctx, db.Filter{Job: "nope"}, none); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("%v, want ErrNoJob", err)
	}
	if err := s.ListTasks(ctx, db.Filter{Job: "j", Task: "nope"}, none); !errors.Is(err, db.ErrNoTask) {
		t.Errorf("%v, want ErrNoTask", err)
	}
}

func TestCancelledTasksAreCountedByJob(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("bad"), task("x"), task("y"))
	s.work("bad")
	s.enqueue("k", task("a"), task("b"))
	s.enqueue("j", task("z"))
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

func TestNamesOfVariablesAreTold(t *testing.T) {
	s := open(t)
	s.enqueue("j", job.Spec{ID: "with", Command: "true", Env: []string{"PATH=/bin", "SECRET=a=b"}}, job.Spec{ID: "empty", Command: "true", Env: []string{}}, task("without"))
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

func TestTasksOfAnOlderDatabaseAreListed(t *testing.T) {
	base := t.TempDir()
	version1(t, base)
	s := openAt(t, base, db.Options{})
	for order, want := range map[db.Order][]string{
		db.ByState: {"report/count", "build/compile", "build/test", "report/mail"},
		db.ByName:  {"build/compile", "report/count", "report/mail", "build/test"},
	} {
		got := s.list(db.Filter{Order: order, Statuses: []job.Status{job.Failed, job.Running, job.Pending}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %q (-want +got):\n%s", order, diff)
		}
	}
	if got, err := s.Cancelled(ctx, ""); err != nil || len(got) > 0 {
		t.Errorf("cancelled: %v, %v", got, err)
	}
}
