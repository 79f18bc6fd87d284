package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// runHooks runs the hooks that are ready, if the manager in this process has run the job:
// its own are among them, and nobody else may come to run them. It returns how many are
// left, because they wait for a retry or ctx has ended.
func (r *running) runHooks(ctx context.Context) (left int) {
	if r.own.m == nil {
		return 0
	}
	q := r.own.queue
	if w, err := q.DB.Work(ctx, 1, job.HooksJob); err == nil && w.Tasks > 0 {
		r.stop(db.StopLeave)
		own := q.OwnManager(job.HooksJob, r.own.open)
		for own.ensure(ctx) == nil && q.hooksRun(ctx) && Pause(ctx, CheckEvery) == nil {
		}
		if err := own.stop(db.StopLeave); err != nil && r.options.Failed != nil {
			r.options.Failed(err)
		}
	}
	if j, err := q.DB.Job(context.WithoutCancel(ctx), job.HooksJob); err == nil {
		left = j.Tasks.Pending
	}
	return left
}

// hooksRun reports whether a hook runs, or can.
func (q *Queue) hooksRun(ctx context.Context) bool {
	j, err := q.DB.Job(ctx, job.HooksJob)
	if err != nil || j.Tasks.Running > 0 {
		return err == nil
	}
	w, err := q.DB.Work(ctx, 1, job.HooksJob)
	return err == nil && w.Tasks > 0
}
