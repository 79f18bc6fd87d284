package db

import (
	"context"
	"testing"

	"github.com/air-executor/air-executor/job"
)

// paged is the plan of a page of tasks.
func paged(found ...string) []string { return shown("USE TEMP B-TREE FOR ORDER BY", found) }

// pagedJobs is the same for jobs.
func pagedJobs(found string) []string {
	return []string{found, "CORRELATED SCALAR SUBQUERY 1", "SEARCH l USING PRIMARY KEY (job=? AND task=?)"}
}

// hotOfPages are the statements with which somebody scrolls.
var hotOfPages = []struct {
	name, part string
	plan       []string
}{
	{"read the first page of the jobs", "FROM job\nORDER BY name\nLIMIT ?$", pagedJobs("SCAN job USING INDEX job_name")},
	{"read a page of the jobs", "WHERE name > ?\nORDER BY name\nLIMIT ?$", pagedJobs("SEARCH job USING INDEX job_name (name>?)")},
	{"read a page of the jobs backwards", "WHERE name < ?\nORDER BY name DESC\nLIMIT ?$", pagedJobs("SEARCH job USING INDEX job_name (name<?)")},
	{"find the end of a page of jobs", "WHERE name > ?\nORDER BY name\nLIMIT 1 OFFSET", []string{"SEARCH job USING COVERING INDEX job_name (name>?)"}},
	{"find the end of a page of tasks", "\nSELECT t.id\nFROM task t INDEXED BY task_job\nWHERE t.job = ?\n  AND t.id > ?\nORDER", []string{"SEARCH t USING COVERING INDEX task_job (job=? AND rowid>?)"}},
	{
		"read a page of the tasks of a job", "FROM task t INDEXED BY task_job\nWHERE t.job = ?\n  AND t.id > ?\nORDER BY t.id\nLIMIT ?) s",
		paged("SEARCH t USING COVERING INDEX task_job (job=? AND rowid>?)"),
	},
	{
		"read a page of the failed tasks of a job", "FROM task t INDEXED BY task_job_failures\nWHERE t.job = ?\n  AND t.status = 'failed'\n  AND t.dismissed_at IS NULL\n  AND t.id > ?\nORDER BY t.id\nLIMIT ?) s",
		paged("SEARCH t USING INDEX task_job_failures (job=? AND rowid>?)"),
	},
	{
		"read the running tasks of a job", "AND t.id IN (SELECT a.task FROM attempt a WHERE a.job = ? AND a.slot IS NOT NULL)",
		paged("SEARCH t USING COVERING INDEX task_job (job=? AND rowid=?)", "LIST SUBQUERY 3", "SEARCH a USING INDEX attempt_slot (job=? AND slot>?)"),
	},
	{"list the attempts of a task", "a.system_time, a.max_rss\nFROM task t\nJOIN attempt a ON a.task = t.id\nWHERE t.job = ?\n  AND t.name = ?", []string{
		"SEARCH t USING COVERING INDEX task_name (job=? AND name=?)",
		"SEARCH a USING INDEX attempt_number (task=?)",
		"USE TEMP B-TREE FOR ORDER BY",
	}},
	{"list one task", "CROSS JOIN task t INDEXED BY task_name\n      WHERE t.job = j.id\n        AND j.name = ?\n        AND t.name = ?\n      ORDER", listed(
		"SEARCH j USING COVERING INDEX job_name (name=?)",
		"SEARCH t USING COVERING INDEX task_name (job=? AND name=?)",
	)},
	{"find the first task of a job", "coalesce(min(id), 0) FROM task WHERE job", []string{"SEARCH task USING COVERING INDEX task_job (job=?)"}},
	{"find the last task of a job", "coalesce(max(id), 0) FROM task WHERE job", []string{"SEARCH task USING COVERING INDEX task_job (job=?)"}},
	{"count the cancelled tasks of a job", "SELECT COUNT(*)\nFROM job j\nJOIN task t ON t.job = j.id\nWHERE j.name = ?\n  AND t.status = 'failed'", []string{
		"SEARCH j USING COVERING INDEX job_name (name=?)",
		"SEARCH t USING INDEX task_failed (job=? AND reason=?)",
	}},
}

// exercisePages reads pages of the jobs and of the tasks of job j.
func exercisePages(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	for _, q := range []JobPageQuery{
		{}, {From: &JobCursor{Name: "j"}}, {From: &JobCursor{Name: "j"}, Back: true}, {Sort: ByFailed, From: &JobCursor{Name: "j"}},
		{State: new(job.StateFailed), Text: "j", Labels: []LabelFilter{{Key: "a"}}, From: &JobCursor{Name: "a"}},
	} {
		q.Limit = 2
		_, err := d.JobPage(ctx, q)
		must(err)
	}
	_, err := d.JobsNamed(ctx, []string{"j"})
	must(err)
	for _, q := range []TaskPageQuery{
		{}, {From: 1}, {From: 5, Back: true}, {At: new(0.5)}, {Status: job.Running}, {Status: job.Failed, From: 1}, {Status: job.Failed, Reason: job.Exited},
		{Status: job.Pending}, {Dismissed: true}, {Reason: job.Exited, Text: "x"},
	} {
		q.Job, q.Limit = "j", 2
		_, err := d.TaskPage(ctx, q)
		must(err)
	}
	_, err = d.TasksNamed(ctx, "j", []string{"b"})
	must(err)
	_, _, err = d.TaskWithKey(ctx, 1)
	must(err)
	must(d.ListTasks(ctx, TasksQuery{Job: new("j"), Task: new("b")}, func(Listed) error { return nil }))
	_, err = d.Attempts(ctx, "j", "b")
	must(err)
	_, err = d.ServerID(ctx)
	must(err)
}
