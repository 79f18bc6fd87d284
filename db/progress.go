package db

import (
	"context"
	"time"

	"github.com/air-executor/air-executor/job"
)

// Step is an attempt as seen by a watcher of its job.
type Step struct {
	Row       int64 // increases with every attempt that starts
	Task      string
	Number    int
	Status    job.Status
	Error     string
	StartedAt time.Time
	EndedAt   time.Time // zero: still running
}

// stepRow is the row of a Step.
type stepRow struct {
	ID        int64
	Task      string
	Number    int
	Status    job.Status
	Error     *string
	StartedAt int64  `db:"started_at"`
	EndedAt   *int64 `db:"ended_at"`
}

func (r *stepRow) step() Step {
	return Step{r.ID, r.Task, r.Number, r.Status, fromText(r.Error), time.UnixMicro(r.StartedAt).UTC(), fromInstant(r.EndedAt)}
}

const stepColumns = `
SELECT a.id, t.name AS task, a.number, a.status, a.error, a.started_at, a.ended_at
FROM attempt a
JOIN task t ON t.id = a.task`

// Steps returns the attempts of a job that started after the row last, and those in the
// rows open, as they are now, oldest first. A watcher passes the highest row that it
// has seen, and the rows that were still running then.
func (d *DB) Steps(ctx context.Context, name string, last int64, open []int64) ([]Step, error) {
	var out []Step
	err := d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		for _, id := range open {
			var r stepRow
			found, err := t.get(&r, stepColumns+`
WHERE a.id = ?
  AND a.job = ?`, id, j.ID)
			if err != nil {
				return err
			}
			if !found { // it was given back, and its number may belong to another now
				last = min(last, id-1)
				continue
			}
			out = append(out, r.step())
		}
		var rows []stepRow
		err = t.all(&rows, stepColumns+`
WHERE a.id > ?
  AND a.job = ?
ORDER BY a.id`, last, j.ID)
		for _, r := range rows {
			out = append(out, r.step())
		}
		return err
	})
	return out, err
}

// LastStep returns the row of the newest attempt of any job, where a watcher can begin.
// It decreases when the newest attempts are removed, and later attempts get rows from
// there.
func (d *DB) LastStep(ctx context.Context) (int64, error) {
	var last int64
	err := d.read(ctx, func(t *tx) (err error) {
		last, err = t.lastStep()
		return err
	})
	return last, err
}

// Started returns the names of the jobs of which an attempt has started after the row
// last, and the newest row. If that is below last, attempts were removed.
func (d *DB) Started(ctx context.Context, last int64) (names []string, newest int64, err error) {
	err = d.read(ctx, func(t *tx) (err error) {
		names = nil
		if newest, err = t.lastStep(); err != nil || newest <= last {
			return err
		}
		return t.all(&names, `
SELECT j.name
FROM job j
WHERE j.id IN (SELECT t.job FROM attempt a JOIN task t ON t.id = a.task WHERE a.id > ?)`, last)
	})
	return names, newest, err
}

func (t *tx) lastStep() (last int64, err error) {
	_, err = t.get(&last, `SELECT coalesce(max(id), 0) FROM attempt`)
	return last, err
}

// Failures returns at most limit failed tasks of a job that were not dismissed, in the
// order in which they failed, and how many more there are.
func (d *DB) Failures(ctx context.Context, name string, most int) (tasks []job.Task, more int, err error) {
	err = d.read(ctx, func(t *tx) error {
		tasks = nil
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		var failed int
		if _, err := t.get(&failed, `SELECT failed FROM job WHERE id = ?`, j.ID); err != nil {
			return err
		}
		err = t.eachTask(func(task job.Task) error {
			tasks = append(tasks, task)
			return nil
		}, t.d.taskColumns()+`
WHERE t.id IN (
    SELECT f.id
    FROM task f
    WHERE f.job = ?
      AND f.status = 'failed'
      AND f.dismissed_at IS NULL
    ORDER BY f.completed_at, f.id
    LIMIT ?)
ORDER BY t.completed_at, t.id, d.position`, j.ID, most)
		more = failed - len(tasks)
		return err
	})
	return tasks, more, err
}

// MayGoOn reports whether a job of which nothing is ready or running can go on: one
// of its pending tasks waits for a time, a place or a task of another job that may still
// end, or depends on a task that is not there yet.
func (d *DB) MayGoOn(ctx context.Context, name string) (bool, error) {
	var may bool
	err := d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		if may, err = t.held(j.ID); err != nil || may {
			return err
		}
		if may, err = t.hasDangling(j.ID); err != nil || may {
			return err
		}
		if on, err := t.isLinked(j.ID); err != nil || !on {
			return err
		}
		may, err = t.linkHeld(j.ID, awaits)
		return err
	})
	return may, err
}

// RunningSteps returns the running attempts of a job, oldest first.
func (d *DB) RunningSteps(ctx context.Context, name string) ([]Step, error) {
	var out []Step
	err := d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		var rows []stepRow
		err = t.all(&rows, stepColumns+`
WHERE a.job = ?
  AND a.slot IS NOT NULL
ORDER BY a.id`, j.ID)
		for _, r := range rows {
			out = append(out, r.step())
		}
		return err
	})
	return out, err
}
