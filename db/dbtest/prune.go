package dbtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// clocked opens a new database whose clock the test sets.
func (e suite) clocked(t *testing.T) (*Store, *time.Time) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }}), &now
}

// prune deletes all that a query means, most tasks a commit, and returns the names of
// jobs and "job/task"s.
func (s *Store) prune(q db.PruneQuery, most int) (names []string) {
	s.T.Helper()
	note := func(p db.Pruned) {
		for _, j := range p.Jobs {
			names = append(names, j.Name)
		}
		for _, t := range p.Tasks {
			names = append(names, t.Job+"/"+t.Task)
		}
	}
	var jobs []db.EndedJob
	var err error
	if q.Jobs {
		if jobs, err = s.EndedJobs(ctx, q); err != nil {
			s.T.Fatal(err)
		}
	}
	whole := slices.Clone(jobs)
	for len(jobs) > 0 {
		var p db.Pruned
		if p, jobs, err = s.PruneJobs(ctx, jobs, most); err != nil {
			s.T.Fatal(err)
		}
		note(p)
		s.Sound()
	}
	if !q.Tasks {
		return names
	}
	err = s.EndedTasks(ctx, q, whole, func(ids []int64) error {
		dry, err := s.PruneTasks(ctx, ids, true)
		if err != nil {
			return err
		}
		p, err := s.PruneTasks(ctx, ids, false)
		if diff := cmp.Diff(dry, p); diff != "" {
			s.T.Errorf("a dry run says otherwise (-dry +pruned):\n%s", diff)
		}
		note(p)
		return err
	})
	if err != nil {
		s.T.Fatal(err)
	}
	s.Sound()
	return names
}

func (s *Store) wantPruned(q db.PruneQuery, want ...string) {
	s.T.Helper()
	if diff := cmp.Diff(want, s.prune(q, 100)); diff != "" {
		s.T.Errorf("%+v has pruned (-want +got):\n%s", q, diff)
	}
}

// run executes a statement without package db.
func (s *Store) run(query string, args ...any) {
	s.T.Helper()
	if _, err := s.sql().Exec(query, args...); err != nil {
		s.T.Fatal(err)
	}
}

func (e suite) EndedJobsArePrunedByAgeNumberAndState(t *testing.T) {
	s, now := e.clocked(t)
	begin := *now
	for i, name := range []string{"a", "bad", "c", "d", "e"} {
		*now = begin.AddDate(0, 0, i)
		s.MustEnqueue(name, Task(name), Task("after", name))
		s.Work("bad")
	}
	s.MustEnqueue("waits", Task("1"))
	limit := begin.AddDate(0, 0, 4) // all but e
	q := db.PruneQuery{Jobs: true, Before: limit, Match: func(name string) bool { return name == "c" }}
	s.wantPruned(q, "c")
	s.wantPruned(db.PruneQuery{Jobs: true, Before: limit, Status: job.Completed, Keep: 2}, "a")
	s.wantPruned(db.PruneQuery{Jobs: true, Status: job.Failed}, "bad")
	s.wantPruned(db.PruneQuery{Jobs: true, Before: limit}, "d")
	s.wantPruned(db.PruneQuery{Jobs: true, Keep: 1})
	s.wantPruned(db.PruneQuery{Jobs: true}, "e")
	if jobs := s.Dump().Jobs; len(jobs) != 1 || jobs[0].Name != "waits" {
		t.Errorf("%+v is left, want the job that waits", jobs)
	}
}

func (e suite) WhatSomebodyCountsOnIsNotPruned(t *testing.T) {
	s := e.open(t)
	for _, name := range []string{"paused", "scheduled", "runs"} {
		s.MustEnqueue(name, Task("1"))
		s.Work()
	}
	s.run(`UPDATE job SET paused_at = 1, holds = 1 WHERE name = 'paused'`)
	s.run(`INSERT INTO schedule (name, cron, timezone, overlap, missed, catch_up, job, spec, created_at, updated_at)
VALUES ('nightly', '@daily', '', 'skip', 'one', 0, 'scheduled', '{}', 1, 1)`)
	s.MustEnqueue("keyed", Task("1"))
	s.Work()
	s.run(`UPDATE task SET unique_key = 'k', unique_for = 999999999999999 WHERE job = (SELECT id FROM job WHERE name = 'keyed')`)
	s.MustEnqueue("runs", Task("2"))
	a := s.MustClaim("runs")
	before := s.Dump()
	s.wantPruned(db.PruneQuery{Jobs: true})
	s.Unchanged(before)
	s.MustFinish(a, Success)
	s.wantPruned(db.PruneQuery{Jobs: true}, "runs")
}

func (e suite) ATaskThatSomethingNeedsIsNotPruned(t *testing.T) {
	s, now := e.clocked(t)
	s.MustEnqueue("j", Task("bad"), Task("waits", "bad"), Task("parent"), Task("free"), Task("ended", "free"))
	for a := s.ClaimAny(Unlimited); a != nil; a = s.ClaimAny(Unlimited) {
		if a.Task == "parent" {
			if _, err := s.Enqueue(ctx, Subtasks("other", a.Token, Task("child"))); err != nil {
				t.Fatal(err)
			}
		}
		if a.Task == "child" {
			break // and runs
		}
		r := Success
		if a.Task == "bad" {
			r = Failure
		}
		s.MustFinish(a, r)
	}
	*now = now.AddDate(0, 0, 1)
	updated := s.MustJob("j").UpdatedAt
	q := db.PruneQuery{Jobs: true, Tasks: true, Before: *now}
	s.wantPruned(q, "j/free", "j/ended")
	if got := s.MustJob("j").UpdatedAt; !got.Equal(updated) {
		t.Errorf("the job became younger: updated %v, was %v", got, updated)
	}
	s.WantJob("j", job.StateFailed, job.Counts{Pending: 1, Completed: 1, Failed: 1}, 1)
	for _, r := range s.Running() {
		if lost, err := s.Lose(ctx, r, "gone"); !lost || err != nil {
			t.Fatal(lost, err)
		}
	}
	s.wantPruned(db.PruneQuery{Tasks: true, Before: now.AddDate(0, 0, 1)}, "j/parent", "other/child")
}

