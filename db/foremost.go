package db

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// Foremost returns the jobs that somebody wants to see first, n at most: those with
// running tasks, those with failed ones, those whose tasks ended last, and the newest;
// all jobs, by name, if there are no more than n, or if the schema is older. It also returns how many jobs there
// are. However many that is, it looks at few of them.
func (d *DB) Foremost(ctx context.Context, n int) (jobs []job.Job, of int, err error) {
	err = d.read(ctx, func(t *tx) error {
		jobs, of = nil, 0
		if _, err := t.get(&of, countJobs); err != nil {
			return err
		}
		if of <= n || d.Outdated() { // the indexes may not be there yet
			query, args := JobsQuery{}.query(d)
			return t.eachJob(&jobs, query, args...)
		}
		ids, err := t.foremost(n)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.eachJob(&jobs, d.jobColumns()+`
WHERE id = ?`, id); err != nil {
				return err
			}
		}
		return nil
	})
	return jobs, of, err
}

// CountJobs returns how many jobs there are, by a look at an index.
func (d *DB) CountJobs(ctx context.Context) (n int, err error) {
	err = d.read(ctx, func(t *tx) error {
		_, err := t.get(&n, countJobs)
		return err
	})
	return n, err
}

const countJobs = `SELECT COUNT(*) FROM job`

// foremost chooses jobs for Foremost, each once. All queries walk an index and stop.
func (t *tx) foremost(n int) (ids []int64, err error) {
	// One job may have all of what ended last.
	const ended = 500
	seen := map[int64]bool{}
	for _, q := range []struct {
		text  string
		limit int
	}{
		{`
SELECT DISTINCT job
FROM attempt ` + t.d.dialect.bySlot + `
WHERE slot IS NOT NULL
LIMIT ?`, n},
		{`
SELECT id
FROM job ` + t.d.dialect.byFailed + `
WHERE failed > 0
ORDER BY updated_at DESC
LIMIT ?`, n},
		{`
SELECT job
FROM attempt ` + t.d.dialect.byEnd + `
WHERE ended_at IS NOT NULL
ORDER BY ended_at DESC
LIMIT ?`, ended},
		{`
SELECT id
FROM job
ORDER BY id DESC
LIMIT ?`, n},
	} {
		var some []int64
		if err := t.all(&some, q.text, q.limit); err != nil {
			return nil, err
		}
		for _, id := range some {
			if !seen[id] && len(ids) < n {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		if len(ids) == n {
			break
		}
	}
	return ids, nil
}

// eachJob appends the jobs that a query for jobColumns finds.
func (t *tx) eachJob(out *[]job.Job, query string, args ...any) error {
	return t.each(func(rows *sqlx.Rows) error {
		// Scanned by hand: with thousands of jobs, reflection would cost more than
		// the query.
		var r storedJob
		err := rows.Scan(&r.UUID, &r.Name, &r.State, &r.Pending, &r.Running, &r.Completed, &r.Failed, &r.Dismissed, &r.Blocked, &r.CreatedAt, &r.UpdatedAt, &r.RetryHolds, &r.Parallel, &r.Priority, &r.Defaults, &r.Hooks, &r.PausedAt, &r.Extra, &r.Labels)
		*out = append(*out, r.job())
		return err
	}, query, args...)
}
