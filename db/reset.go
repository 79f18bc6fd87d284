package db

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/job"
)

// Reset makes the failed tasks of a job pending again, or only the one with
// the id task if that is not empty, and returns their number. Their attempts
// stay in the history; what depends on them runs after them.
func (d *DB) Reset(ctx context.Context, name, task string) (int, error) {
	var n int
	err := d.write(ctx, func(t *tx) error {
		j, err := t.jobRow(name)
		if err != nil {
			return err
		}
		n, err = t.reset(name, j, task)
		return err
	})
	return n, d.wakeAfter(err)
}

func (t *tx) reset(name string, j *jobRow, task string) (int, error) {
	only, err := t.taskRow(name, j.ID, task)
	if err != nil {
		return 0, err
	}
	if only != nil && only.Status != job.Failed {
		return 0, fmt.Errorf("task %q of job %q is %s, only failed tasks can be reset", task, name, only.Status)
	}
	var blockers []int
	query, args := oneOrAll(`
UPDATE task
SET status = 'pending',
    reason = NULL,
    exit_code = NULL,
    signal = NULL,
    error = NULL,
    started_at = NULL,
    completed_at = NULL
WHERE job = ?
  AND status = 'failed'`, task, j.ID)
	err = t.all(&blockers, query, args...)
	if err != nil || len(blockers) == 0 {
		return 0, err
	}
	d := delta{Counts: job.Counts{Pending: len(blockers), Failed: -len(blockers)}}
	for _, b := range blockers {
		if b > 0 {
			d.blocked++
		}
	}
	ready, err := t.updateJob(j.ID, d)
	if err == nil && ready && j.State != job.StateWaiting {
		_, err = t.exec(`UPDATE job SET state = 'waiting' WHERE id = ? AND running = 0`, j.ID)
	}
	return len(blockers), err
}

// oneOrAll narrows an update of a job's tasks to the one with the id task, if
// that is not empty, and has it return the blockers of those that it changed.
func oneOrAll(update, task string, args ...any) (string, []any) {
	if task != "" {
		update, args = update+`
  AND name = ?`, append(args, task)
	}
	return update + `
RETURNING blockers`, args
}

// jobRow finds a job by its name, or returns ErrNoJob.
func (t *tx) jobRow(name string) (*jobRow, error) {
	var j jobRow
	ok, err := t.get(&j, `SELECT id, name, added, state FROM job WHERE name = ?`+t.d.dialect.lockRow, name)
	if err == nil && !ok {
		err = noJob(name)
	}
	return &j, err
}

// taskState is a task's row and how it stands.
type taskState struct {
	ID     int64
	Status job.Status
}

// taskRow finds a task by its id, or returns ErrNoTask. For no id, it is nil.
func (t *tx) taskRow(jobName string, jobID int64, id string) (*taskState, error) {
	if id == "" {
		return nil, nil
	}
	var s taskState
	ok, err := t.get(&s, `SELECT id, status FROM task WHERE job = ? AND name = ?`, jobID, id)
	if err == nil && !ok {
		err = noTask(jobName, id)
	}
	return &s, err
}
