package queue

import "context"

// RerunResult says which job was made of another.
type RerunResult struct {
	Job   string `json:"job"`      // the new one
	Of    string `json:"rerun_of"` // the one whose tasks it has
	Added int    `json:"added"`    // tasks
}

// Rerun stores a new job with the tasks of another one. Without a name for it, it is
// called as that, with a number. Errors: db.ErrNoJob, db.ErrJobExists; db.ErrEmpty if
// there is nothing to run.
func (q *Queue) Rerun(ctx context.Context, name, as string) (RerunResult, error) {
	added, err := q.DB.Rerun(ctx, name, as)
	if err != nil {
		return RerunResult{}, err
	}
	return RerunResult{added.Job, name, added.Count}, nil
}
