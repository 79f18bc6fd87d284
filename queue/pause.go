package queue

import (
	"context"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
)

// PauseOptions say what to pause or to resume.
type PauseOptions struct {
	Jobs   []string // names; none: all jobs, and those that are queued later
	Freeze bool     // of a pause: stop the processes of what runs
	// Waiting is called, unless it is nil, after two seconds, for each task of which
	// the runner has not done yet what it was asked.
	Waiting func(db.Active)
}

// PauseResult says what was paused.
type PauseResult struct {
	Job     *string `json:"job"`     // null: all jobs
	Paused  bool    `json:"paused"`  // false: it was before
	Running int     `json:"running"` // tasks of it that run, frozen or not
	Frozen  int     `json:"frozen"`  // of these, those whose processes are stopped
}

// ResumeResult says what was resumed.
type ResumeResult struct {
	Job     *string `json:"job"`     // null: all jobs
	Resumed bool    `json:"resumed"` // false: it was not paused
	Running int     `json:"running"` // tasks of it that run, frozen or not
	Frozen  int     `json:"frozen"`  // of these, those whose processes are still stopped
}

// PauseJobs keeps tasks from starting until ResumeJobs. What runs goes on, or is frozen.
// With Freeze, it waits up to PatienceWithRunners for the runners. Errors:
// db.ErrNoJob, and then nothing has changed.
func (q *Queue) PauseJobs(ctx context.Context, o PauseOptions) ([]PauseResult, error) {
	pause := func() (db.Pausing, error) { return q.DB.PauseJobs(ctx, o.Jobs, o.Freeze) }
	if len(o.Jobs) == 0 {
		pause = func() (db.Pausing, error) { return q.DB.PauseAll(ctx, o.Freeze) }
	}
	counts, err := q.frozen(ctx, pause, true, o.Waiting)
	var out []PauseResult
	for _, c := range counts {
		out = append(out, PauseResult{c.job, c.changed, c.running, c.frozen})
	}
	return out, err
}

// ResumeJobs ends a pause, and lets frozen tasks go on. Where all jobs are paused, one
// that was also paused by its name stays paused when that of all ends, and the other
// way round. Errors: db.ErrNoJob, and then nothing has changed.
func (q *Queue) ResumeJobs(ctx context.Context, o PauseOptions) ([]ResumeResult, error) {
	resume := func() (db.Pausing, error) { return q.DB.ResumeJobs(ctx, o.Jobs) }
	if len(o.Jobs) == 0 {
		resume = func() (db.Pausing, error) { return q.DB.ResumeAll(ctx) }
	}
	counts, err := q.frozen(ctx, resume, false, o.Waiting)
	var out []ResumeResult
	for _, c := range counts {
		out = append(out, ResumeResult{c.job, c.changed, c.running, c.frozen})
	}
	return out, err
}

// pauseCount is what a pause or its end has met of a job, or of all.
type pauseCount struct {
	job             *string
	changed         bool
	running, frozen int
}

// frozen makes a change, waits until the runners that were asked have stopped the processes of their
// tasks, or have let them go on, and counts what runs.
func (q *Queue) frozen(ctx context.Context, change func() (db.Pausing, error), want bool, waiting func(db.Active)) ([]pauseCount, error) {
	done, err := change()
	if err != nil {
		return nil, err
	}
	err = q.heard(ctx, done.Asked, waiting, func(ctx context.Context, a db.Active) (bool, error) {
		p, err := q.DB.Pauses(ctx)
		_, is := p.Frozen[db.FrozenTask{Job: a.Job, Task: a.Task}]
		return is == want, err
	})
	if err != nil {
		return nil, err
	}
	p, err := q.DB.Pauses(ctx)
	if err != nil {
		return nil, err
	}
	count := func(c *pauseCount) {
		for _, a := range done.Running {
			if c.job != nil && *c.job != a.Job {
				continue
			}
			c.running++
			if _, is := p.Frozen[db.FrozenTask{Job: a.Job, Task: a.Task}]; is {
				c.frozen++
			}
		}
	}
	if done.Jobs == nil {
		all := pauseCount{changed: done.Changed}
		count(&all)
		return []pauseCount{all}, nil
	}
	var out []pauseCount
	for _, j := range done.Jobs {
		one := pauseCount{job: &j.Job, changed: j.Changed}
		count(&one)
		out = append(out, one)
	}
	return out, nil
}

// PatienceWithRunners is how long it is waited for runners to do what they were
// asked. They look every second. The request stays.
const PatienceWithRunners = 10 * time.Second

// heard makes the runners of attempts look now, and waits until for each of them
// the function says so, or the attempt has ended, or the patience is over.
func (q *Queue) heard(ctx context.Context, asked []db.Active, waiting func(db.Active), has func(context.Context, db.Active) (bool, error)) error {
	for _, a := range asked {
		manager.Poke(a)
	}
	begin, said := time.Now(), false
	for {
		var open []db.Active
		became, err := q.DB.Become(ctx, asked)
		if err != nil {
			return err
		}
		for _, b := range became {
			if b.Status != job.Running {
				continue
			}
			if is, err := has(ctx, b.Active); err != nil {
				return err
			} else if !is {
				open = append(open, b.Active)
			}
		}
		asked = open
		past := time.Since(begin)
		if len(open) == 0 || past > PatienceWithRunners {
			return nil
		}
		if past > 2*time.Second && !said && waiting != nil {
			said = true
			for _, a := range open {
				waiting(a)
			}
		}
		if err := Pause(ctx, CheckEvery/4); err != nil {
			return err
		}
	}
}
