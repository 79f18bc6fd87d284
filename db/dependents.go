package db

import "context"

// Dependents returns tasks of a job and all that depend on them, directly or through
// others, each once: first those that were named, then the others, oldest first.
// Errors: ErrNoJob, ErrNoTask.
func (d *DB) Dependents(ctx context.Context, name string, tasks []string) ([]string, error) {
	var out []string
	err := d.read(ctx, func(t *tx) (err error) {
		out, err = t.withDependents(name, tasks)
		return err
	})
	return out, err
}

func (t *tx) withDependents(name string, tasks []string) ([]string, error) {
	j, err := t.findJob(name)
	if err != nil {
		return nil, err
	}
	out := distinct(tasks)
	for _, id := range out {
		row, err := t.taskRow(name, j.ID, id)
		if err != nil {
			return nil, err
		}
		var below []string
		err = t.all(&below, `
WITH RECURSIVE below (id) AS (
    SELECT id
    FROM task
    WHERE id = ?
    UNION
    SELECT d.task
    FROM below
    JOIN dependency d ON d.needs = below.id
    WHERE d.missing_job IS NULL)
SELECT t.name
FROM below
JOIN task t ON t.id = below.id
ORDER BY t.id`, row.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, below...)
	}
	return distinct(out), nil
}
