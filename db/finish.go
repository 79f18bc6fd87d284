package db

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
)

// Finished is the result of a Finish.
type Finished struct {
	// Next is the task that the same runner continues with; nil: none, and it exits.
	Next *Assignment
	// Ready reports whether there may be another task to claim now: of the job, or one
	// that has waited for places in pools.
	Ready bool
}

// Finish records the result of an attempt, frees its place, and takes one blocker off
// the tasks that depend on it, in one durable commit. With next, the same commit claims
// the best ready task of the same job for the same runner, unless the attempt was
// cancelled: the signal of that cancel may still be on its way, and must not hit
// another task. If the attempt has ended already, Finish changes nothing and returns
// ErrFenced. After ErrInDoubt, the result may have been recorded: see [DB.Recorded].
func (d *DB) Finish(ctx context.Context, a *Assignment, r job.Result, next bool) (Finished, error) {
	var out Finished
	err := d.writeEnd(ctx, func(t *tx) error {
		out = Finished{}
		ready, err := t.finish(ending{attempt: a.attemptID, task: a.taskID, job: a.job, token: a.Token}, r)
		if err != nil {
			return err
		}
		if !next || !ready || d.engine.RoomSpent() {
			out.Ready = ready
			return nil
		}
		if asked, err := t.cancelAsked(a); asked || err != nil {
			out.Ready = ready
			return err
		}
		row, err := t.best(a.job)
		if err != nil || row == nil {
			out.Ready = t.waited
			return err
		}
		if out.Next, err = t.claim(a.runner, row); err == nil {
			out.Ready = out.Next.more || t.waited
		}
		return err
	})
	if err == nil {
		err = inDoubt(failpoint.Err("finish.committed"))
	}
	if err != nil {
		return Finished{}, err
	}
	return out, nil
}

// Recorded finds out what a Finish that returned ErrInDoubt did. It returns ErrFenced
// if the attempt has ended with a result other than r, or has not ended.
func (d *DB) Recorded(ctx context.Context, a *Assignment, r job.Result) (Finished, error) {
	var out Finished
	err := d.read(ctx, func(t *tx) error {
		out = Finished{}
		ours, err := t.endedWith(a, r)
		if err != nil {
			return err
		}
		if !ours {
			return ErrFenced
		}
		if out.Next, err = t.assigned(a.runner.Lock, a.runner.BootID); err != nil || out.Next != nil {
			return err
		}
		out.Ready, err = t.get(new(int), `SELECT 1 FROM job WHERE id = ? AND next_task IS NOT NULL AND holds = 0 AND running < parallel AND `+notPaused, a.job)
		if err == nil && !out.Ready {
			out.Ready, err = t.anyLane()
		}
		return err
	})
	if err != nil {
		return Finished{}, err
	}
	return out, nil
}

// endedWith reports whether the result of the attempt is r.
func (t *tx) endedWith(a *Assignment, r job.Result) (bool, error) {
	var row struct {
		Status        job.Status
		Reason        *string
		ExitCode      *int `db:"exit_code"`
		Signal, Error *string
	}
	ok, err := t.get(&row, `
SELECT status, reason, exit_code, signal, error
FROM attempt
WHERE id = ?
  AND token = ?`, a.attemptID, a.Token)
	if err != nil || !ok {
		return false, err
	}
	same := row.Status == r.Status && fromText(row.Reason) == string(r.Reason) &&
		fromText(row.Signal) == r.Signal && fromText(row.Error) == r.Error &&
		(row.ExitCode == nil) == (r.ExitCode == nil)
	return same && (r.ExitCode == nil || *row.ExitCode == *r.ExitCode), nil
}

// ending identifies an attempt that ends. The token is the fence.
type ending struct {
	attempt, task, job int64
	token              string
	rebooted           bool // the machine was restarted
}

var errNotRunning = fmt.Errorf("%w: attempt is running but its task is not", ErrCorrupt)

// finish ends a running attempt and reports whether its job has a ready task.
func (t *tx) finish(e ending, r job.Result) (ready bool, err error) {
	if err := t.lockToEnd(e.job); err != nil {
		return false, err
	}
	n, err := t.exec(endAttempt,
		r.Status, text(string(r.Reason)), r.ExitCode, text(r.Signal), text(r.Error),
		r.UserTime.Microseconds(), r.SystemTime.Microseconds(), r.MaxRSS, t.now,
		e.attempt, e.token)
	if err != nil {
		return false, err
	}
	if n != 1 {
		return false, ErrFenced
	}
	if r.Status == job.Failed {
		again, err := t.tryAgain(e, r)
		if err != nil {
			return false, err
		}
		if again {
			ready, err = t.updateJob(e.job, delta{Counts: job.Counts{Running: -1, Pending: 1}, blocked: 1, ended: e.attempt})
			return ready || t.waited, err
		}
	}
	n, err = t.exec(endTask, r.Status, text(string(r.Reason)), r.ExitCode, text(r.Signal), text(r.Error), t.now, e.task)
	if err != nil {
		return false, err
	}
	if n != 1 {
		return false, errNotRunning
	}
	d := delta{Counts: job.Counts{Running: -1}, ended: e.attempt, task: e.task}
	if r.Status == job.Completed {
		d.Completed = 1
		if err := t.unblock(e.task, &d); err != nil {
			return false, err
		}
		if d.Dismissed == 0 { // else others were skipped
			d.completed = e.task
		}
	} else {
		d.Failed = 1
		if err := t.afterFailure(e.job, e.task, &d); err != nil {
			return false, err
		}
	}
	if ready, err = t.updateJob(e.job, d); err == nil {
		err = t.afterEnd(e, r)
	}
	return ready || t.waited, err
}

const endAttempt = `
UPDATE attempt
SET status = ?,
    slot = NULL,
    reason = ?,
    exit_code = ?,
    signal = ?,
    error = ?,
    user_time = ?,
    system_time = ?,
    max_rss = ?,
    ended_at = ?
WHERE id = ?
  AND token = ?
  AND status = 'running'`

const endTask = `
UPDATE task
SET status = ?,
    reason = ?,
    exit_code = ?,
    signal = ?,
    error = ?,
    completed_at = ?
WHERE id = ?
  AND status = 'running'`

// Prepare prepares the statements of Finish, so that a runner that waits for its
// task does not pay for them when the task is there.
func (d *DB) Prepare(ctx context.Context) (err error) {
	c, done, err := d.engine.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer func() { done(err == nil) }()
	t := d.newTx(ctx, c)
	for _, query := range []string{d.dialect.begin, endAttempt, endTask, hasDependents, d.changeJob(), d.changedJob(), "COMMIT"} {
		err = d.patient(ctx, func() error {
			_, err := t.stmt(query)
			return err
		})
		if err != nil {
			return d.engine.Translate(err)
		}
	}
	return nil
}
