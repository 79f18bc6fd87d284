package db

import "context"

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
