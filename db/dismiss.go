package db

import (
	"context"

	"github.com/air-executor/air-executor/job"
)

// Dismissing is the result of a Dismiss.
type Dismissing struct {
	Dismissed int       // failures that were dismissed
	Blocked   int       // pending tasks of the job that still wait for another
	State     job.State // of the job, now
}

// Dismiss acknowledges failures of a job: of the tasks with these ids, which must have
// failed, or of all failed tasks if there are no ids. The tasks stay failed, with their
// reasons, but no longer count for the state of the job. What depends on them stays
// pending. A failure that was dismissed before is skipped. Errors, after which nothing
// has changed: ErrNoJob, ErrNoTask, or that a task has not failed.
func (d *DB) Dismiss(ctx context.Context, name string, tasks []string) (Dismissing, error) {
	var out Dismissing
	err := d.write(ctx, func(t *tx) error {
		j, err := t.lockJob(name)
		if err != nil {
			return err
		}
		n, err := t.dismiss(j, tasks)
		if err != nil {
			return err
		}
		if n > 0 {
			if err := t.eventOf(TasksDismissed, j.ID, onlyOne(tasks), n); err != nil {
				return err
			}
			if _, err := t.updateJob(j.ID, delta{Counts: job.Counts{Failed: -n, Dismissed: n}}); err != nil {
				return err
			}
		}
		out = Dismissing{Dismissed: n}
		_, err = t.get(&out, `SELECT blocked, state FROM job WHERE id = ?`, j.ID)
		return err
	})
	return out, err
}

// dismiss marks failures, and returns how many.
func (t *tx) dismiss(j *jobRow, tasks []string) (int, error) {
	if len(tasks) == 0 {
		n, err := t.exec(`
UPDATE task
SET dismissed_at = ?
WHERE job = ?
  AND status = 'failed'
  AND dismissed_at IS NULL`, t.now, j.ID)
		return int(n), err
	}
	n := 0
	for _, id := range distinct(tasks) {
		f, err := t.failedTask(j, id, "dismissed")
		if err != nil {
			return 0, err
		}
		if f.Dismissed {
			continue
		}
		if _, err := t.exec(`UPDATE task SET dismissed_at = ? WHERE id = ?`, t.now, f.ID); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// Cancelled counts the failed tasks that were cancelled and not dismissed, by the names
// of their jobs: of one job, or of all if the name is empty.
func (d *DB) Cancelled(ctx context.Context, name string) (map[string]int, error) {
	var rows []struct {
		Name string
		N    int
	}
	err := d.read(ctx, func(t *tx) error {
		return t.all(&rows, `
SELECT j.name, COUNT(*) AS n
FROM job j
CROSS JOIN task t
WHERE j.failed > 0
  AND t.job = j.id
  AND t.status = 'failed'
  AND t.reason = 'cancelled'
  AND t.dismissed_at IS NULL
  AND (? = '' OR j.name = ?)
GROUP BY j.name`, name, name)
	})
	out := map[string]int{}
	for _, r := range rows {
		out[r.Name] = r.N
	}
	return out, err
}
