package db

import (
	"context"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// hotOfReads are the statements of what a page of the browser or a program reads again
// and again.
var hotOfReads = []struct {
	name, part string
	plan       []string
}{
	{"find what has ended last", "a.ended_at IS NOT NULL\n  AND t.id = a.task\n  AND j.id = t.job\n  AND a.ended_at BETWEEN ? AND ?\n  AND (a.ended_at < ? OR a.id < ?)\nORDER BY a.ended_at DESC, a.id DESC$", []string{
		"SEARCH a USING INDEX attempt_history (ended_at>? AND ended_at<?)", // in the order that is asked for
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find what has failed last", "WHERE a.status = 'failed'\n  AND t.id = a.task\n  AND j.id = t.job\n  AND a.ended_at BETWEEN ? AND ?\n  AND (a.ended_at < ? OR a.id < ?)\n  AND a.status = 'failed'\nORDER BY a.ended_at DESC, a.id DESC$", []string{
		"SEARCH a USING INDEX attempt_failures (ended_at>? AND ended_at<?)",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find what has ended last without an attempt", "WHERE j.id = t.job\n  AND t.completed_at IS NOT NULL\n  AND (t.attempts = 0 OR t.reason IN ('cancelled', 'skipped'))\n  AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.task = t.id AND a.number = t.attempts AND a.ended_at = t.completed_at)\n  AND t.completed_at BETWEEN ? AND ?\n  AND (t.completed_at < ? OR t.id < ?)\nORDER BY t.completed_at DESC, t.id DESC$", []string{
		"SEARCH t USING INDEX task_unstarted (completed_at>? AND completed_at<?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH a USING INDEX attempt_number (task=? AND number=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"count what has ended", "SELECT COUNT(*)\nFROM attempt INDEXED BY attempt_history", []string{
		"SEARCH attempt USING COVERING INDEX attempt_history (ended_at>? AND ended_at<?)",
	}},
	{"count what has failed", "SELECT COUNT(*)\nFROM attempt INDEXED BY attempt_failures", []string{
		"SEARCH attempt USING COVERING INDEX attempt_failures (ended_at>? AND ended_at<?)",
	}},
	{
		"read a page of the attempts", "FROM attempt a INDEXED BY attempt_history\nCROSS JOIN task t\nCROSS JOIN job j\nWHERE a.ended_at IS NOT NULL\n  AND t.id = a.task\n  AND j.id = t.job\n  AND a.ended_at BETWEEN ? AND ?\n  AND (a.ended_at < ? OR a.id < ?)\nORDER BY a.ended_at DESC, a.id DESC\nLIMIT",
		[]string{
			"SEARCH a USING INDEX attempt_history (ended_at>? AND ended_at<?)",
			"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
			"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		},
	},
	{"find the end of a page of attempts", "FROM attempt a INDEXED BY attempt_history\nWHERE a.ended_at IS NOT NULL\n  AND a.ended_at BETWEEN ? AND ?\n  AND (a.ended_at < ? OR a.id < ?)\nORDER BY a.ended_at DESC, a.id DESC\nLIMIT 1", []string{
		"SEARCH a USING COVERING INDEX attempt_history (ended_at>? AND ended_at<?)",
	}},
	{"find who needs a task of a graph", "WHERE d.needs = ?\n  AND t.id = d.task\n  AND t.job = ?\nLIMIT ?", []string{
		"SEARCH d USING COVERING INDEX dependency_needs (needs=?)",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find what a task of a graph needs", "WHERE d.task = ?\n  AND t.id = d.needs\n  AND t.job = ?\nLIMIT ?", []string{
		"SEARCH d USING PRIMARY KEY (task=?)",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find where a graph begins", "WHERE t.id = f.id\n  AND NOT EXISTS", []string{
		"CO-ROUTINE f",
		"SEARCH task USING COVERING INDEX task_job (job=?)", // it stops at the limit
		"SCAN f",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH d USING PRIMARY KEY (task=?)",
	}},
}

// exerciseReads reads what the summary and the pages of the history show.
func exerciseReads(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	_, _, err := d.CountEnded(ctx, time.Unix(0, 0), time.Now())
	must(err)
	_, err = d.Managers(ctx, 10)
	must(err)
	for _, q := range []GraphQuery{{Job: "j", Depth: 2}, {Job: "j", Around: keyOf(t, d, "j", "b"), Depth: 2}} {
		_, err = d.Graph(ctx, q)
		must(err)
	}
	at := HistoryPlace{Ended: 1, Row: 1}.At()
	for _, q := range []HistoryPageQuery{
		{}, {Started: true}, {From: at}, {From: at, Back: true}, {Name: "j"}, {Name: "j", From: at, Back: true}, {Command: "true"},
		{HistoryQuery: HistoryQuery{Failed: true}}, {HistoryQuery: HistoryQuery{Failed: true}, From: at, Back: true},
		{HistoryQuery: HistoryQuery{Completed: true, Labels: []LabelFilter{{Key: "a"}}}}, {HistoryQuery: HistoryQuery{Failed: true, Reason: job.Exited}},
	} {
		q.Limit = 2
		_, err := d.HistoryPage(ctx, q)
		must(err)
	}
}

// keyOf returns the key of a task.
func keyOf(t *testing.T, d *DB, name, id string) (key int64) {
	t.Helper()
	requires(t)(d.ListTasks(context.Background(), TasksQuery{Job: &name, Task: &id}, func(l Listed) error {
		key = l.Place.Row
		return nil
	}))
	return key
}
