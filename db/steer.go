package db

import (
	"context"
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// Asked is what somebody has asked of an attempt under way.
type Asked struct {
	Cancelled bool   // to end it
	Freezes   bool   // to have its processes stopped
	Signals   string // names of signals to send to it, with blanks between; see [DB.TakeSignals]
}

// Asked returns what has been asked of the attempt.
func (d *DB) Asked(ctx context.Context, a *Assignment) (Asked, error) {
	var out Asked
	err := d.read(ctx, func(t *tx) error {
		_, err := t.get(&out, `
SELECT cancel_at IS NOT NULL AS cancelled, freezes = 1 AS freezes, coalesce(signals, '') AS signals
FROM attempt
WHERE id = ?
  AND token = ?`, a.attemptID, a.Token)
		return err
	})
	return out, err
}

// SetFrozen notes that the processes of the attempt are stopped now, or that they
// go on, and for how long they were stopped.
func (d *DB) SetFrozen(ctx context.Context, a *Assignment, on bool) error {
	return d.write(ctx, func(t *tx) error {
		if on {
			n, err := t.exec(`
UPDATE attempt
SET frozen_at = ?
WHERE id = ?
  AND token = ?
  AND status = 'running'
  AND frozen_at IS NULL`, t.now, a.attemptID, a.Token)
			return t.changed(n, err, a.job, a.taskID, a.Attempt)
		}
		n, err := t.exec(`
UPDATE attempt
SET frozen = frozen + ? - frozen_at,
    frozen_at = NULL
WHERE id = ?
  AND token = ?
  AND status = 'running'
  AND frozen_at IS NOT NULL`, t.now, a.attemptID, a.Token)
		return t.changed(n, err, a.job, a.taskID, a.Attempt)
	})
}

// TakeSignals takes the signals that [DB.Asked] has returned: the caller sends
// them. It reports false if there are others by now.
func (d *DB) TakeSignals(ctx context.Context, a *Assignment, signals string) (bool, error) {
	taken := false
	err := d.write(ctx, func(t *tx) error {
		n, err := t.exec(`
UPDATE attempt
SET signals = NULL
WHERE id = ?
  AND token = ?
  AND signals = ?`, a.attemptID, a.Token, signals)
		taken = n == 1
		return err
	})
	return taken, err
}

// Signal asks the runners of running tasks of a job to send a signal to their
// process groups: of the tasks with these ids, or of all for none. It returns their
// attempts. Errors: ErrNoJob, ErrNoTask, or that a task does not run; then nothing
// has changed.
func (d *DB) Signal(ctx context.Context, name string, tasks []string, signal string) ([]Active, error) {
	var out []Active
	err := d.write(ctx, func(t *tx) error {
		out = nil
		j, err := t.lockJob(name)
		if err != nil {
			return err
		}
		wanted := map[string]bool{}
		for _, id := range tasks {
			row, err := t.taskRow(name, j.ID, id)
			if err != nil {
				return err
			}
			if row.Status != job.Running {
				return fmt.Errorf("task %q of job %q is %s, only running tasks get signals", id, name, row.Status)
			}
			wanted[id] = true
		}
		active, err := t.active()
		if err != nil {
			return err
		}
		for _, a := range active {
			if a.ending.job != j.ID || len(tasks) > 0 && !wanted[a.Task] {
				continue
			}
			if _, err := t.exec(`
UPDATE attempt
SET signals = CASE WHEN signals IS NULL THEN '' ELSE signals || ' ' END || ?
WHERE id = ?`, signal, a.attempt); err != nil {
				return err
			}
			out = append(out, a)
		}
		return nil
	})
	return out, err
}

// SignalsTaken reports whether the runner of the attempt has taken all signals.
func (d *DB) SignalsTaken(ctx context.Context, a Active) (bool, error) {
	var left bool
	err := d.read(ctx, func(t *tx) (err error) {
		left, err = t.get(new(int), `
SELECT 1
FROM attempt
WHERE id = ?
  AND token = ?
  AND signals IS NOT NULL`, a.attempt, a.Token)
		return err
	})
	return !left, err
}

// SignalNames are the names of the signals.
func (a Asked) SignalNames() []string { return strings.Fields(a.Signals) }
