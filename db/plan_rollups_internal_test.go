package db

import (
	"context"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// hotOfRollups are the statements that count events, and read what was counted.
var hotOfRollups = []struct {
	name, part string
	plan       []string
}{
	{"read the events to count", "AND e.kind IN ('tasks.added'", []string{
		"SEARCH e USING INTEGER PRIMARY KEY (rowid>?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"SEARCH a USING INDEX attempt_number (task=? AND number=?) LEFT-JOIN",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH r USING INDEX event_removed (job=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH d USING PRIMARY KEY (task=?)",
		"SEARCH n USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find the first event that was not counted", "SELECT at FROM event WHERE id > ?", []string{
		"SEARCH event USING INTEGER PRIMARY KEY (rowid>?)",
	}},
	{"read the spans of a scope", "SELECT at, name, sums\nFROM rollup", []string{
		"SEARCH rollup USING PRIMARY KEY (scope=? AND at>? AND at<?)",
	}},
	{"read sums", "SELECT sums FROM rollup WHERE scope = ? AND at = ? AND name = ?", []string{
		"SEARCH rollup USING PRIMARY KEY (scope=? AND at=? AND name=?)",
	}},
	{"read the names of commands", "SELECT name FROM rollup", []string{
		"SEARCH rollup USING PRIMARY KEY (scope=? AND at=?)",
	}},
	{"delete old spans", "DELETE FROM rollup\nWHERE scope = ?\n", []string{
		"SEARCH rollup USING PRIMARY KEY (scope=? AND at=?)",
		"SCALAR SUBQUERY 1",
		"SEARCH o USING PRIMARY KEY (scope=? AND at>? AND at<?)",
	}},
}

// exerciseRollups carries out what has to do with roll-ups.
func exerciseRollups(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	_, err := d.Enqueue(ctx, Batch{Job: "counted", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}})})
	must(err)
	_, err = d.Enqueue(ctx, Batch{Job: "gone", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}})})
	must(err)
	_, err = d.RemoveJobs(ctx, []string{"gone"})
	must(err)
	for more := true; more; {
		more, err = d.Fold(ctx)
		must(err)
	}
	_, err = d.Meters(ctx, []string{"counted"})
	must(err)
	_, err = d.StatsLag(ctx)
	must(err)
	must(d.Rollups(ctx, OfAll, time.Time{}, time.Now().Add(time.Hour), 1000, func(*Span) {}))
}