// A job whose tasks another job waits for, or were queued by one, stays.
func (e suite) AJobThatAnotherNeedsIsNotPruned(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("parent"))
	a := s.MustClaim()
	if _, err := s.Enqueue(ctx, Subtasks("other", a.Token, Task("child"))); err != nil {
		t.Fatal(err)
	}
	s.MustFinish(a, Success)
	s.wantPruned(db.PruneQuery{Jobs: true})
	s.MustFinish(s.MustClaim("other"), Success)
	s.wantPruned(db.PruneQuery{Jobs: true, Keep: 1}, "j")
	s.wantPruned(db.PruneQuery{Jobs: true}, "other")
}

func (e suite) TasksOfAJobFileStayAsLongAsTheirJob(t *testing.T) {
	s := e.open(t)
	if _, err := s.Enqueue(ctx, db.Batch{Job: "file", NewJob: true, FromFile: true, Tasks: Specs(Task("a"))}); err != nil {
		t.Fatal(err)
	}
	s.Work()
	later := time.Now().Add(time.Hour)
	s.wantPruned(db.PruneQuery{Tasks: true, Before: later})
	s.wantPruned(db.PruneQuery{Jobs: true, Before: later}, "file")
}

func (e suite) TheNewestTasksOfEachJobStay(t *testing.T) {
	s, now := e.clocked(t)
	for i := range 5 {
		*now = now.Add(time.Hour)
		s.MustEnqueue("j", Task(fmt.Sprint("t", i)))
		s.Work("t1", "t3")
	}
	if _, err := s.Dismiss(ctx, "j", []string{"t1"}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("other", Task("1"), Task("2"))
	s.Work()
	s.wantPruned(db.PruneQuery{Tasks: true, KeepTasks: 4}, "j/t0")
	s.wantPruned(db.PruneQuery{Tasks: true, KeepTasks: 2, Status: job.Completed}, "j/t1")
	s.wantPruned(db.PruneQuery{Tasks: true, Before: *now, Status: job.Failed}, "j/t3")
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 2}, 0)
	// Their numbers are not given again.
	if ids := s.MustEnqueue("j", job.Spec{Command: "true"}).IDs; ids[0] != "6" {
		t.Errorf("the next task is %v, want 6", ids)
	}
}

// Where pruning is cut off after any of its commits, what is left is in order.
func (e suite) ABigJobIsPrunedInSmallCommits(t *testing.T) {
	s := e.open(t)
	tasks := []job.Spec{{ID: "bad", Command: "true", Env: []string{"SECRET=1"}}}
	for i := range 12 {
		tasks = append(tasks, Task(fmt.Sprint("good", i)), Task(fmt.Sprint("chain", i), chained(i)))
	}
	s.MustEnqueue("j", tasks...)
	s.Work("bad")
	s.MustCancel("j", "chain11")
	jobs, err := s.EndedJobs(ctx, db.PruneQuery{Jobs: true})
	if err != nil || len(jobs) != 1 || jobs[0].Tasks != 25 {
		t.Fatalf("%+v, %v, want the job", jobs, err)
	}
	commits, rows := 0, 0
	for ; len(jobs) > 0; commits++ {
		var p db.Pruned
		if p, jobs, err = s.PruneJobs(ctx, jobs, 3); err != nil {
			t.Fatal(err)
		}
		if rows += p.Rows; len(jobs) > 0 && len(p.Jobs) > 0 {
			t.Errorf("the job is gone with tasks left: %+v", jobs)
		}
		s.Sound()
	}
	if commits < 5 || rows != 25 || len(s.Dump().Jobs) > 0 {
		t.Errorf("%d commits, %d tasks, want 25 in at least 5, and no job", commits, rows)
	}
	var n int
	if err := s.sql().QueryRow(`SELECT COUNT(*) FROM environment`).Scan(&n); err != nil || n > 0 {
		t.Errorf("%d environments, %v, want none", n, err)
	}
}

func chained(i int) string {
	if i == 0 {
		return "bad"
	}
	return fmt.Sprint("chain", i-1)
}

func (e suite) AJobThatGotATaskWhileItWasPrunedStays(t *testing.T) {
	s, now := e.clocked(t)
	s.MustEnqueue("j", Task("1"), Task("2"), Task("3"))
	s.Work()
	jobs, err := s.EndedJobs(ctx, db.PruneQuery{Jobs: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, jobs, err = s.PruneJobs(ctx, jobs, 1); err != nil || len(jobs) != 1 {
		t.Fatalf("%+v, %v, want that some is left", jobs, err)
	}
	*now = now.Add(time.Second)
	s.MustEnqueue("j", Task("new"))
	s.Work()
	p, jobs, err := s.PruneJobs(ctx, jobs, 1)
	if err != nil || p.Rows > 0 || len(jobs) > 0 {
		t.Errorf("%+v, %+v, %v, want that the job is left alone", p, jobs, err)
	}
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 3}, 0)
	s.Sound()
}
