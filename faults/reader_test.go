//go:build failpoints

package faults

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// T20: a reader that does not let go makes the write-ahead log grow, and holds
// up nobody. When it has gone, the log comes back under its limit by itself.
func TestStuckReader(t *testing.T) {
	t.Parallel()
	const limit = 64 << 20 // journal_size_limit
	w := newWorld(t, "durability: normal")
	w.enqueue("held", "1", waits("go"))
	w.start()
	w.becomes("running", "held", "1")
	letGo := w.readAndStay()
	const step = 100
	commits := 0
	for ; w.logSize() < limit+limit/8; commits += step {
		if commits > 20_000 {
			t.Fatalf("the log has %d bytes after %d commits", w.logSize(), commits)
		}
		w.commitMore(commits, step)
	}
	t.Logf("%d bytes of log after %d commits", w.logSize(), commits)
	w.enqueue("beside", "1", "true")
	w.becomes("completed", "beside", "1")
	letGo()
	w.until("the log is back under its limit", func() bool {
		w.run(0, "enqueue", "-q", "--job", "after", "--", "true")
		return w.logSize() <= limit
	})
	w.run(0, "wait", "--job", "after")
	w.run(0, "cancel", "held")
	if n, want := w.sql("SELECT count(*) FROM task WHERE name LIKE 'many%'"), fmt.Sprint(commits); n != want {
		t.Errorf("%s of %s tasks are there", n, want)
	}
}

// logSize is the size of the write-ahead log.
func (w *world) logSize() int64 {
	info, err := os.Stat(w.base + "/air-executor.db-wal")
	w.must(err)
	return info.Size()
}

// readAndStay begins to read, and goes on until what it returns is called.
func (w *world) readAndStay() (letGo func()) {
	w.Helper()
	d, err := sql.Open("sqlite", "file:"+w.base+"/air-executor.db")
	w.must(err)
	w.Cleanup(func() { d.Close() })
	reader, err := d.Begin()
	w.must(err)
	var jobs int
	w.must(reader.QueryRow("SELECT count(*) FROM job").Scan(&jobs))
	return func() {
		var now int
		w.must(reader.QueryRow("SELECT count(*) FROM job").Scan(&now))
		if now != jobs {
			w.Errorf("the reader has seen %d jobs, and then %d", jobs, now)
		}
		w.must(reader.Rollback())
	}
}

// commitMore queues n tasks in commits of their own, behind a task that runs.
func (w *world) commitMore(from, n int) {
	w.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, w.base, db.Options{Durability: "normal"})
	w.must(err)
	defer d.Close()
	padding := strings.Repeat("x", 8<<10)
	for i := range n {
		spec := job.Spec{ID: fmt.Sprint("many", from+i), Command: "true", Args: []string{padding}}
		_, err := d.Enqueue(ctx, db.Batch{Job: "held", Tasks: func(yield func(job.Spec, error) bool) { yield(spec, nil) }})
		w.must(err)
	}
}
