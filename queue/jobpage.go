package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// JobPage is a page of a list of jobs.
type JobPage struct {
	Items      []JobForm
	Next, Prev *db.JobCursor // nil: there is no such page
	Total      *int          // of all pages; nil: counting would read too much
	AsOf       string        // cursor of the events
}

// JobPage reads a page of a list of jobs.
func (q *Queue) JobPage(ctx context.Context, query db.JobPageQuery) (JobPage, error) {
	p, err := q.DB.JobPage(ctx, query)
	if err != nil {
		return JobPage{}, err
	}
	out, err := q.jobPage(ctx, p)
	if err == nil && query.Text == "" && len(query.Labels) == 0 {
		out.Total, err = q.countJobs(ctx, query.State)
	}
	return out, err
}

// JobsNamed returns those of the jobs that exist, in the order of the names.
func (q *Queue) JobsNamed(ctx context.Context, names []string) (JobPage, error) {
	p, err := q.DB.JobsNamed(ctx, names)
	if err != nil {
		return JobPage{}, err
	}
	out, err := q.jobPage(ctx, p)
	n := len(out.Items)
	out.Total = &n
	return out, err
}

// JobAt returns a job, and the cursor of the events. Errors: db.ErrNoJob.
func (q *Queue) JobAt(ctx context.Context, name string) (JobForm, string, error) {
	p, err := q.JobsNamed(ctx, []string{name})
	if err == nil && len(p.Items) == 0 {
		err = &db.Missing{Job: name}
	}
	if err != nil {
		return JobForm{}, "", err
	}
	return p.Items[0], p.AsOf, nil
}

func (q *Queue) jobPage(ctx context.Context, p db.JobPage) (JobPage, error) {
	out := JobPage{Items: []JobForm{}, Next: p.Next, Prev: p.Prev, AsOf: string(p.AsOf)}
	pauses, err := q.DB.Pauses(ctx)
	if err != nil {
		return out, err
	}
	for _, j := range p.Jobs {
		out.Items = append(out.Items, toJobForm(j, p.Cancelled[j.Name], pauses.Of(j.Name)))
	}
	return out, nil
}

// countJobs counts the jobs in a state, or all.
func (q *Queue) countJobs(ctx context.Context, state *job.State) (*int, error) {
	sums, err := q.DB.Totals(ctx)
	n := sums.Count()
	if state != nil {
		n = sums.Jobs[*state]
	}
	return &n, err
}
