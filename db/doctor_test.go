package db_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
	"github.com/air-executor/air-executor/job"
)

// everything fills a database with tasks in every condition.
func everything(t *testing.T) *store {
	t.Helper()
	s := open(t)
	s.MustEnqueue("j", job.Spec{ID: "done", Command: "true", Env: []string{"A=1"}}, task("bad"), task("ok", "done"), task("blocked", "bad"), task("cancelled"))
	s.MustCancel("j", "cancelled")
	s.Work("bad")
	s.MustReset("j", "bad")
	s.MustEnqueue("j", urgent("runs", 5), urgent("next", 3), task("later", "runs", "next"))
	runs := s.MustClaim("j")
	if _, err := s.Enqueue(ctx, dbtest.Subtasks("j", runs.Token, task("child"))); err != nil {
		t.Fatal(err)
	}
	s.MustImport("imported", aTask("a", "missing"), aCompleted("b"))
	s.MustEnqueue("ended", task("a"))
	s.MustFinish(s.MustClaim("ended"), success)
	s.MustEnqueue("later", task("a"))
	s.MustEnqueue("failed", task("a"))
	s.MustCancel("failed", "a")
	s.MustEnqueue("timed", job.Spec{ID: "a", Command: "true", Delay: time.Hour})
	if _, _, err := s.SetPool(ctx, "gpu", 3, false); err != nil {
		t.Fatal(err)
	}
	gpu := func(id string) job.Spec { return job.Spec{ID: id, Command: "true", Pools: []string{"gpu:2"}} }
	s.MustEnqueue("pooled", gpu("gpu1"), gpu("gpu2"))
	if _, err := s.SetJob(ctx, "pooled", db.JobChange{Parallel: new(2)}); err != nil {
		t.Fatal(err)
	}
	s.MustClaim("pooled")
	s.MustEnqueue("needs", task("far", "later:a"))
	s.Sound()
	return s
}

