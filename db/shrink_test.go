package db_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// A database from which much was deleted becomes a small file again, step by step.
func TestSpaceIsGivenBackInSmallSteps(t *testing.T) {
	base := t.TempDir()
	d, err := db.Open(t.Context(), base, db.Options{Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	tasks := func(yield func(job.Spec, error) bool) {
		for range 4000 {
			if !yield(job.Spec{Command: strings.Repeat("x", 500)}, nil) {
				return
			}
		}
	}
	for _, name := range []string{"goes", "stays"} {
		if _, err := d.Enqueue(t.Context(), db.Batch{Job: name, Tasks: tasks}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil { // which copies the write-ahead log into the file
		t.Fatal(err)
	}
	before := size(t, base)
	if d, err = db.Open(t.Context(), base, db.Options{Durability: "normal"}); err != nil {
		t.Fatal(err)
	}
	if more, err := d.GiveSpaceBack(t.Context()); more || err != nil {
		t.Errorf("%t, %v of a file without a free page", more, err)
	}
	if _, err := d.RemoveJobs(t.Context(), []string{"goes"}); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for more := true; more; steps++ {
		if more, err = d.GiveSpaceBack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if steps < 3 {
		t.Errorf("%d steps, want several", steps)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if after := size(t, base); after > before*7/10 {
		t.Errorf("%d bytes, %d before", after, before)
	}
}

func size(t *testing.T, base string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(base, db.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
