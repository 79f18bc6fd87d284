package db_test

import (
	"context"
	"database/sql"
	"iter"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// The results that an attempt may have.
var (
	zero, one = 0, 1
	success   = job.Result{Status: job.Completed, ExitCode: &zero}
	failure   = job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: &one, Error: "exit code 1"}
)

// store is an open database, with methods that end the test where those of
// the database return an error.
type store struct {
	*db.DB
	t    *testing.T
	base string
}

func open(t *testing.T) *store { return openAt(t, t.TempDir(), db.Options{}) }

// openAt opens a database at a base path. Unless told otherwise it does not
// wait for the disk, for nobody cuts the power here.
func openAt(t *testing.T, base string, o db.Options) *store {
	t.Helper()
	if o.Durability == "" {
		o.Durability = "normal"
	}
	d, err := db.Open(context.Background(), base, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return &store{d, t, base}
}

// ticking is a clock that goes on by a second whenever somebody looks.
func ticking(from time.Time) func() time.Time {
	now := from
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

// raw opens the file of the database without any of our rules.
func (s *store) raw(pragmas ...string) *sql.DB {
	s.t.Helper()
	query := url.Values{"_pragma": append(pragmas, "busy_timeout(10000)")}
	pool, err := sql.Open("sqlite", "file:"+filepath.Join(s.base, db.FileName)+"?"+query.Encode())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { pool.Close() })
	return pool
}

// specs makes a batch of tasks.
func specs(tasks ...job.Spec) iter.Seq2[job.Spec, error] { return seq(tasks) }

// seq yields the values, and no error.
func seq[T any](values []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// task is a task with an id, and with dependencies.
func task(id string, needs ...string) job.Spec {
	return job.Spec{ID: id, Command: "true", Dependencies: needs}
}

// urgent is a task with an id and a priority.
func urgent(id string, priority int) job.Spec {
	return job.Spec{ID: id, Command: "true", Priority: priority}
}

func (s *store) enqueue(name string, tasks ...job.Spec) db.Added {
	s.t.Helper()
	added, err := s.Enqueue(context.Background(), db.Batch{Job: name, Tasks: specs(tasks...)})
	if err != nil {
		s.t.Fatal(err)
	}
	return added
}

// refused queues tasks that must not be taken, and returns the error. Nothing
// may have changed.
func (s *store) refused(b db.Batch) error {
	s.t.Helper()
	before := s.dump()
	added, err := s.Enqueue(context.Background(), b)
	if err == nil {
		s.t.Fatalf("the batch was taken: %+v", added)
	}
	s.unchanged(before)
	return err
}

// runner is who claims in these tests.
var runner1 = db.Runner{Lock: 7, PID: 4242, PIDStart: 99, Host: "host", BootID: "boot", Manager: "manager"}

const unlimited = 1000

// claim claims a task, which must be there. With only, in that job.
func (s *store) claim(only ...string) *db.Assignment {
	s.t.Helper()
	a := s.claimAny(unlimited, only...)
	if a == nil {
		s.t.Fatal("there is no task to claim")
	}
	return a
}

// claimAny claims a task, if there is one.
func (s *store) claimAny(most int, only ...string) *db.Assignment {
	s.t.Helper()
	name := ""
	if len(only) > 0 {
		name = only[0]
	}
	a, err := s.Claim(context.Background(), runner1, most, name)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *store) finish(a *db.Assignment, r job.Result) db.Finished {
	s.t.Helper()
	done, err := s.Finish(context.Background(), a, r, false)
	if err != nil {
		s.t.Fatal(err)
	}
	return done
}

// work claims and finishes tasks until there are none to claim. Those named
// fail, the others complete. It returns their ids in order.
func (s *store) work(failing ...string) []string {
	s.t.Helper()
	var ids []string
	for a := s.claimAny(unlimited); a != nil; a = s.claimAny(unlimited) {
		ids = append(ids, a.Task)
		r := success
		for _, f := range failing {
			if a.Task == f {
				r = failure
			}
		}
		s.finish(a, r)
	}
	return ids
}

// reset resets what has failed, or the tasks with these ids.
func (s *store) reset(name string, ids ...string) int {
	s.t.Helper()
	r, err := s.Reset(context.Background(), name, db.Which{Tasks: ids})
	if err != nil {
		s.t.Fatal(err)
	}
	return r.Reset
}

func (s *store) cancel(name, id string) db.Cancelling {
	s.t.Helper()
	c, err := s.Cancel(context.Background(), name, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *store) active() []db.Active {
	s.t.Helper()
	a, err := s.Active(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// lose ends the attempt of a task as that of a dead runner.
func (s *store) lose(name, id string) {
	s.t.Helper()
	for _, a := range s.active() {
		if a.Job == name && a.Task == id {
			if lost, err := s.Lose(context.Background(), a, "its runner is gone"); err != nil || !lost {
				s.t.Fatalf("Lose: %t, %v", lost, err)
			}
			return
		}
	}
	s.t.Fatalf("task %q of job %q does not run", id, name)
}

func (s *store) load(name string, tasks ...job.Task) {
	s.t.Helper()
	if err := s.Import(context.Background(), aJob(name), seq(tasks)); err != nil {
		s.t.Fatal(err)
	}
}

// aJob is a job as a state.json may hold it.
func aJob(name string) job.Job {
	return job.Job{
		UUID: "3f0e3a52-55a5-4d2c-9c59-6b1a1a1c0000", Name: name, State: job.StateWaiting,
		CreatedAt: time.Date(2025, 1, 2, 3, 4, 5, 678901000, time.UTC),
		UpdatedAt: time.Date(2025, 1, 2, 3, 4, 6, 0, time.UTC),
	}
}

// aTask is a pending task as a tasks.json may hold it.
func aTask(id string, needs ...string) job.Task {
	return job.Task{Spec: task(id, needs...), Status: job.Pending, CreatedAt: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)}
}

// aCompleted is a completed one.
func aCompleted(id string, needs ...string) job.Task {
	t := aTask(id, needs...)
	t.Status, t.ExitCode = job.Completed, &zero
	t.StartedAt, t.CompletedAt = t.CreatedAt.Add(time.Second), t.CreatedAt.Add(2*time.Second)
	return t
}

func (s *store) job(name string) job.Job {
	s.t.Helper()
	j, err := s.Job(context.Background(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

func (s *store) task(name, id string) job.Task {
	s.t.Helper()
	got, err := s.Task(context.Background(), name, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// wantJob compares a job's state and counters.
func (s *store) wantJob(name string, state job.State, counts job.Counts, blocked int) {
	s.t.Helper()
	type facts struct {
		State   job.State
		Counts  job.Counts
		Blocked int
	}
	j := s.job(name)
	if diff := cmp.Diff(facts{state, counts, blocked}, facts{j.State, j.Tasks, j.Blocked}); diff != "" {
		s.t.Errorf("job %s (-want +got):\n%s", name, diff)
	}
}

// contents is all that a database says of its jobs.
type contents struct {
	Jobs     []job.Job
	Tasks    []job.Task
	Attempts []job.Attempt
	Active   []db.Active
}

func (s *store) dump() contents {
	s.t.Helper()
	ctx := context.Background()
	jobs, err := s.Jobs(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	c := contents{Jobs: jobs, Active: s.active()}
	for _, j := range jobs {
		tasks, err := s.Tasks(ctx, j.Name)
		if err != nil {
			s.t.Fatal(err)
		}
		attempts, err := s.Attempts(ctx, j.Name, "")
		if err != nil {
			s.t.Fatal(err)
		}
		c.Tasks, c.Attempts = append(c.Tasks, tasks...), append(c.Attempts, attempts...)
	}
	return c
}

// unchanged fails the test if anything differs from what was there before.
func (s *store) unchanged(before contents) {
	s.t.Helper()
	if diff := cmp.Diff(before, s.dump(), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ending" }, cmp.Ignore())); diff != "" {
		s.t.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

// sound fails the test if rows contradict each other.
func (s *store) sound() {
	s.t.Helper()
	found, err := s.Check(context.Background())
	if err != nil || len(found) > 0 {
		s.t.Errorf("Check: %+v, %v, want nothing", found, err)
	}
}
