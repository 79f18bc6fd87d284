package dbtest

import (
	"context"
	"database/sql"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// The results that an attempt may have.
var (
	zero, one = 0, 1
	Success   = job.Result{Status: job.Completed, ExitCode: &zero}
	Failure   = job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: &one, Error: "exit code 1"}
)

// Store is an open database, with methods that end the test where those of
// the database return an error.
type Store struct {
	*db.DB
	T      *testing.T
	Base   string // its base path
	engine Engine
}

// Open opens a database at a base path, and closes it when the test ends. By default it
// does not wait for the disk, because the tests do not cut the power.
func Open(t *testing.T, e Engine, base string, o db.Options) *Store {
	t.Helper()
	if o.Durability == "" {
		o.Durability = "normal"
	}
	d, err := e.Open(context.Background(), base, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Store{d, t, base, e}
}

// Ticking is a clock that advances by a second at every reading, by whatever goroutine.
func Ticking(from time.Time) func() time.Time {
	var seconds atomic.Int64
	return func() time.Time { return from.Add(time.Duration(seconds.Add(1)) * time.Second) }
}

// sql opens the database without package db.
func (s *Store) sql() *sql.DB {
	s.T.Helper()
	return s.engine.SQL(s.T, s.Base)
}

// Specs makes a batch of tasks.
func Specs(tasks ...job.Spec) iter.Seq2[job.Spec, error] { return Seq(tasks) }

// Seq yields the values, and no error.
func Seq[T any](values []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// MustTask is a task with an id, and with dependencies.
func Task(id string, needs ...string) job.Spec {
	return job.Spec{ID: id, Command: "true", Dependencies: needs}
}

// Urgent is a task with an id and a priority.
func Urgent(id string, priority int) job.Spec {
	return job.Spec{ID: id, Command: "true", Priority: priority}
}

// MustEnqueue queues tasks.
func (s *Store) MustEnqueue(name string, tasks ...job.Spec) db.Added {
	s.T.Helper()
	added, err := s.Enqueue(context.Background(), db.Batch{Job: name, Tasks: Specs(tasks...)})
	if err != nil {
		s.T.Fatal(err)
	}
	return added
}

// Refused queues tasks that must not be taken, and returns the error. Nothing
// may have changed.
func (s *Store) Refused(b db.Batch) error {
	s.T.Helper()
	before := s.Dump()
	added, err := s.Enqueue(context.Background(), b)
	if err == nil {
		s.T.Fatalf("the batch was taken: %+v", added)
	}
	s.Unchanged(before)
	return err
}

// Runner1 is the runner that claims in these tests.
var Runner1 = db.Runner{Lock: 7, PID: 4242, PIDStart: 99, Host: "host", BootID: "boot", Manager: "manager"}

// Unlimited is a limit of running attempts that no test reaches.
const Unlimited = 1000

// MustClaim claims a task, which must be there. With only, in that job.
func (s *Store) MustClaim(only ...string) *db.Assignment {
	s.T.Helper()
	a := s.ClaimAny(Unlimited, only...)
	if a == nil {
		s.T.Fatal("there is no task to claim")
	}
	return a
}

// ClaimAny claims a task, if there is one.
func (s *Store) ClaimAny(most int, only ...string) *db.Assignment {
	s.T.Helper()
	name := ""
	if len(only) > 0 {
		name = only[0]
	}
	a, err := s.Claim(context.Background(), Runner1, most, name)
	if err != nil {
		s.T.Fatal(err)
	}
	return a
}

// MustFinish records a result, and claims no other task with it.
func (s *Store) MustFinish(a *db.Assignment, r job.Result) db.Finished {
	s.T.Helper()
	done, err := s.Finish(context.Background(), a, r, false)
	if err != nil {
		s.T.Fatal(err)
	}
	return done
}

// Work claims and finishes tasks until there are none to claim. Those named
// fail, the others complete. It returns their ids in order.
func (s *Store) Work(failing ...string) []string {
	s.T.Helper()
	var ids []string
	for a := s.ClaimAny(Unlimited); a != nil; a = s.ClaimAny(Unlimited) {
		ids = append(ids, a.Task)
		r := Success
		for _, f := range failing {
			if a.Task == f {
				r = Failure
			}
		}
		s.MustFinish(a, r)
	}
	return ids
}

// MustReset resets what has failed, or the tasks with these ids.
func (s *Store) MustReset(name string, ids ...string) int {
	s.T.Helper()
	r, err := s.Reset(context.Background(), name, db.Which{Tasks: ids})
	if err != nil {
		s.T.Fatal(err)
	}
	return r.Reset
}

// MustCancel cancels one task, or those of the job for an empty id.
func (s *Store) MustCancel(name, id string) db.Cancelling {
	s.T.Helper()
	c, err := s.Cancel(context.Background(), name, id)
	if err != nil {
		s.T.Fatal(err)
	}
	return c
}

// Running returns the attempts that run.
func (s *Store) Running() []db.Active {
	s.T.Helper()
	a, err := s.Active(context.Background())
	if err != nil {
		s.T.Fatal(err)
	}
	return a
}

// MustLose ends the attempt of a task as that of a dead runner.
func (s *Store) MustLose(name, id string) {
	s.T.Helper()
	for _, a := range s.Running() {
		if a.Job == name && a.Task == id {
			if lost, err := s.Lose(context.Background(), a, "its runner is gone"); err != nil || !lost {
				s.T.Fatalf("Lose: %t, %v", lost, err)
			}
			return
		}
	}
	s.T.Fatalf("task %q of job %q does not run", id, name)
}

// MustImport imports a job with these tasks.
func (s *Store) MustImport(name string, tasks ...job.Task) {
	s.T.Helper()
	if err := s.Import(context.Background(), AJob(name), Seq(tasks)); err != nil {
		s.T.Fatal(err)
	}
}

// AJob is a job as a state.json may hold it.
func AJob(name string) job.Job {
	return job.Job{
		UUID: "3f0e3a52-55a5-4d2c-9c59-6b1a1a1c0000", Name: name, State: job.StateWaiting,
		CreatedAt: time.Date(2025, 1, 2, 3, 4, 5, 678901000, time.UTC),
		UpdatedAt: time.Date(2025, 1, 2, 3, 4, 6, 0, time.UTC),
	}
}

// ATask is a pending task as a tasks.json may hold it.
func ATask(id string, needs ...string) job.Task {
	return job.Task{Spec: Task(id, needs...), Status: job.Pending, CreatedAt: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)}
}

// ACompleted is a completed one.
func ACompleted(id string, needs ...string) job.Task {
	t := ATask(id, needs...)
	t.Status, t.ExitCode = job.Completed, &zero
	t.StartedAt, t.CompletedAt = t.CreatedAt.Add(time.Second), t.CreatedAt.Add(2*time.Second)
	return t
}

// MustJob returns a job.
func (s *Store) MustJob(name string) job.Job {
	s.T.Helper()
	j, err := s.Job(context.Background(), name)
	if err != nil {
		s.T.Fatal(err)
	}
	return j
}

// MustTask returns a task of a job.
func (s *Store) MustTask(name, id string) job.Task {
	s.T.Helper()
	got, err := s.Task(context.Background(), name, id)
	if err != nil {
		s.T.Fatal(err)
	}
	return got
}

// WantJob compares a job's state and counters.
func (s *Store) WantJob(name string, state job.State, counts job.Counts, blocked int) {
	s.T.Helper()
	type facts struct {
		State   job.State
		Counts  job.Counts
		Blocked int
	}
	j := s.MustJob(name)
	if diff := cmp.Diff(facts{state, counts, blocked}, facts{j.State, j.Tasks, j.Blocked}); diff != "" {
		s.T.Errorf("job %s (-want +got):\n%s", name, diff)
	}
}

// Contents is all that a database says of its jobs.
type Contents struct {
	Jobs     []job.Job
	Tasks    []job.Task
	Attempts []job.Attempt
	Active   []db.Active
}

// Dump reads all that the database says.
func (s *Store) Dump() Contents {
	s.T.Helper()
	ctx := context.Background()
	jobs, err := s.Jobs(ctx)
	if err != nil {
		s.T.Fatal(err)
	}
	c := Contents{Jobs: jobs, Active: s.Running()}
	for _, j := range jobs {
		tasks, err := s.Tasks(ctx, j.Name)
		if err != nil {
			s.T.Fatal(err)
		}
		attempts, err := s.Attempts(ctx, j.Name, "")
		if err != nil {
			s.T.Fatal(err)
		}
		c.Tasks, c.Attempts = append(c.Tasks, tasks...), append(c.Attempts, attempts...)
	}
	return c
}

// Unchanged fails the test if anything differs from the state before.
func (s *Store) Unchanged(before Contents) {
	s.T.Helper()
	if diff := cmp.Diff(before, s.Dump(), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ending" }, cmp.Ignore())); diff != "" {
		s.T.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

// Sound fails the test if rows contradict each other.
func (s *Store) Sound() {
	s.T.Helper()
	found, err := s.Check(context.Background())
	if err != nil || len(found) > 0 {
		s.T.Errorf("Check: %+v, %v, want nothing", found, err)
	}
}
