package db

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/job"
)

// Cancelling says what a Cancel did.
type Cancelling struct {
	Pending int      // tasks that had not started; they are now failed, as cancelled
	Running []Active // attempts whose runners have to be told
}

// Cancel ends the tasks of a job, or only the task with this id if it is not empty.
// Pending tasks fail at once. Running ones are marked; the caller then tells their
// runners, which end them and record it.
func (d *DB) Cancel(ctx context.Context, name, task string) (Cancelling, error) {
	return d.cancel(ctx, name, task, "cancelled before it started")
}

// Interrupt ends the tasks of a job whose run was interrupted, as [DB.Cancel] does; the
// error of tasks that had not started says so.
func (d *DB) Interrupt(ctx context.Context, name string) (Cancelling, error) {
	return d.cancel(ctx, name, "", "cancelled: the run was interrupted")
}

// cancel is [DB.Cancel] with an error text for tasks that had not started.
func (d *DB) cancel(ctx context.Context, name, task, why string) (Cancelling, error) {
	var out Cancelling
	err := d.writeEnd(ctx, func(t *tx) error {
		out = Cancelling{}
		j, err := t.lockJobToEnd(name)
		if err != nil {
			return err
		}
		only, err := t.taskRow(name, j.ID, task)
		if err != nil {
			return err
		}
		if only != nil && only.Status.Ended() {
			return fmt.Errorf("task %q of job %q has ended already: %s", task, name, only.Status)
		}
		if out.Pending, err = t.cancelPending(j.ID, task, why); err != nil {
			return err
		}
		if out.Running, err = t.cancelRunning(j.ID, task); err != nil {
			return err
		}
		return t.afterCancel()
	})
	return out, err
}

// CancelTasks is [DB.Cancel] for some tasks of a job. Those that have ended already
// are passed over. Errors: ErrNoJob, ErrNoTask, and then nothing has changed.
func (d *DB) CancelTasks(ctx context.Context, name string, tasks []string) (Cancelling, error) {
	var out Cancelling
	err := d.writeEnd(ctx, func(t *tx) error {
		out = Cancelling{}
		j, err := t.lockJobToEnd(name)
		if err != nil {
			return err
		}
		for _, id := range distinct(tasks) {
			row, err := t.taskRow(name, j.ID, id)
			if err != nil {
				return err
			}
			switch row.Status {
			case job.Pending:
				n, err := t.cancelPending(j.ID, id, "cancelled before it started")
				if err != nil {
					return err
				}
				out.Pending += n
			case job.Running:
				running, err := t.cancelRunning(j.ID, id)
				if err != nil {
					return err
				}
				out.Running = append(out.Running, running...)
			}
		}
		return t.afterCancel()
	})
	return out, err
}

// cancelPending fails the tasks that have not started, with this error text.
func (t *tx) cancelPending(jobID int64, task, why string) (int, error) {
	freed, err := t.freeHeld(jobID, task)
	if err != nil {
		return 0, err
	}
	var blockers []int
	query, args := oneOrAll(`
UPDATE task
SET status = 'failed',
    reason = 'cancelled',
    error = ?,
    completed_at = ?
WHERE job = ?
  AND status = 'pending'`, task, why, t.now, jobID)
	err = t.all(&blockers, query, args...)
	if err == nil {
		err = t.eventOf(TasksCancelled, jobID, task, len(blockers))
	}
	if err != nil || len(blockers) == 0 {
		return 0, err
	}
	d := delta{Counts: job.Counts{Pending: -len(blockers), Failed: len(blockers)}, blocked: -freed}
	for _, b := range blockers {
		if b > 0 {
			d.blocked--
		}
	}
	if on, err := t.conditional(jobID); err != nil || on {
		if err == nil {
			d, err = t.reconsider(jobID)
		}
		if err != nil {
			return 0, err
		}
	}
	_, err = t.updateJob(jobID, d)
	return len(blockers), err
}

// cancelRunning marks the running attempts of a job (0: of all jobs), or only that of
// the task, if it is not empty.
func (t *tx) cancelRunning(jobID int64, task string) ([]Active, error) {
	active, err := t.active()
	if err != nil {
		return nil, err
	}
	var out []Active
	for _, a := range active {
		if jobID != 0 && a.ending.job != jobID || task != "" && a.Task != task {
			continue
		}
		n, err := t.exec(`
UPDATE attempt
SET cancel_at = ?
WHERE id = ?
  AND status = 'running'
  AND cancel_at IS NULL`, t.now, a.attempt)
		if err == nil && n > 0 {
			err = t.event(TaskCancelling, a.ending.job, a.ending.task, a.Number)
		}
		if err != nil {
			return nil, err
		}
		a.Cancelled = true
		out = append(out, a)
	}
	return out, nil
}

// CancelRunning marks every running attempt as cancelled, and returns them. If only is
// not empty, it does so in the job of that name alone.
func (d *DB) CancelRunning(ctx context.Context, only string) ([]Active, error) {
	var out []Active
	err := d.writeResult(ctx, func(t *tx) error {
		jobID, err := t.lockOnly(only)
		if err != nil {
			return err
		}
		out, err = t.cancelRunning(jobID, "")
		return err
	})
	return out, err
}
