package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
)

// RunOptions say which events to report while a job runs. Any function except Look may
// be nil.
type RunOptions struct {
	Caller       Caller                  // the task that runs the job, whose place is lent meanwhile
	Look         func() (job.Job, error) // called several times a second, returns the job as it is now; an error ends the run
	Over         func(job.Job) error     // the job has ended
	Leaving      func()                  // the run ends before its job; the rest of the job is about to be cancelled
	NotCancelled func(error)             // it could not be cancelled, and will continue when a manager serves
	Untold       func(db.Active, error)  // the runner cannot be signalled; it will check for the request by itself
	Failed       func(error)             // the manager in this process has ended with an error
}

// Ran is the result of a run.
type Ran struct {
	Job  job.Job       // if it is over
	Ours bool          // it is not over, and no manager serves it: the rest was cancelled
	Left db.Cancelling // that

	Hooks int // hooks that wait for a manager
}

// Run runs the job to its end (see Over), with a manager in this process as long as no
// other serves the base path. If ctx ends before that, or there is an error, nothing of
// the job starts later: pending tasks are cancelled, and running ones are ended. But if
// a manager serves the base path, the job belongs to it, and continues.
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
			return Ran{Job: j, Hooks: r.runHooks(ctx)}, nil
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

// running is the state of a run.
type running struct {
	own     *OwnManager
	options RunOptions
}

// step starts the manager if no other serves, and checks whether the job has ended.
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

// abandon makes sure that nothing of the job starts later. If a manager serves the base
// path, the job belongs to it, and abandon does nothing.
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
		r.stop(db.StopKill) // signals the runners, and waits for them
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