func TestCheckFindsEachKindOfDamage(t *testing.T) {
	const (
		file     = "the file is sound"
		rows     = "rows refer to rows that exist"
		counters = "a job's counters match its tasks"
		next     = "a job's next task is its best ready one"
		state    = "a job's state follows from its tasks"
		blockers = "a task's blockers are its unfinished dependencies and its holds"
		holds    = "a pending task's holds are the times and places that it waits for, others have none"
		jobHolds = "a job's holds are its pause and the retries that it waits for"
		link     = "what a link says follows from the task that it is on"
		linked   = "a job with links knows it"
		lane     = "a lane has the best task that waits only for its places"
		pooled   = "a job with tasks that need pools is marked so"
		ended    = "only running attempts hold places in pools"
		places   = "a running task holds the places that it needs"
		running  = "a running task has one running attempt, any other has none"
		number   = "no attempt has a number above its task's count"
		ofJob    = "an attempt is of its task's job"
		overlap  = "attempts of a task do not overlap"
		args     = "the arguments of a task are a list of texts"
		forgot   = "no task waits for the end of one that has ended"
		exited   = "a completed task exited with 0"
		paused   = "a paused job is held"
		label    = "a label is of a job or task that exists"
		moved    = "a task's place is between the ends of its job"
	)
	found := map[string]bool{}
	for _, c := range []struct{ name, damage, rule, place string }{
		{"a row that no constraint allows", `UPDATE task SET status = 'odd' WHERE name = 'child'`, file, ""},
		{"a running task in no time", `UPDATE task SET started_at = NULL WHERE name = 'runs'`, file, ""},
		{"no such job", `DELETE FROM job WHERE name = 'imported'`, rows, "task"},
		{"no such environment", `DELETE FROM environment`, rows, "task"},
		{"no such dependency", `UPDATE dependency SET needs = 4711 WHERE needs IS NOT NULL`, rows, "dependency"},
		{"a task beyond the last place", `UPDATE task SET place = 3 WHERE name = 'ok'`, moved, "j/ok"},
		{"pending miscounted", `UPDATE job SET pending = pending + 1, blocked = blocked + 1 WHERE name = 'j'`, counters, "j"},
		{"running miscounted", `UPDATE job SET running = 0 WHERE name = 'j'`, counters, "j"},
		{"completed miscounted", `UPDATE job SET completed = completed - 1 WHERE name = 'imported'`, counters, "imported"},
		{"paused without a hold", `UPDATE job SET paused_at = 1 WHERE name = 'j'`, paused, "j"},
		{"failed miscounted", `UPDATE job SET failed = failed + 1 WHERE name = 'ended'`, counters, "ended"},
		{"dismissed miscounted", `UPDATE job SET dismissed = dismissed + 1 WHERE name = 'ended'`, counters, "ended"},
		{"blocked miscounted", `UPDATE job SET blocked = blocked - 1 WHERE name = 'j'`, counters, "j"},
		{"a task that is gone", `DELETE FROM task WHERE name = 'child'`, counters, "j"},
		{"not the best next task", `UPDATE job SET next_task = (SELECT id FROM task WHERE name = 'bad'), next_priority = 0 WHERE name = 'j'`, next, "j"},
		{"not the priority of the next task", `UPDATE job SET next_priority = 4 WHERE name = 'j'`, next, "j"},
		{"a ready task that nobody sees", `UPDATE job SET next_task = NULL, next_priority = NULL WHERE name = 'j'`, next, "j"},
		{"a next task that waits", `UPDATE job SET next_task = (SELECT id FROM task WHERE name = 'a'), next_priority = 0 WHERE name = 'imported'`, next, "imported"},
		{"a completed job with a task that is ready", `UPDATE job SET state = 'completed' WHERE name = 'later'`, state, "later"},
		{"a waiting job with nothing but a failed task", `UPDATE job SET state = 'waiting' WHERE name = 'failed'`, state, "failed"},
		{"a failed job in which nothing has failed", `UPDATE job SET state = 'failed' WHERE name = 'ended'`, state, "ended"},
		{"a completed job that waits for a task that may come", `UPDATE job SET state = 'completed' WHERE name = 'imported'`, state, "imported"},
		{"a task that waits for nothing", `UPDATE task SET blockers = 1 WHERE name = 'child'`, blockers, "j/child"},
		{"a task that does not wait", `UPDATE task SET blockers = 0 WHERE name = 'blocked'`, blockers, "j/blocked"},
		{"a task that does not wait for one that is missing", `UPDATE task SET blockers = 0 WHERE job = (SELECT id FROM job WHERE name = 'imported')`, blockers, "imported/a"},
		{"a hold that is not counted", `UPDATE task SET holds = 0, blockers = 0 WHERE job = (SELECT id FROM job WHERE name = 'timed')`, holds, "timed/a"},
		{"a hold that is gone", `DELETE FROM hold`, holds, "timed/a"},
		{"a hold of a task that has ended", `UPDATE hold SET task = (SELECT id FROM task WHERE name = 'ok')`, holds, "j/ok"},
		{"a failed job that waits for a time", `UPDATE job SET state = 'failed' WHERE name = 'timed'`, state, "timed"},
		{"a job that waits for no retry", `UPDATE job SET holds = 1 WHERE name = 'later'`, jobHolds, "later"},
		{"a job that does not wait for a retry", `UPDATE hold SET holds_job = 1`, jobHolds, "timed"},
		{"a task that waits for an end that was", `UPDATE dependency SET condition = 'any' WHERE task = (SELECT id FROM task WHERE name = 'blocked');
UPDATE dependency SET needs = (SELECT id FROM task WHERE name = 'ok') WHERE task = (SELECT id FROM task WHERE name = 'blocked')`, forgot, "j/blocked"},
		{"a task that waits for no pool", `UPDATE task SET blockers = 0, holds = 0 WHERE name = 'gpu2'`, holds, "pooled/gpu2"},
		{"a lane that is gone", `DELETE FROM lane`, lane, "pooled"},
		{"a lane with another task", `UPDATE lane SET next_task = (SELECT id FROM task WHERE name = 'gpu1')`, lane, "pooled"},
		{"a lane with another priority", `UPDATE lane SET next_priority = 17`, lane, "pooled"},
		{"a job that is not known to need pools", `UPDATE job SET pooled = 0 WHERE name = 'pooled'`, pooled, "pooled"},
		{"a place that an ended attempt holds", `UPDATE attempt SET status = 'completed', slot = NULL, ended_at = started_at WHERE id IN (SELECT attempt FROM pool_place)`, ended, "pooled/gpu1"},
		{"a place that nobody holds", `DELETE FROM pool_place WHERE number = 1`, places, "pooled/gpu1"},
		{"a place too many", `INSERT INTO pool_place (pool, number, attempt) SELECT 'gpu', 2, attempt FROM pool_place WHERE number = 1`, places, "pooled/gpu1"},
		{"a link that has let go too early", `UPDATE dependency SET met = 1 WHERE missing_job IS NOT NULL`, link, "needs/far"},
		{"a link that can let go", `UPDATE dependency SET stuck = 2 WHERE missing_job IS NOT NULL`, link, "needs/far"},
		{"a job that is not known to be needed", `UPDATE job SET linked = 0 WHERE name = 'later'`, linked, "later"},
		{"a job that waits for another one and has failed", `UPDATE job SET state = 'failed' WHERE name = 'needs'`, state, "needs"},
		{"a running task without an attempt", `UPDATE attempt SET status = 'completed', slot = NULL, ended_at = started_at WHERE status = 'running'`, running, "j/runs"},
		{"an attempt of a task that does not run", `UPDATE task SET status = 'completed' WHERE name = 'runs'`, running, "j/runs"},
		{"an attempt that nobody has counted", `UPDATE task SET attempts = 0 WHERE name = 'ok'`, number, "j/ok"},
		{"an attempt of another job", `UPDATE attempt SET job = job + 1 WHERE task = (SELECT id FROM task WHERE name = 'ok')`, ofJob, "j/ok"},
		{"two attempts at once", `INSERT INTO attempt (task, job, number, status, reason, token, manager, host, boot_id, runner, pid, pid_start, started_at, ended_at)
SELECT task, job, 2, 'failed', 'exited', token, manager, host, boot_id, runner, pid, pid_start, started_at, ended_at FROM attempt WHERE task = (SELECT id FROM task WHERE name = 'bad');
UPDATE attempt SET status = 'running', slot = 1, reason = NULL, ended_at = NULL WHERE number = 1 AND task = (SELECT id FROM task WHERE name = 'bad')`, overlap, "j/bad"},
		{"attempts in the wrong order", `INSERT INTO attempt (id, task, job, number, status, reason, token, manager, host, boot_id, runner, pid, pid_start, started_at, ended_at)
SELECT -1, task, job, 2, 'failed', 'exited', token, manager, host, boot_id, runner, pid, pid_start, started_at, ended_at FROM attempt WHERE task = (SELECT id FROM task WHERE name = 'bad')`, overlap, "j/bad"},
		{"arguments that are no JSON", `UPDATE task SET args = '[}' WHERE name = 'ok'`, args, "j/ok"},
		{"arguments that are no list", `UPDATE task SET args = '{}' WHERE name = 'ok'`, args, "j/ok"},
		{"an argument that is no text", `UPDATE task SET args = '["a",1]' WHERE name = 'ok'`, args, "j/ok"},
		{"a completed task with another exit code", `UPDATE task SET exit_code = 1 WHERE name = 'ok'`, exited, "j/ok"},
		{"a label of a job that is gone", `INSERT INTO label (job, task, key, value) VALUES (4711, 0, 'team', 'web')`, label, "label"},
		{"a label of a task that is gone", `INSERT INTO label (job, task, key, value) SELECT id, 4711, 'team', 'web' FROM job WHERE name = 'j'`, label, "j"},
		{"a label of a task of another job", `INSERT INTO label (job, task, key, value)
SELECT j.id, t.id, 'team', 'web' FROM job j JOIN task t ON t.job <> j.id WHERE j.name = 'ended' AND t.name = 'runs'`, label, "ended"},
		{"an ended job in which a task runs", `UPDATE job SET state = 'completed' WHERE name = 'j'`, file, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := everything(t)
			res, err := raw(s, "ignore_check_constraints(1)", "foreign_keys(0)").Exec(c.damage)
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := res.RowsAffected(); n == 0 {
				t.Fatal("nothing was damaged")
			}
			got, err := s.Check(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(got, func(f db.Finding) bool {
				return f.Rule == c.rule && strings.HasPrefix(f.Place, c.place) && f.What != ""
			}) {
				t.Errorf("found %+v, want %q at %s", got, c.rule, c.place)
			}
		})
		found[c.rule] = true
	}
	for _, r := range db.Rules() {
		if !found[r] {
			t.Errorf("no damage here breaks the rule that %s", r)
		}
	}
}

func TestCheckFindsDamageOfTheFile(t *testing.T) {
	s := everything(t)
	raw := raw(s)
	// As if a page of an index had been lost: it and its table disagree.
	if _, err := raw.Exec(`PRAGMA writable_schema = 1; UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'task_ready') WHERE name = 'job_claimable'`); err != nil {
		t.Fatal(err)
	}
	raw.Close()
	fresh := openAt(t, s.Base, db.Options{})
	got, err := fresh.Check(ctx)
	if err == nil && len(got) == 0 {
		t.Error("nothing was found")
	}
}
