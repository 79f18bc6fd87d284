package db

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// HistoryJob is a job that has nothing left to run.
type HistoryJob struct {
	Name      string
	State     job.State // completed or failed
	Tasks     job.Counts
	CreatedAt time.Time
	EndedAt   time.Time // when it has changed last
}

// HistoryJobs returns the jobs that have ended, the one that has changed last first.
// The query's Reason and After are not for jobs.
func (d *DB) HistoryJobs(ctx context.Context, q HistoryQuery) (out []HistoryJob, err error) {
	since, last, _ := q.bounds(false)
	s := source{query: `
SELECT name, state, pending, running, completed, failed, dismissed, created_at, updated_at
FROM job t
WHERE state IN ('completed', 'failed')
  AND updated_at BETWEEN ? AND ?`, args: []any{since, last}}
	if q.Completed {
		s.add("\n  AND state = 'completed'")
	}
	if q.Failed {
		s.add("\n  AND state = 'failed'")
	}
	q.labelled(&s, "l.job = t.id")
	s.add("\nORDER BY updated_at DESC, id DESC")
	err = d.read(ctx, func(t *tx) error {
		out = nil
		return enough(t.each(func(rows *sqlx.Rows) error {
			var j HistoryJob
			var created, updated int64
			c := &j.Tasks
			if err := rows.Scan(&j.Name, &j.State, &c.Pending, &c.Running, &c.Completed, &c.Failed, &c.Dismissed, &created, &updated); err != nil {
				return err
			}
			if q.Job != nil && !q.Job(j.Name) {
				return nil
			}
			j.CreatedAt, j.EndedAt = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
			if out = append(out, j); len(out) == q.Limit {
				return errEnough
			}
			return nil
		}, s.query, s.args...))
	})
	return out, err
}
