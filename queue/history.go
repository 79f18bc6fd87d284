package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// HistoryQuery says what of the history is wanted. The zero value is all of it.
type HistoryQuery struct {
	Jobs   []string  // names of jobs or patterns of them, see Match; none: all
	Status string    // completed, failed, or a reason of a failure; empty: any
	Since  time.Time // only what has ended then or later; zero: all
	Until  time.Time // only what has ended before; zero: all
	Labels []string  // KEY=VALUE, or KEY for one of any value
	Limit  int       // 0: all
}

// BadQuery is the error about a HistoryQuery that cannot be answered.
type BadQuery struct{ what string }

// Error says what is wrong with it.
func (e *BadQuery) Error() string { return e.what }

func badQuery(format string, args ...any) error { return &BadQuery{fmt.Sprintf(format, args...)} }

// forDB checks the query. A job that is named in full must be there.
func (query *HistoryQuery) forDB(ctx context.Context, d *db.DB) (out db.HistoryQuery, err error) {
	out = db.HistoryQuery{Since: query.Since, Until: query.Until, Limit: query.Limit}
	if !query.Since.IsZero() && !query.Until.IsZero() && !query.Since.Before(query.Until) {
		return out, badQuery("there is no time between %s and %s", job.FormatTime(query.Since), job.FormatTime(query.Until))
	}
	switch query.Status {
	case "":
	case string(job.Completed):
		out.Completed = true
	case string(job.Failed):
		out.Failed = true
	default:
		out.Failed, out.Reason = true, job.Reason(query.Status)
	}
	if out.Labels, err = LabelFilters(query.Labels); err != nil {
		return out, badQuery("--label %v", err)
	}
	out.Job, err = matchJobs(ctx, d, query.Jobs)
	return out, err
}

// History calls fn with what has ended, newest first. Errors: *BadQuery, *BadPattern, db.ErrNoJob,
// and those of fn.
func (q *Queue) History(ctx context.Context, query HistoryQuery, fn func(db.Ended) error) error {
	wanted, err := query.forDB(ctx, q.DB)
	if err != nil {
		return err
	}
	return q.DB.History(ctx, wanted, fn)
}

// HistoryJobs returns the jobs that have ended, the one that has changed last first.
// Errors: those of History.
func (q *Queue) HistoryJobs(ctx context.Context, query HistoryQuery) ([]db.HistoryJob, error) {
	wanted, err := query.forDB(ctx, q.DB)
	if err != nil {
		return nil, err
	}
	if wanted.Reason != "" {
		return nil, badQuery("a job has no reason such as %s: it is completed or failed", wanted.Reason)
	}
	return q.DB.HistoryJobs(ctx, wanted)
}

// IsBadQuery reports whether an error is about what was asked for.
func IsBadQuery(err error) bool {
	var bad *BadQuery
	var pattern *BadPattern
	return errors.As(err, &bad) || errors.As(err, &pattern)
}

// EndedForm is the form of an entry of the history.
type EndedForm struct {
	Job     string `json:"job"`
	Task    string `json:"task"`
	Attempt *int   `json:"attempt"` // null: it has ended without one
	EndForm
	Command     string   `json:"command"`
	Args        []string `json:"args"`
	CreatedAt   string   `json:"created_at"`
	StartedAt   *string  `json:"started_at"`
	CompletedAt string   `json:"completed_at"`
	UsageForm            // null without an attempt
	LogPath     *string  `json:"log_path"`
}

// EndedForm is an entry of the history as JSON.
func (q *Queue) EndedForm(e db.Ended) EndedForm {
	out := EndedForm{
		Job: e.Job, Task: e.Task, Attempt: OrNull(e.Number), EndForm: toEndForm(&e.Attempt),
		Command: e.Command, Args: list(e.Args),
		CreatedAt: job.FormatTime(e.QueuedAt), StartedAt: instant(e.StartedAt), CompletedAt: job.FormatTime(e.EndedAt),
	}
	if e.Number > 0 {
		out.UsageForm = toUsageForm(&e.Attempt)
		out.LogPath = new(logPath(q.conf.BasePath, &e.Attempt, e.Newest))
	}
	return out
}

// EndedJobForm is the form of a job that has ended.
type EndedJobForm struct {
	Job         string    `json:"job"`
	State       job.State `json:"state"`
	Total       int       `json:"total"`   // tasks
	Pending     int       `json:"pending"` // of them: they depend on what has failed
	Completed   int       `json:"completed"`
	Failed      int       `json:"failed"`
	Dismissed   int       `json:"dismissed"`
	CreatedAt   string    `json:"created_at"`
	CompletedAt string    `json:"completed_at"`
}

// ToEndedJobForm is the form of a job that has ended.
func ToEndedJobForm(j db.HistoryJob) EndedJobForm {
	c := j.Tasks
	return EndedJobForm{
		Job: j.Name, State: j.State, Total: c.Total(), Pending: c.Pending, Completed: c.Completed, Failed: c.Failed,
		Dismissed: c.Dismissed, CreatedAt: job.FormatTime(j.CreatedAt), CompletedAt: job.FormatTime(j.EndedAt),
	}
}
