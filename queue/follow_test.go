package queue_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
)

// attempts plays the manager and the runner of one task, step by step.
type attempts struct {
	*testing.T
	q   *queue.Queue
	now *db.Assignment
}

func (a *attempts) claim() {
	a.Helper()
	var err error
	if a.now, err = a.q.DB.Claim(a.Context(), db.Runner{Manager: "m"}, 9, "again"); err != nil || a.now == nil {
		a.Fatalf("claim: %+v, %v", a.now, err)
	}
}

// write does with the logs what a runner does before its command starts.
func (a *attempts) write(text string) {
	a.Helper()
	path := runner.LogPath(a.q.BasePath(), "again", "a")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		a.Fatal(err)
	}
	if a.now.Attempt > 1 {
		if err := os.Rename(path, runner.OldLogPath(a.q.BasePath(), "again", "a", a.now.Attempt-1)); err != nil {
			a.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		a.Fatal(err)
	}
}

func (a *attempts) finish() {
	a.Helper()
	code := 1
	if _, err := a.q.DB.Finish(a.Context(), a.now, job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: &code}, false); err != nil {
		a.Fatal(err)
	}
}

func (a *attempts) reset() {
	a.Helper()
	if _, err := a.q.Reset(a.Context(), "again", db.Which{}); err != nil {
		a.Fatal(err)
	}
}

// A task is claimed before its runner moves the log of the attempt before away.
func TestAFollowerThatIsQuickerThanTheRunnerShowsTheRightLog(t *testing.T) {
	for _, c := range []struct {
		name string
		seen bool // the attempt before was followed, too
		want string
	}{
		{"seen from the first attempt", true, "a:attempt 1\na:attempt 2\n"},
		{"seen from the second", false, "a:attempt 1\na was replaced\na:attempt 2\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := openQueue(t)
			if _, err := q.DB.Enqueue(t.Context(), db.Batch{Job: "again", Tasks: func(yield func(job.Spec, error) bool) {
				yield(job.Spec{ID: "a", Command: "true"}, nil)
			}}); err != nil {
				t.Fatal(err)
			}
			a := &attempts{T: t, q: q}
			var out kept
			f := q.FollowNew("again", 0, &out)
			defer func() { f.Close() }()
			tick := func() {
				t.Helper()
				if err := f.Tick(t.Context(), true); err != nil {
					t.Fatal(err)
				}
			}
			a.claim()
			a.write("attempt 1\n")
			if c.seen {
				tick()
			}
			a.finish()
			a.reset()
			if !c.seen {
				last, err := q.DB.LastStep(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				f = q.FollowNew("again", last, &out)
			}
			a.claim()
			tick() // quicker than the runner
			a.write("attempt 2\n")
			a.finish()
			tick()
			if out.String() != c.want {
				t.Errorf("it shows %q, want %q", out.String(), c.want)
			}
		})
	}
}
