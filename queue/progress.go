package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// Progress watches the attempts of a job. It reads new and running attempts only,
// however many have ended. It must be used by one goroutine only.
type Progress struct {
	State   job.Job           // as it was last seen
	Running map[int64]db.Step // attempts that ran then, by their rows

	queue   *Queue
	job     string
	last    int64 // newest row seen
	own     int64 // newest of this job
	changes int64
}

// Step is a change of an attempt.
type Step struct {
	db.Step
	New bool // it was not seen before
}

// Progress returns a Progress for the attempts of a job after the row last (see
// db.LastStep).
func (q *Queue) Progress(name string, last int64) *Progress {
	return &Progress{queue: q, job: name, last: last}
}

// Look reads what has happened since the last call: attempts that have started or
// ended. changed is false if nothing at all has changed in the database. Errors:
// db.ErrNoJob.
func (p *Progress) Look(ctx context.Context) (steps []Step, changed bool, err error) {
	changes, err := p.queue.DB.Changes(ctx)
	if err != nil || p.Running != nil && changes == p.changes {
		return nil, false, err
	}
	p.changes = changes
	// The job first: once it has ended, the steps cover all its tasks.
	if p.State, err = p.queue.DB.Job(ctx, p.job); err != nil {
		return nil, true, err
	}
	steps, err = p.step(ctx)
	return steps, true, err
}

// step reads the attempts that started or may have ended since.
func (p *Progress) step(ctx context.Context) (out []Step, err error) {
	var open []int64
	for row := range p.Running {
		open = append(open, row)
	}
	newest, err := p.queue.DB.LastStep(ctx)
	if err != nil {
		return nil, err
	}
	if newest < p.last {
		p.last = p.own // old attempts were removed, and new ones may reuse their rows
	}
	steps, err := p.queue.DB.Steps(ctx, p.job, p.last, open)
	if err != nil {
		return nil, err
	}
	before := p.Running
	p.Running = map[int64]db.Step{}
	for _, s := range steps {
		p.last, p.own = max(p.last, s.Row), max(p.own, s.Row)
		_, known := before[s.Row]
		if s.Status == job.Running {
			p.Running[s.Row] = s
		}
		out = append(out, Step{s, !known})
	}
	return out, nil
}
