package manager

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// tidied is a base path with a task that has had one attempt and runs again, and one
// that has completed after it; each attempt has a log of so many bytes.
func tidied(t *testing.T, size int, c config.Config) *tidying {
	t.Helper()
	c.BasePath = t.TempDir()
	d, err := db.Open(t.Context(), c.BasePath, db.Options{Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	add := func(name string) {
		t.Helper()
		specs := func(yield func(job.Spec, error) bool) { yield(job.Spec{ID: "t", Command: "true"}, nil) }
		if _, err := d.Enqueue(t.Context(), db.Batch{Job: name, Tasks: specs}); err != nil {
			t.Fatal(err)
		}
	}
	claim := func(name string) *db.Assignment {
		t.Helper()
		a, err := d.Claim(t.Context(), db.Runner{Lock: 1, BootID: "boot"}, 10, name)
		if err != nil || a == nil {
			t.Fatal(a, err)
		}
		writeLog(t, runner.LogPath(c.BasePath, a.Job, a.Task), size)
		return a
	}
	add("again")
	one := 1
	if _, err := d.Finish(t.Context(), claim("again"), job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: &one}, false); err != nil {
		t.Fatal(err)
	}
	add("done")
	zero := 0
	if _, err := d.Finish(t.Context(), claim("done"), job.Result{Status: job.Completed, ExitCode: &zero}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Reset(t.Context(), "again", db.Which{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(runner.LogPath(c.BasePath, "again", "t"), runner.OldLogPath(c.BasePath, "again", "t", 1)); err != nil {
		t.Fatal(err)
	}
	claim("again")
	return &tidying{
		db: d, log: slog.New(slog.NewTextHandler(io.Discard, nil)), config: &c,
		full: func() bool { return false }, failed: map[string]bool{},
	}
}

func writeLog(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.MkdirAll(path[:len(path)-len("/t.log")], 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (t *tidying) has(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestOnlyLogsOfEndedAttemptsAreCompressed(t *testing.T) {
	s := tidied(t, 1000, config.Config{CompressLogsAfter: time.Hour})
	base := s.config.BasePath
	if err := s.compress(t.Context()); err != nil || !s.has(runner.LogPath(base, "done", "t")) {
		t.Fatalf("%v, or a log that is too young was compressed", err)
	}
	s.config.CompressLogsAfter = 0
	for range 2 { // the second pass finds nothing to do
		if err := s.compress(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"again", "done"} {
		f, err := os.Open(runner.CompressedLogPath(base, name, "t", 1))
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); err != nil || len(text) != 1000 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		f.Close()
	}
	if !s.has(runner.LogPath(base, "again", "t")) || s.has(runner.LogPath(base, "done", "t")) || s.has(runner.OldLogPath(base, "again", "t", 1)) {
		t.Error("the log of the running attempt must stay, and the others are compressed")
	}
}

// A log that is compressed while its task starts again stays as it is.
func TestALogWhoseTaskStartsAgainIsNotCompressed(t *testing.T) {
	s := tidied(t, 10, config.Config{})
	running := db.Logged{Job: "again", Task: "t", Number: 2, Attempts: 2}
	if _, err := s.compressOne(context.Background(), running); err != nil {
		t.Fatal(err)
	}
	base := s.config.BasePath
	if s.has(runner.CompressedLogPath(base, "again", "t", 2)) || !s.has(runner.LogPath(base, "again", "t")) {
		t.Error("the log of a running attempt was compressed")
	}
}

func TestOldestLogsAreDeletedButNoneOfWhatRuns(t *testing.T) {
	const mib = 1 << 20
	s := tidied(t, mib, config.Config{MaxLogsSize: 2})
	base := s.config.BasePath
	if err := s.limitLogs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.has(runner.OldLogPath(base, "again", "t", 1)) || !s.has(runner.LogPath(base, "done", "t")) {
		t.Error("not the log of the attempt that has ended first was deleted")
	}
	s.config.MaxLogsSize = 1
	s.deleted = db.Logged{}
	writeLog(t, runner.LogPath(base, "again", "t"), 2*mib)
	if err := s.limitLogs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.has(runner.LogPath(base, "done", "t")) || !s.has(runner.LogPath(base, "again", "t")) {
		t.Error("all logs but that of the running attempt should be deleted")
	}
	if freed, err := s.deleteLog(db.Logged{Job: "again", Task: "t", Number: 2, Attempts: 2}, false); freed > 0 || err != nil {
		t.Errorf("%d bytes of a running attempt deleted, %v", freed, err)
	}
}

func TestRetentionDeletesWithTheLogs(t *testing.T) {
	s := tidied(t, 10, config.Config{Retention: config.Retention{OlderThan: time.Hour, Status: "any"}})
	base := s.config.BasePath
	if err := s.prune(t.Context()); err != nil || !s.has(runner.LogPath(base, "done", "t")) {
		t.Fatalf("%v, or what is young was deleted", err)
	}
	s.config.Retention.OlderThan = 0
	if err := s.prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.has(runner.LogPath(base, "done", "t")) || !s.has(runner.LogPath(base, "again", "t")) {
		t.Error("the log of the job that has ended should be gone, and the other there")
	}
	if jobs, err := s.db.Jobs(t.Context()); err != nil || len(jobs) != 1 || jobs[0].Name != "again" {
		t.Errorf("%+v, %v, want the job that runs", jobs, err)
	}
}

// Events go when there are more than are kept, however young they are, in several
// commits.
func TestEventsAreDeleted(t *testing.T) {
	tidying := tidied(t, 0, config.Config{EventDays: 1, EventsKept: 20})
	for n := range 150 {
		if _, _, err := tidying.db.SetPool(t.Context(), "gpu", n+1, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := Fold(t.Context(), tidying.db); err != nil {
		t.Fatal(err)
	}
	if err := tidying.pruneEvents(t.Context()); err != nil {
		t.Fatal(err)
	}
	left, err := tidying.db.Events(t.Context(), "", db.EventQuery{})
	if err != nil || len(left.Events) != 20 {
		t.Errorf("%d events are left, %v, want 20", len(left.Events), err)
	}
}
