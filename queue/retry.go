package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
)

// RetryResult counts the tasks that a retry has made pending again, and those that it
// has left alone.
type RetryResult struct {
	Job     string `json:"job"`
	Retried int    `json:"retried"`
	LeftAlone
}

// Retry makes ended tasks of a job pending again: failed ones, completed ones, and
// what depends on them. Their attempts and logs stay. The errors are those of
// DB.Retry.
func (q *Queue) Retry(ctx context.Context, name string, which db.Retry) (RetryResult, error) {
	r, err := q.DB.Retry(ctx, name, which)
	return RetryResult{name, r.Reset, LeftAlone{r.Cancelled, r.Dismissed}}, err
}
