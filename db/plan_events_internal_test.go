package db

import (
	"context"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// hotOfEvents are the statements that write and read events.
var hotOfEvents = []struct {
	name, part string
	plan       []string
}{
	{"read the next events", "ON t.id = e.task\nWHERE e.id > ?", []string{
		"SEARCH e USING INTEGER PRIMARY KEY (rowid>?)", // in the order that is asked for
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH r USING INDEX event_removed (job=?)",
	}},
	{"find the newest event", "SELECT id, at FROM event ORDER BY id DESC LIMIT 1", []string{
		"SCAN event", // it stops at the first
	}},
	{"find the oldest event", "SELECT id, at FROM event ORDER BY id LIMIT 1", []string{
		"SCAN event", // it stops at the first
	}},
	{"find the event of a cursor", "SELECT at FROM event WHERE id = ?", []string{
		"SEARCH event USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find the events to delete", "WHERE id <= ? ORDER BY id LIMIT ?", []string{
		"SEARCH event USING INTEGER PRIMARY KEY (rowid<?)",
	}},
	{"delete events", "DELETE FROM event WHERE id <= ?", []string{
		"SEARCH event USING INTEGER PRIMARY KEY (rowid<?)",
	}},
	{"read an attempt for its span", "number = a.number - 1\nWHERE a.task", []string{
		"SEARCH a USING INDEX attempt_number (task=? AND number=?)",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH p USING INDEX attempt_number (task=? AND number=?) LEFT-JOIN",
	}},
	{"number a task", "name = 'task') AS n$", []string{
		"CO-ROUTINE n",
		"COMPOUND QUERY",
		"LEFT-MOST SUBQUERY",
		"SEARCH task",
		"UNION ALL",
		"SEARCH mark USING PRIMARY KEY (name=?)",
		"SEARCH n",
	}},
}

// exerciseEvents carries out what has to do with events.
func exerciseEvents(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	_, err := d.Enqueue(ctx, Batch{Job: "heard", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}})})
	must(err)
	_, err = d.Enqueue(ctx, Batch{Job: "heard", Settings: &JobChange{Priority: new(1)}, Tasks: sequence([]job.Spec{{ID: "b", Command: "true"}})})
	must(err)
	a, err := d.Claim(ctx, Runner{}, 10, "heard")
	must(err)
	must(d.SetStuck(ctx, a.Token, "it is"))
	page, err := d.Events(ctx, "", EventQuery{})
	must(err)
	_, err = d.Events(ctx, page.Cursor, EventQuery{})
	must(err)
	must(d.SetReader(ctx, "stats", page.Cursor))
	_, err = d.Reader(ctx, "stats")
	must(err)
	must(d.SetPlace(ctx, "traces", page.Cursor))
	_, err = d.EndedAttempts(ctx, []AttemptKey{{Task: a.taskID, Number: 1}})
	must(err)
	_, err = d.PruneEvents(ctx, time.Time{}, 1, 10)
	must(err)
	must(d.RemoveReader(ctx, "stats"))
	_, err = d.AsOf(ctx, func(d *DB) error { _, err := d.Job(ctx, "heard"); return err })
	must(err)
	_, err = d.GiveBack(ctx, a)
	must(err)
}
