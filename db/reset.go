package db

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/job"
)

// Which says which failed tasks of a job to reset.
type Which struct {
	// Tasks are ids; each must be that of a failed task, of whatever kind, or of one
	// that waits for its retry. Empty: all that failed, but for those that were
	// cancelled or dismissed.
	Tasks []string
	// Cancelled includes the cancelled ones.
	Cancelled bool
}

// Resetting is the result of a Reset.
type Resetting struct {
	Reset     int // tasks that are pending again
	Cancelled int // tasks that were skipped because they were cancelled,
	Dismissed int // or dismissed
}

// Reset makes failed tasks of a job pending again. Their attempts stay in the history;
// tasks that depend on them run after them. A dismissed task is no longer dismissed.
// Errors, after which nothing has changed: ErrNoJob, ErrNoTask, or that a task has not
// failed.
func (d *DB) Reset(ctx context.Context, name string, which Which) (Resetting, error) {
	return d.Retry(ctx, name, Retry{Which: which})
}

func (t *tx) reset(j *jobRow, which Which) (Resetting, error) {
	var out Resetting
	var change delta
	if len(which.Tasks) == 0 {
		taken, err := t.resetAll(j.ID, which.Cancelled)
		if err != nil {
			return out, err
		}
		for _, blockers := range taken {
			change.reset(blockers, false)
		}
		if out, err = t.leftFailed(j.ID); err != nil {
			return out, err
		}
	}
	for _, id := range distinct(which.Tasks) {
		waits, err := t.unretry(j, id, &change)
		if err != nil {
			return out, err
		}
		if waits {
			out.Reset++
			continue
		}
		f, err := t.failedTask(j, id, "reset")
		if err != nil {
			return out, err
		}
		query, args := t.toPending(`
WHERE id = ?
RETURNING blockers`, f.ID)
		if _, err := t.get(&f.Blockers, query, args...); err != nil {
			return out, err
		}
		change.reset(f.Blockers, f.Dismissed)
	}
	out.Reset += change.Pending
	if out.Reset == 0 {
		return out, nil
	}
	if err := t.eventOf(TasksReset, j.ID, onlyOne(which.Tasks), out.Reset); err != nil {
		return out, err
	}
	return out, t.putBack(j, change)
}

// putBack reopens a job of which ended tasks are pending again. Where tasks wait for
// other ends than success, the change is worked out anew.
func (t *tx) putBack(j *jobRow, change delta) error {
	on, err := t.conditional(j.ID)
	if err == nil && on {
		change, err = t.reconsider(j.ID)
	}
	if err != nil {
		return err
	}
	return t.reopen(j, change)
}

// resetAll makes failed tasks pending, and returns the blockers of each.
func (t *tx) resetAll(jobID int64, cancelled bool) (blockers []int, err error) {
	taken := 0
	if cancelled {
		taken = 1
	}
	query, args := t.toPending(`
WHERE job = ?
  AND status = 'failed'
  AND dismissed_at IS NULL
  AND (reason <> 'cancelled' OR ? = 1)
RETURNING blockers`, jobID, taken)
	err = t.all(&blockers, query, args...)
	return blockers, err
}

// leftFailed counts the failed tasks of a job that a reset has skipped.
func (t *tx) leftFailed(jobID int64) (out Resetting, err error) {
	var left struct{ Cancelled, Dismissed int }
	_, err = t.get(&left, `
SELECT coalesce(sum(CASE WHEN dismissed_at IS NULL THEN 1 ELSE 0 END), 0) AS cancelled,
       coalesce(sum(CASE WHEN dismissed_at IS NULL THEN 0 ELSE 1 END), 0) AS dismissed
FROM task
WHERE job = ?
  AND status = 'failed'`, jobID)
	return Resetting{Cancelled: left.Cancelled, Dismissed: left.Dismissed}, err
}

// reset counts one failed task that is pending again.
func (d *delta) reset(blockers int, dismissed bool) {
	d.Pending++
	if dismissed {
		d.Dismissed--
	} else {
		d.Failed--
	}
	if blockers > 0 {
		d.blocked++
	}
}

// reopen changes the counters of a job that got pending tasks. If something of it is
// to run and nothing does, the job waits.
func (t *tx) reopen(j *jobRow, change delta) error {
	_, err := t.updateJob(j.ID, change)
	if err == nil && j.State != job.StateWaiting {
		_, err = t.exec(`UPDATE job SET state = 'waiting' WHERE id = ? AND running = 0 AND state = 'working'`, j.ID)
	}
	return err
}

// toPending is the statement, and its values, that makes a task that does not run as if
// it had never run, but for its attempts. Of what held it, only the place that it needs
// in pools is left. It ends with the rest, which has the condition.
func (t *tx) toPending(rest string, args ...any) (string, []any) {
	if !t.d.hasRollups() {
		return makePending + rest, args
	}
	return makePending + `,
    ready_at = ?` + rest, append([]any{t.now}, args...)
}

const makePending = `
UPDATE task
SET status = 'pending',
    blockers = blockers - holds + CASE WHEN pools IS NULL THEN 0 ELSE 1 END,
    holds = CASE WHEN pools IS NULL THEN 0 ELSE 1 END,
    tries = 0,
    reason = NULL,
    exit_code = NULL,
    signal = NULL,
    error = NULL,
    started_at = NULL,
    completed_at = NULL,
    dismissed_at = NULL`

// failedTask is a failed task that was given by its id.
type failedTask struct {
	ID        int64
	Status    job.Status
	Blockers  int
	Dismissed bool
}

// failedTask finds a task for an action that only failed tasks allow. The participle
// names the action in the error.
func (t *tx) failedTask(j *jobRow, id, participle string) (*failedTask, error) {
	var f failedTask
	ok, err := t.get(&f, `
SELECT id, status, blockers, dismissed_at IS NOT NULL AS dismissed
FROM task
WHERE job = ?
  AND name = ?`, j.ID, id)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, noTask(j.Name, id)
	case f.Status != job.Failed:
		return nil, fmt.Errorf("task %q of job %q is %s, only failed tasks can be %s", id, j.Name, f.Status, participle)
	}
	return &f, nil
}

// onlyOne is the one id of a list; empty: there are none or several.
func onlyOne(ids []string) string {
	if ids = distinct(ids); len(ids) == 1 {
		return ids[0]
	}
	return ""
}

// distinct returns the ids without repetitions.
func distinct(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	var out []string
	for _, id := range ids {
		if !seen[id] {
			out = append(out, id)
		}
		seen[id] = true
	}
	return out
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

// taskState is a task's row and status.
type taskState struct {
	ID     int64
	Status job.Status
}

// taskRow finds a task by its id, or returns ErrNoTask. For an empty id it returns nil.
func (t *tx) taskRow(jobName string, jobID int64, id string) (*taskState, error) {
	if id == "" {
		return nil, nil
	}
	s, ok, err := t.findTask(jobID, id)
	if err == nil && !ok {
		err = noTask(jobName, id)
	}
	return &s, err
}

// findTask looks for the task of a job with this id.
func (t *tx) findTask(jobID int64, id string) (s taskState, ok bool, err error) {
	ok, err = t.get(&s, `SELECT id, status FROM task WHERE job = ? AND name = ?`, jobID, id)
	return s, ok, err
}
