package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
)

// RunOptions say what to tell while a job runs. Of the functions, any but Look may be
// nil.
type RunOptions struct {
	Caller       Caller                  // the task that runs the job, whose place is lent meanwhile
	Look         func() (job.Job, error) // called several times a second, returns the job as it is now; an error ends the run
	Over         func(job.Job) error     // the job has ended
	Leaving      func()                  // the run ends before its job, of which the rest is cancelled next
	NotCancelled func(error)             // it was not, and goes on when a manager serves
	Untold       func(db.Active, error)  // the runner cannot be signalled; it looks for the request by itself
	Failed       func(error)             // the manager in this process has ended with an error
}

// Ran is how a run has ended.
type Ran struct {
	Job  job.Job       // if it is over
	Ours bool          // it is not, and no manager serves it: what was left is cancelled
	Left db.Cancelling // that
}

// Run runs the job to its end (see Over): as long as no manager serves the base path,
// this one does. If ctx ends before, or there is an error, nothing of the job
// starts by itself later: what waits is cancelled, and what runs is ended. But if a
// manager serves the base path, the job is that one's, and goes on.
func (o *OwnManager) Run(ctx context.Context, options RunOptions) (Ran, error) {
	r := &running{own: o, options: options}
	defer func() { r.stop(db.StopLeave) }()
	resume, err := o.queue.Park(ctx, options.Caller)
	if err == nil {
		defer resume()
	}
	for err == nil {
		var j job.Job
		var over bool
		if j, over, err = r.step(ctx); over {
			return Ran{Job: j}, nil
		}
		if err == nil {
			err = Pause(ctx, CheckEvery)
		}
	}
	if options.Leaving != nil {
		options.Leaving()
	}
	left, ours := r.abandon(ctx)
	return Ran{Ours: ours, Left: left}, err
}

// running is a run under way.
type running struct {
	own     *OwnManager
	options RunOptions
}

// step starts the manager if nobody serves, and checks whether the job has ended.
func (r *running) step(ctx context.Context) (j job.Job, over bool, err error) {
	if err := r.own.ensure(ctx); err != nil {
		return j, false, err
	}
	if j, err = r.options.Look(); err != nil {
		return j, false, err
	}
	over, err = r.own.queue.Over(ctx, j)
	if err == nil && over && r.options.Over != nil {
		err = r.options.Over(j)
	}
	return j, over && err == nil, err
}

// abandon leaves nothing of the job that starts by itself later. If a manager
// serves the base path, the job is not ours but that manager's, and nothing happens.
func (r *running) abandon(ctx context.Context) (left db.Cancelling, ours bool) {
	q := r.own.queue
	if on, err := Served(q.conf); r.own.m == nil && (err != nil || on) {
		return left, false
	}
	left, err := q.DB.Interrupt(context.WithoutCancel(ctx), r.own.job)
	if err != nil && r.options.NotCancelled != nil {
		r.options.NotCancelled(err)
	}
	if r.own.m != nil {
		r.stop(db.StopKill) // which tells the runners, and waits for them
		return left, true
	}
	for _, a := range left.Running {
		if err := manager.Tell(a); err != nil && r.options.Untold != nil {
			r.options.Untold(a, err)
		}
	}
	return left, true
}

// stop stops the manager in this process, if there is one.
func (r *running) stop(how db.Stop) {
	if err := r.own.stop(how); err != nil && r.options.Failed != nil {
		r.options.Failed(err)
	}
}
