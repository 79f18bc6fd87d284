package db

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// last is the highest character: any string with a prefix sorts before the prefix
// followed by it.
const last = "\U0010FFFF"

// JobNames returns the names of at most limit jobs that begin with prefix, in
// order.
func (d *DB) JobNames(ctx context.Context, prefix string, limit int) ([]string, error) {
	var out []string
	err := d.read(ctx, func(t *tx) error {
		return t.all(&out, `
SELECT name
FROM job
WHERE name >= ?
  AND name < ?
  AND substr(name, 1, length(?)) = ?
ORDER BY name
LIMIT ?`, prefix, prefix+last, prefix, prefix, limit)
	})
	return out, err
}

// TaskIDs returns the ids of at most limit tasks of a job that begin with
// prefix, in order. It returns none if there is no such job.
func (d *DB) TaskIDs(ctx context.Context, jobName, prefix string, limit int) ([]string, error) {
	var out []string
	err := d.read(ctx, func(t *tx) error {
		return t.all(&out, `
SELECT t.name
FROM task t
JOIN job j ON j.id = t.job
WHERE j.name = ?
  AND t.name >= ?
  AND t.name < ?
  AND substr(t.name, 1, length(?)) = ?
ORDER BY t.name
LIMIT ?`, jobName, prefix, prefix+last, prefix, prefix, limit)
	})
	return out, err
}

// TaskName is a task's id and how it stands.
type TaskName struct {
	ID        string `db:"name"`
	Status    job.Status
	Dismissed bool
}

const selectTaskName = `
SELECT t.name, t.status, t.dismissed_at IS NOT NULL AS dismissed
FROM task t
JOIN job j ON j.id = t.job
WHERE j.name = ?
  AND t.name`

// TaskName finds the task of a job with this id.
func (d *DB) TaskName(ctx context.Context, jobName, id string) (name TaskName, there bool, err error) {
	err = d.read(ctx, func(t *tx) (err error) {
		there, err = t.get(&name, selectTaskName+` = ?`, jobName, id)
		return err
	})
	return name, there, err
}

// EachTaskName calls fn with the tasks of a job whose ids begin with prefix, in the
// order of their ids, as of one instant. fn must not use the database.
func (d *DB) EachTaskName(ctx context.Context, jobName, prefix string, fn func(TaskName) error) error {
	return d.read(ctx, func(t *tx) error {
		t.ctx = ctx // there may be many
		return t.each(func(rows *sqlx.Rows) error {
			var n TaskName
			if err := rows.StructScan(&n); err != nil {
				return err
			}
			return fn(n)
		}, selectTaskName+` >= ?
  AND t.name < ?
  AND substr(t.name, 1, length(?)) = ?
ORDER BY t.name`, jobName, prefix, prefix+last, prefix, prefix)
	})
}
