package queue

import (
	"context"

	"github.com/air-executor/air-executor/job"
)

// SubmittedForm is the form of a job that was stored.
type SubmittedForm struct {
	Job       string `json:"job"`
	Submitted int    `json:"submitted"` // tasks
}

// Submit stores the tasks of a new job. The errors are those of Begin.
func (q *Queue) Submit(ctx context.Context, tasks []job.Spec, o BeginOptions) (SubmittedForm, error) {
	b, err := q.Begin(ctx, tasks, o)
	return SubmittedForm{b.Job, len(tasks)}, err
}
