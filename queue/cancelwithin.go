package queue

import (
	"context"
	"errors"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
)

// CancelRequested is the result of a CancelWithin.
type CancelRequested struct {
	Job     string
	Task    *string // nil: all of the job
	Pending int     // had not started, and will not
	Running int     // have not ended yet
}

// CancelWithin stores the request to end a job, or one task of it, tells the runners,
// and waits at most this long until none is running; 0: not at all. Where all have
// ended already there is nothing to do, which is no error. Errors: db.ErrNoJob,
// db.ErrNoTask, *Unsettled.
func (q *Queue) CancelWithin(ctx context.Context, name, task string, most time.Duration) (CancelRequested, error) {
	out := CancelRequested{Job: name, Task: OrNull(task)}
	var tasks []string
	if task != "" {
		tasks = []string{task}
	}
	done, err := q.cancel(ctx, name, CancelOptions{Tasks: tasks})
	if err != nil {
		return out, err
	}
	out.Pending = done.Pending
	w := &endings{queue: q, open: done.Running, changes: -1}
	if most == 0 {
		for _, r := range w.open {
			_ = manager.Tell(r) // it checks for the request by itself, too
		}
		out.Running = len(w.open)
		return out, nil
	}
	limit, stop := context.WithTimeout(ctx, most)
	defer stop()
	err = w.await(limit)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	out.Running = len(w.open)
	return out, err
}

// ResetTask makes a failed task pending again. For one that has not failed there is
// nothing to do, which is no error. Errors: db.ErrNoTask.
func (q *Queue) ResetTask(ctx context.Context, name, task string) (ResetResult, error) {
	t, err := q.DB.Task(ctx, name, task)
	if err != nil {
		return ResetResult{}, err
	}
	if t.Status != job.Failed && !(t.Status == job.Pending && t.Tries > 0 && !t.Due.IsZero()) {
		return ResetResult{Job: name}, nil
	}
	return q.Reset(ctx, name, db.Which{Tasks: []string{task}})
}
