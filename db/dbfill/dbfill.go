// Package dbfill makes databases that look as after years of use, in a minute. It is
// for measurements. The program must not import it.
package dbfill

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/air-executor/air-executor/db"
)

// Ended puts jobs with so many completed tasks each into the new database of a base
// path, each task with one attempt, and every tenth with a dependency on the one before
// it. The jobs have ended one after the other between two times.
func Ended(ctx context.Context, base string, jobs, tasks int, from, to time.Time) error {
	d, err := db.Open(ctx, base, db.Options{Durability: "normal"})
	if err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	pool, err := sql.Open("sqlite", "file:"+filepath.Join(base, db.FileName)+"?_pragma=synchronous(0)")
	if err != nil {
		return err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	if _, err := pool.ExecContext(ctx, `INSERT INTO environment (digest, content) VALUES (printf('%064d', 1), CAST('PATH=/usr/bin' AS BLOB))`); err != nil {
		return err
	}
	const some = 500 // jobs in a transaction
	begin, step := from.UnixMicro(), to.Sub(from).Microseconds()/int64(jobs)
	for first := 1; first <= jobs; first += some {
		last := min(first+some-1, jobs)
		if err := ended(ctx, pool, first, last, tasks, begin, step); err != nil {
			return fmt.Errorf("jobs %d to %d: %w", first, last, err)
		}
	}
	return nil
}

// ended adds the jobs with the numbers from first to last.
func ended(ctx context.Context, pool *sql.DB, first, last, tasks int, begin, step int64) error {
	t, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`
WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO job (id, uuid, name, state, added, completed, created_at, updated_at)
SELECT i, printf('00000000-0000-4000-8000-%012d', i), printf('job-%05d', i), 'completed', ?, ?, ? + i * ?, ? + (i + 1) * ? FROM n`,
			[]any{first, last, tasks, tasks, begin, step, begin, step}},
		{`
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO task (id, job, name, command, args, dir, environment, status, attempts, exit_code, created_at, started_at, completed_at)
SELECT (j.id - 1) * ? + i, j.id, CAST(i AS TEXT), 'sh', '["-c","make -C /srv/build part-' || i || '"]', '/srv/build', 1, 'completed', 1, 0,
       j.created_at, j.created_at + i * ? / ?, j.created_at + (i + 1) * ? / ?
FROM job j, n WHERE j.id BETWEEN ? AND ? ORDER BY j.id, i`,
			[]any{tasks, tasks, step, tasks + 1, step, tasks + 1, first, last}},
		{`
INSERT INTO attempt (id, task, job, number, status, token, manager, host, boot_id, runner, pid, pid_start, exit_code, user_time, system_time, max_rss, started_at, ended_at)
SELECT id, id, job, 1, 'completed', lower(hex(randomblob(16))), '00000000-0000-4000-8000-000000000000', 'host', '00000000-0000-4000-8000-000000000001',
       id % 100000, 4000 + id % 30000, 123456, 0, 1000, 1000, 4194304, started_at, completed_at
FROM task WHERE job BETWEEN ? AND ? ORDER BY id`,
			[]any{first, last}},
		{`
INSERT INTO dependency (task, position, needs)
SELECT id, 0, id - 1 FROM task WHERE job BETWEEN ? AND ? AND id % ? % 10 = 2`,
			[]any{first, last, tasks}},
	} {
		if _, err := t.ExecContext(ctx, s.query, s.args...); err != nil {
			return err
		}
	}
	return t.Commit()
}
