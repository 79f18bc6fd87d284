package queue

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/manager"
)

// RemoveResult counts the tasks that were removed.
type RemoveResult struct {
	Job     string `json:"job"`
	Removed int    `json:"removed"`
}

// FilesLeft is the error of a removal that has left some files behind. They do no harm:
// a later task of the same name moves them out of its way.
type FilesLeft struct{ err error }

// Error says why.
func (e *FilesLeft) Error() string {
	return fmt.Sprintf("removed, except for some of its files: %v", e.err)
}

// Unwrap returns the reason.
func (e *FilesLeft) Unwrap() error { return e.err }

// RemoveJobs deletes whole jobs that have no running task: all of them, or none if one
// cannot be deleted. Then it deletes their logs and exported files. Errors:
// db.ErrNoJob, db.ErrInUse; *FilesLeft, with the jobs that were removed completely.
func (q *Queue) RemoveJobs(ctx context.Context, names []string) ([]RemoveResult, error) {
	removed, err := q.DB.RemoveJobs(ctx, names)
	if err != nil {
		return nil, err
	}
	out := make([]RemoveResult, 0, len(removed))
	for _, r := range removed {
		if _, err := manager.RemoveJobFiles(ctx, q.DB, q.conf.BasePath, r); err != nil {
			return out, &FilesLeft{err}
		}
		out = append(out, RemoveResult{r.Name, r.Tasks})
	}
	return out, nil
}

// RemoveTasks deletes tasks of a job, and their logs. They must not be running, and no
// other task may depend on them. The job stays. Errors: db.ErrNoJob, db.ErrNoTask,
// db.ErrInUse, after which nothing has changed; *FilesLeft.
func (q *Queue) RemoveTasks(ctx context.Context, name string, tasks []string) (RemoveResult, error) {
	removed, err := q.DB.RemoveTasks(ctx, name, tasks)
	if err != nil {
		return RemoveResult{}, err
	}
	if _, err := manager.RemoveTaskFiles(ctx, q.DB, q.conf.BasePath, name, removed); err != nil {
		return RemoveResult{}, &FilesLeft{err}
	}
	return RemoveResult{name, len(removed)}, nil
}
