package db

import (
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// exercisePrune prunes tasks of a job that stays, and a whole one.
func exercisePrune(t *testing.T, d *DB, cmd func(string, ...string) job.Spec) {
	t.Helper()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var done []job.Task
	for _, id := range []string{"a", "b"} {
		spec := cmd(id)
		done = append(done, job.Task{Spec: spec, Status: job.Completed})
	}
	for _, name := range []string{"goes", "stays"} {
		must(nil, d.Import(t.Context(), job.Job{UUID: name, Name: name, State: job.StateCompleted}, sequence(done)))
	}
	q := PruneQuery{Before: time.Now().Add(time.Hour), Match: func(name string) bool { return name == "goes" }}
	jobs, err := d.EndedJobs(t.Context(), q)
	must(nil, err)
	_, _, err = d.PruneJobs(t.Context(), jobs, 10)
	must(nil, err)
	var ids []int64
	note := func(some []int64) error { ids = some; return nil }
	must(nil, d.EndedTasks(t.Context(), PruneQuery{Before: q.Before}, nil, note))
	must(nil, d.EndedTasks(t.Context(), PruneQuery{KeepTasks: 1, Before: q.Before}, nil, note))
	must(d.PruneTasks(t.Context(), ids, true))
	pruned, err := d.PruneTasks(t.Context(), ids, false)
	must(nil, err)
	must(nil, d.Checkpoint(t.Context()))
	must(d.LoggedAfter(t.Context(), 1, 2))
	must(d.LoggedByEnd(t.Context(), Logged{}, 2))
	must(nil, d.WhileNoneStarts(t.Context(), func(over func(Logged) (bool, error)) error {
		_, err := over(Logged{})
		return err
	}))
	if len(pruned.Tasks) == 0 || len(jobs) != 1 {
		t.Errorf("nothing was pruned: %+v of %v, %+v", pruned, ids, jobs)
	}
}

// What prune deletes is flushed by Checkpoint, when others can write again. What others
// write is flushed in the commit.
func TestOnlyAWriterInTheBackgroundDoesNotFlushItsCommits(t *testing.T) {
	const inCommit, later = 2, 1 // FULL, NORMAL
	base := t.TempDir()
	for _, c := range []struct {
		background bool
		want       int
	}{{false, inCommit}, {true, later}} {
		d, err := Open(t.Context(), base, Options{Background: c.background})
		if err != nil {
			t.Fatal(err)
		}
		conn, done, err := d.engine.Begin(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		err = conn.GetContext(t.Context(), &got, "PRAGMA synchronous")
		done(err == nil)
		if got != c.want || err != nil {
			t.Errorf("in the background %t: synchronous is %d (%v), want %d", c.background, got, err, c.want)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
