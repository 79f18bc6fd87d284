package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// ResetResult counts the tasks that a reset has made pending again, and those that it
// has skipped.
type ResetResult struct {
	Job   string `json:"job"`
	Reset int    `json:"reset"`
	LeftAlone
}

// LeftAlone counts the failed tasks that a reset or retry of a job has skipped.
type LeftAlone struct {
	Cancelled int `json:"skipped_cancelled"`
	Dismissed int `json:"skipped_dismissed"`
}

// Reset makes failed tasks of a job pending again, and what depends on them. Their
// attempts and logs stay. The errors are those of DB.Reset.
func (q *Queue) Reset(ctx context.Context, name string, which db.Which) (ResetResult, error) {
	r, err := q.DB.Reset(ctx, name, which)
	return ResetResult{name, r.Reset, LeftAlone{r.Cancelled, r.Dismissed}}, err
}

// DismissResult counts the failures that were dismissed.
type DismissResult struct {
	Job       string    `json:"job"`
	Dismissed int       `json:"dismissed"`
	State     job.State `json:"state"` // of the job, now
	Blocked   int       `json:"-"`     // tasks of it with a dependency that has not completed
}

// Dismiss acknowledges failures of a job, so that they no longer count: those of these
// tasks, or all if none is named. The errors are those of DB.Dismiss.
func (q *Queue) Dismiss(ctx context.Context, name string, tasks []string) (DismissResult, error) {
	r, err := q.DB.Dismiss(ctx, name, tasks)
	return DismissResult{name, r.Dismissed, r.State, r.Blocked}, err
}
