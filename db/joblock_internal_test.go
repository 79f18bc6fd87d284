package db

import (
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/air-executor/air-executor/job"
)

// remarked is the SQLite dialect with SQL comments in the places where the dialect of a
// database with row locks has keywords.
var remarked = func() dialect {
	d := sqliteDialect
	d.byClaimable, d.byReady, d.byHeld, d.bySlot, d.byMissing, d.byJobName = "/*byClaimable*/", "/*byReady*/", "/*byHeld*/", "/*bySlot*/", "/*byMissing*/", "/*byJobName*/"
	d.byFailed = "/*byFailed*/"
	d.byEnd, d.byFailure, d.byUnstarted = "/*byEnd*/", "/*byFailure*/", "/*byUnstarted*/"
	d.byLane, d.byLaneNext = "/*byLane*/", "/*byLaneNext*/"
	d.lockRow, d.skip = " /*lockRow*/", " /*skip*/"
	return d
}()

// watchLocks has the test fail when a transaction changes a task or a job whose
// row it has not locked, or when one that reads locks any.
func watchLocks(t *testing.T, d *DB) {
	t.Helper()
	var now *tx // under way
	var last string
	reads := false
	d.dialect = remarked
	d.trace = func(tx *tx, query string, _ []any) {
		if tx != now {
			now, reads = tx, query != d.dialect.begin
		}
		last = query
		if reads && (len(tx.holds) > 0 || strings.Contains(query, "/*lockRow*/")) {
			t.Errorf("a transaction that reads locks a job, at %s", query)
		}
	}
	changed := func(data sqlite.SQLitePreUpdateData) {
		var row [2]any // id, job
		var err error
		if data.Op == sqlite3.SQLITE_INSERT {
			err = data.New(row[:]...)
		} else {
			err = data.Old(row[:]...)
		}
		if err != nil {
			t.Error(err)
			return
		}
		var id any
		switch {
		case last == "COMMIT": // the test itself changes something
			return
		case data.TableName == "task":
			id = row[1]
		case data.TableName == "job" && data.Op != sqlite3.SQLITE_INSERT:
			id = row[0]
		default:
			return
		}
		if n, _ := id.(int64); !slices.Contains(now.holds, n) {
			t.Errorf("a row of the table %s is changed, and job %v is not locked, at %s", data.TableName, id, last)
		}
	}
	hook(t, only(t, d).Conn, changed)
}

func hook(t *testing.T, c *sqlx.Conn, changed func(sqlite.SQLitePreUpdateData)) {
	t.Helper()
	err := c.Raw(func(driver any) error {
		driver.(sqlite.HookRegisterer).RegisterPreUpdateHook(changed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAJobIsLockedBeforeItsTasks(t *testing.T) {
	d := opened(t)
	watchLocks(t, d)
	exercise(t, d)
}

// family makes two jobs whose tasks have queued others in the other one, each as
// the root of its line, and ends them.
func family(t *testing.T, d *DB) {
	t.Helper()
	must := requires(t)
	enqueue := func(b Batch, id string) {
		t.Helper()
		b.Tasks, b.MaxDepth, b.MaxSubtasks = sequence([]job.Spec{{ID: id, Command: "true"}}), 10, 10
		_, err := d.Enqueue(t.Context(), b)
		must(err)
	}
	claim := func() *Assignment {
		t.Helper()
		a, err := d.Claim(t.Context(), Runner{}, 10, "")
		must(err)
		return a
	}
	enqueue(Batch{Job: "low"}, "l")
	enqueue(Batch{Job: "high"}, "h")
	for _, to := range []string{"high", "low", "new"} {
		a := claim()
		enqueue(Batch{Job: to, Parent: a.Token}, "child of "+a.Job)
		_, err := d.Finish(t.Context(), a, job.Result{Status: job.Completed}, false)
		must(err)
	}
	for a := claim(); a != nil; a = claim() {
		enqueue(Batch{Job: a.Job, Parent: a.Token}, "grandchild of "+a.Task)
		_, err := d.Finish(t.Context(), a, job.Result{Status: job.Failed, Reason: job.Exited}, false)
		must(err)
		if a.Attempt > 1 || len(a.Task) > 60 {
			break
		}
	}
}

func TestJobsAreLockedBeforeTasksThatAreRelated(t *testing.T) {
	for name, remove := range map[string]func(d *DB) error{
		"a task": func(d *DB) error {
			_, err := d.RemoveTasks(t.Context(), "high", []string{"h"})
			return err
		},
		"a job": func(d *DB) error {
			_, err := d.RemoveJobs(t.Context(), []string{"high"})
			return err
		},
		"two jobs": func(d *DB) error {
			_, err := d.RemoveJobs(t.Context(), []string{"high", "low"})
			return err
		},
		"by another file": func(d *DB) error {
			_, err := d.Resume(t.Context(), Batch{Job: "high", Tasks: sequence([]job.Spec{{ID: "h", Command: "false"}})})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := opened(t)
			watchLocks(t, d)
			family(t, d)
			if err := remove(d); err != nil {
				t.Error(err)
			}
		})
	}
}
