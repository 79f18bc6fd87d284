package dbtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

var everyOrder = []db.Order{db.ByJob, db.ByName, db.ByState, db.ByCreated, db.ByUpdated, db.ByDuration}

// mixed is a database with jobs and tasks in all states. Its clock advances at every
// reading.
func (e suite) mixed(t *testing.T) *Store {
	t.Helper()
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: Ticking(time.Date(2025, 10, 2, 10, 30, 0, 0, time.UTC))})
	s.MustEnqueue("done", Task("a"), Task("b", "a"))
	s.Work()
	s.MustEnqueue("bad", Task("x"), Task("y", "x"), Task("z"))
	s.Work("x", "z")
	if _, err := s.Dismiss(ctx, "bad", []string{"z"}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("busy", Task("1"), Task("2"), Task("3", "1", "2"))
	s.MustClaim("busy")
	s.MustEnqueue("busier", Task("1"), Task("2"))
	s.MustClaim("busier")
	s.MustEnqueue("waits", Task("a"))
	return s
}

// jobs returns the names of the jobs that a query asks for.
func (s *Store) jobs(q db.JobsQuery) (names []string, last *db.JobCursor) {
	s.T.Helper()
	jobs, err := s.ListJobs(ctx, q)
	if err != nil {
		s.T.Fatal(err)
	}
	for _, j := range jobs {
		names, last = append(names, j.Name), q.Place(j)
	}
	return names, last
}

func (e suite) JobsAreListedInPages(t *testing.T) {
	s := e.mixed(t)
	for order, want := range map[db.Order][]string{
		db.ByJob:     {"bad", "busier", "busy", "done", "waits"},
		db.ByName:    {"bad", "busier", "busy", "done", "waits"},
		db.ByState:   {"busier", "busy", "bad", "waits", "done"},
		db.ByCreated: {"waits", "busier", "busy", "bad", "done"},
		db.ByUpdated: {"waits", "busier", "busy", "bad", "done"},
	} {
		if got, _ := s.jobs(db.JobsQuery{Sort: order}); !cmp.Equal(got, want) {
			t.Errorf("by %q: %q, want %q", order, got, want)
		}
	}
	for _, order := range everyOrder {
		all, _ := s.jobs(db.JobsQuery{Sort: order})
		var got []string
		q := db.JobsQuery{Sort: order, Limit: 2}
		for page, last := s.jobs(q); len(page) > 0 && len(got) <= len(all); page, last = s.jobs(q) {
			got, q.After = append(got, page...), last
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("by %q, page after page (-whole +pages):\n%s", order, diff)
		}
		if got, _ := s.jobs(db.JobsQuery{Sort: order, Limit: 2, Offset: 3}); !cmp.Equal(got, all[3:]) {
			t.Errorf("by %q, from the fourth: %q, want %q", order, got, all[3:])
		}
	}
}

func (e suite) TheForemostJobsAreChosen(t *testing.T) {
	s := e.mixed(t)
	for n, want := range map[int][]string{
		5: {"bad", "busier", "busy", "done", "waits"},
		4: {"busy", "busier", "bad", "done"},
		3: {"busy", "busier", "bad"},
		1: {"busy"},
	} {
		jobs, of, err := s.Foremost(ctx, n)
		var got []string
		for _, j := range jobs {
			got = append(got, j.Name)
			if whole, err := s.Job(ctx, j.Name); err != nil || !cmp.Equal(j, whole) {
				t.Errorf("%+v, want %+v, %v", j, whole, err)
			}
		}
		if !cmp.Equal(got, want) || of != 5 || err != nil {
			t.Errorf("%d: %q of %d, %v, want %q", n, got, of, err, want)
		}
	}
	s = e.open(t)
	for _, name := range []string{"a", "b", "c"} {
		s.MustEnqueue(name, Task("x"))
	}
	if jobs, _, err := s.Foremost(ctx, 2); err != nil || jobs[0].Name != "c" || jobs[1].Name != "b" {
		t.Errorf("%+v, %v, want the newest", jobs, err)
	}
}

func (e suite) OnlyTheJobsThatAreAskedForAreListed(t *testing.T) {
	s := e.mixed(t)
	for _, c := range []struct {
		name  string
		query db.JobsQuery
		want  []string
	}{
		{"in a state", db.JobsQuery{State: new(job.StateWorking)}, []string{"busier", "busy"}},
		{"with a prefix", db.JobsQuery{NamePrefix: new("b")}, []string{"bad", "busier", "busy"}},
		{"with a whole name", db.JobsQuery{NamePrefix: new("busy")}, []string{"busy"}},
		{"with what is no pattern", db.JobsQuery{NamePrefix: new("b%")}, nil},
		{"with failures", db.JobsQuery{Failed: new(true)}, []string{"bad"}},
		{"without failures", db.JobsQuery{Failed: new(false), State: new(job.StateCompleted)}, []string{"done"}},
		{"after a job", db.JobsQuery{NamePrefix: new("b"), After: &db.JobCursor{Name: "busier"}}, []string{"busy"}},
	} {
		if got, _ := s.jobs(c.query); !cmp.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func (e suite) TotalsAreTheSumsOverAllJobs(t *testing.T) {
	s := e.mixed(t)
	got, err := s.Totals(ctx)
	want := db.Totals{
		Jobs:    map[job.State]int{job.StateWorking: 2, job.StateFailed: 1, job.StateCompleted: 1, job.StateWaiting: 1},
		Tasks:   job.Counts{Pending: 5, Running: 2, Completed: 2, Failed: 1, Dismissed: 1},
		Blocked: 2,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || got.Count() != 5 {
		t.Errorf("%v, %d jobs (-want +got):\n%s", err, got.Count(), diff)
	}
	var sum db.Totals
	jobs, err := s.Jobs(ctx)
	for _, j := range jobs {
		sum.Add(j)
	}
	if diff := cmp.Diff(want, sum); err != nil || diff != "" {
		t.Errorf("by hand: %v (-want +got):\n%s", err, diff)
	}
	if none, err := e.open(t).Totals(ctx); err != nil || none.Count() != 0 {
		t.Errorf("of none: %+v, %v", none, err)
	}
}

func (e suite) TasksAreListedInPages(t *testing.T) {
	s := e.mixed(t)
	for _, order := range everyOrder {
		for _, only := range [][]job.Status{nil, {job.Running}, {job.Failed}, {job.Pending, job.Running}} {
			all := s.List(db.TasksQuery{Sort: order, Statuses: only})
			var got []string
			q := db.TasksQuery{Sort: order, Statuses: only, Limit: 2}
			for more := true; more && len(got) <= len(all); {
				more = false
				err := s.ListTasks(ctx, q, func(l db.Listed) error {
					got, q.After, more = append(got, l.Job+"/"+l.ID), &l.Place, true
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(all, got); diff != "" {
				t.Errorf("%q by %q, page after page (-whole +pages):\n%s", only, order, diff)
			}
		}
	}
	if got, want := s.List(db.TasksQuery{Statuses: []job.Status{job.Running}}), []string{"busier/1", "busy/1"}; !cmp.Equal(got, want) {
		t.Errorf("running: %q, want %q", got, want)
	}
}
