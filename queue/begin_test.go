package queue_test

import (
	"errors"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// begin begins a job, and returns its name.
func begin(t *testing.T, q *queue.Queue, wanted string, resume bool) (string, error) {
	t.Helper()
	begun, err := q.Begin(t.Context(), []job.Spec{{ID: "a", Command: "true", Dir: "/"}}, queue.BeginOptions{
		EnqueueOptions: queue.EnqueueOptions{Job: wanted, FromFile: true}, Resume: resume,
	})
	return begun.Job, err
}

func TestAJobThatHasCompletedKeepsItsName(t *testing.T) {
	q := openQueue(t)
	if name, err := begin(t, q, "new", false); name != "new" || err != nil {
		t.Errorf("the first: %q, %v", name, err)
	}
	there := (*queue.Unfinished)(nil)
	if _, err := begin(t, q, "new", false); !errors.As(err, &there) || there.Job.Name != "new" {
		t.Errorf("one that waits: %v", err)
	}
	if name, err := begin(t, q, "new", true); name != "new" || err != nil {
		t.Errorf("one that goes on: %q, %v", name, err)
	}
	// A job whose only failure was dismissed counts as completed.
	if _, err := q.DB.Cancel(t.Context(), "new", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Dismiss(t.Context(), "new", nil); err != nil {
		t.Fatal(err)
	}
	if name, err := begin(t, q, "new", false); name != "new-2" || err != nil {
		t.Errorf("the second: %q, %v", name, err)
	}
}

// What is left of a job must not start later, when a manager does.
func TestARunThatFailsLeavesNothingThatStartsLater(t *testing.T) {
	q := openQueue(t)
	broken := errors.New("no log")
	own := q.OwnManager("build", func() (queue.ManagerLog, error) { return queue.ManagerLog{}, broken })
	end, err := own.Run(t.Context(), queue.RunOptions{Look: func() (job.Job, error) { return q.DB.Job(t.Context(), "build") }})
	if !errors.Is(err, broken) || !end.Ours || end.Left.Pending != 2 {
		t.Errorf("%+v, %v", end, err)
	}
	for _, id := range []string{"c", "d"} {
		if got, err := q.DB.Task(t.Context(), "build", id); err != nil || got.Reason != job.Cancelled {
			t.Errorf("task %s: %v, %v", id, got.Reason, err)
		}
	}
}

func TestStopWithoutAManager(t *testing.T) {
	if _, err := openQueue(t).Stop(t.Context(), queue.StopOptions{How: db.StopDrain}); !errors.Is(err, queue.ErrNotServed) {
		t.Errorf("%v, want %v", err, queue.ErrNotServed)
	}
}

func TestCheckOfASoundQueue(t *testing.T) {
	found, err := openQueue(t).Check(t.Context())
	if err != nil || found.Findings == nil || len(found.Findings) > 0 || found.Outdated() {
		t.Errorf("%+v, %v", found, err)
	}
}
