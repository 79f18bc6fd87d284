package db

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/job"
)

// GiveBack undoes the claim of a task whose command was certainly not started, which
// only its runner can know: the task is pending again, as if it had never been claimed.
// If the attempt was cancelled, the task has to fail: GiveBack changes nothing and
// returns false. If the attempt has ended already, it changes nothing and returns
// ErrFenced.
func (d *DB) GiveBack(ctx context.Context, a *Assignment) (bool, error) {
	var given bool
	err := d.writeResult(ctx, func(t *tx) error {
		var err error
		given, err = t.giveBack(a)
		return err
	})
	return given && err == nil, err
}

func (t *tx) giveBack(a *Assignment) (bool, error) {
	if err := t.lockJobs(a.job); err != nil {
		return false, err
	}
	if asked, err := t.cancelAsked(a); asked || err != nil {
		return false, err
	}
	if err := t.freePlaces(a.attemptID, a.Token); err != nil {
		return false, err
	}
	n, err := t.exec(`
DELETE FROM attempt
WHERE id = ?
  AND token = ?
  AND status = 'running'`, a.attemptID, a.Token)
	if err != nil {
		return false, err
	}
	if n != 1 {
		return false, ErrFenced
	}
	n, err = t.exec(`
UPDATE task
SET status = 'pending',
    blockers = CASE WHEN pools IS NULL THEN 0 ELSE 1 END,
    holds = CASE WHEN pools IS NULL THEN 0 ELSE 1 END,
    attempts = attempts - 1,
    started_at = NULL
WHERE id = ?
  AND status = 'running'`, a.taskID)
	if err != nil {
		return false, err
	}
	if n != 1 {
		return false, fmt.Errorf("%w: attempt is running but its task is not", ErrCorrupt)
	}
	back := delta{Counts: job.Counts{Pending: 1, Running: -1}, blocked: a.pooled()}
	// A job that has no ended task and no other running one has not begun.
	begun, err := t.get(new(int), `SELECT 1 FROM job WHERE id = ? AND (completed + failed > 0 OR running > 1)`, a.job)
	if err != nil {
		return false, err
	}
	if !begun {
		back.state = job.StateWaiting
	}
	_, err = t.updateJob(a.job, back)
	return true, err
}

// cancelAsked reports whether the running attempt was cancelled.
func (t *tx) cancelAsked(a *Assignment) (bool, error) {
	return t.get(new(int), `
SELECT 1
FROM attempt
WHERE id = ?
  AND token = ?
  AND cancel_at IS NOT NULL`, a.attemptID, a.Token)
}
