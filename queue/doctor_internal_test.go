package queue

import (
	"path/filepath"
	"testing"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
)

// A runner may record its result and end after its row was read, and before its lock is
// looked at.
func TestARunnerThatEndsDuringACheckIsNotMissing(t *testing.T) {
	ctx := t.Context()
	q, err := Open(ctx, &config.Config{BasePath: filepath.Join(t.TempDir(), "base"), Durability: "normal"}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	for _, name := range []string{"ends", "stays"} {
		if _, err := q.DB.Enqueue(ctx, db.Batch{Job: name, Tasks: dbtest.Specs(dbtest.Task("a"))}); err != nil {
			t.Fatal(err)
		}
	}
	a, err := q.DB.Claim(ctx, dbtest.Runner1, 10, "ends")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.DB.Claim(ctx, dbtest.Runner1, 10, "stays"); err != nil {
		t.Fatal(err)
	}
	ended := false
	found, err := q.withoutRunner(ctx, func(db.Runner) (bool, error) {
		if !ended {
			if _, err := q.DB.Finish(ctx, a, dbtest.Success, false); err != nil {
				return false, err
			}
		}
		ended = true
		return false, nil
	})
	if err != nil || len(found) != 1 || found[0].Place != "stays/a" {
		t.Errorf("found %v, %v; want stays/a alone", found, err)
	}
}
