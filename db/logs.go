package db

import "context"

// Logged is an attempt that has ended, and what is needed to find its log.
type Logged struct {
	Row       int64
	Job, Task string
	Number    int
	Attempts  int   // of the task
	Ended     int64 // Unix microseconds; 0: it runs
}

type loggedRow struct {
	Row      int64
	JobName  string `db:"job_name"`
	TaskName string `db:"task_name"`
	Number   int
	Attempts int
	Ended    int64
}

func logged(rows []loggedRow) []Logged {
	out := make([]Logged, len(rows))
	for i, r := range rows {
		out[i] = Logged{r.Row, r.JobName, r.TaskName, r.Number, r.Attempts, r.Ended}
	}
	return out
}

// LoggedAfter lists attempts, also such as run, in the order in which they started,
// limit of them after a row. Where all that are there have lower rows, numbers were
// given again, and it begins anew.
func (d *DB) LoggedAfter(ctx context.Context, row int64, limit int) ([]Logged, error) {
	var rows []loggedRow
	err := d.read(ctx, func(t *tx) error {
		rows = nil
		var newest int64
		if _, err := t.get(&newest, `SELECT coalesce(max(id), 0) FROM attempt`); err != nil {
			return err
		}
		if newest < row {
			row = 0
		}
		return t.all(&rows, `
SELECT a.id AS row, j.name AS job_name, t.name AS task_name, a.number, t.attempts, coalesce(a.ended_at, 0) AS ended
FROM attempt a
JOIN task t ON t.id = a.task
JOIN job j ON j.id = t.job
WHERE a.id > ?
ORDER BY a.id
LIMIT ?`, row, limit)
	})
	return logged(rows), err
}

// LoggedByEnd lists attempts in the order in which they ended, limit of them after one.
// It reads all attempts, and holds up nobody.
func (d *DB) LoggedByEnd(ctx context.Context, after Logged, limit int) ([]Logged, error) {
	var rows []loggedRow
	err := d.read(ctx, func(t *tx) error {
		rows = nil
		return t.all(&rows, `
SELECT a.id AS row, j.name AS job_name, t.name AS task_name, a.number, t.attempts, a.ended
FROM (SELECT id, task, number, ended_at AS ended
      FROM attempt
      WHERE ended_at > ?
         OR ended_at = ? AND id > ?
      ORDER BY ended_at, id
      LIMIT ?) a
JOIN task t ON t.id = a.task
JOIN job j ON j.id = t.job
ORDER BY a.ended, a.id`, after.Ended, after.Ended, after.Row, limit)
	})
	return logged(rows), err
}

// WhileNoneStarts calls fn while no task can start, with a function that tells whether
// an attempt is the newest of its task and has ended. So fn can change the log of one.
// It must be quick.
func (d *DB) WhileNoneStarts(ctx context.Context, fn func(over func(Logged) (bool, error)) error) error {
	return d.writeResult(ctx, func(t *tx) error {
		return fn(func(l Logged) (bool, error) {
			return t.get(new(int), `
SELECT 1
FROM job j
JOIN task t ON t.job = j.id
WHERE j.name = ?
  AND t.name = ?
  AND t.attempts = ?
  AND t.status <> 'running'`, l.Job, l.Task, l.Number)
		})
	})
}

// GiveSpaceBack returns a little of the space that nothing uses any more to the file
// system, where that is more than a tenth of the database. It reports whether there is
// more of it. It holds the write lock for some milliseconds.
func (d *DB) GiveSpaceBack(ctx context.Context) (more bool, err error) {
	return d.engine.Shrink(ctx)
}

// Checkpoint does, for a database that was opened with [Options.Background], what
// commits of others do at times, and holds up nobody.
func (d *DB) Checkpoint(ctx context.Context) error { return d.engine.Checkpoint(ctx) }
