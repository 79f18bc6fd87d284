package api

import (
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// Job is a job as the API shows it.
type Job struct {
	queue.JobForm
	URL string `json:"url"` // of its page
}

// JobAt is a job with the cursor of the events.
type JobAt struct {
	Job
	AsOf *string `json:"as_of"`
}

func (c *call) job(f queue.JobForm) Job { return Job{f, c.address("jobs", f.Job)} }

// jobSort is an order of a list of jobs.
func jobSort(s ListJobsParamsSort) db.Order {
	switch s {
	case ListJobsParamsSortCreated:
		return db.ByCreated
	case ListJobsParamsSortUpdated:
		return db.ByUpdated
	case ListJobsParamsSortFailed:
		return db.ByFailed
	}
	return db.ByJob
}

func listJobs(c *call) (answer, error) {
	var p ListJobsParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	if p.Name != nil {
		found, err := c.api.queue.JobsNamed(c.Context(), *p.Name)
		return ok(c.jobPage(found, ""), err)
	}
	sort := or(p.Sort, ListJobsParamsSortName)
	q := db.JobPageQuery{Text: or(p.Q, ""), Sort: jobSort(sort), Limit: or(p.Limit, defaultLimit)}
	if p.State != nil {
		q.State = new(job.State(*p.State))
	}
	for _, l := range or(p.Label, nil) {
		f := db.LabelFilter{Key: l}
		if key, value, is := strings.Cut(l, "="); is {
			f = db.LabelFilter{Key: key, Value: &value}
		}
		q.Labels = append(q.Labels, f)
	}
	if p.Cursor != nil {
		at, err := readCursor(*p.Cursor, string(sort))
		if err != nil {
			return answer{}, err
		}
		q.From, q.Back = &db.JobCursor{Rank: at.Rank, Name: at.Name}, at.Back
	}
	found, err := c.api.queue.JobPage(c.Context(), q)
	return ok(c.jobPage(found, string(sort)), err)
}

func (c *call) jobPage(p queue.JobPage, sort string) JobPage {
	out := JobPage{Items: []Job{}, Total: p.Total, AsOf: orNull(p.AsOf)}
	for _, f := range p.Items {
		out.Items = append(out.Items, c.job(f))
	}
	if p.Next != nil {
		out.Next = place{Sort: sort, Rank: p.Next.Rank, Name: p.Next.Name}.cursor()
	}
	if p.Prev != nil {
		out.Prev = place{Sort: sort, Rank: p.Prev.Rank, Name: p.Prev.Name, Back: true}.cursor()
	}
	return out
}

func getJob(c *call) (answer, error) {
	f, asOf, err := c.api.queue.JobAt(c.Context(), c.PathValue("job"))
	return ok(JobAt{c.job(f), orNull(asOf)}, err)
}
