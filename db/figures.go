package db

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// Figure is what is summed up of an attempt that has ended.
type Figure struct {
	Job, Command string
	Status       job.Status
	First        bool          // whether it is the first of its task
	Waited       time.Duration // from when its task could have run to its start, see Rollup
	Took         time.Duration // from its start to its end
	CPU          time.Duration // of its command, in user mode and in the kernel
	MaxRSS       int64         // bytes
	EndedAt      time.Time
}

// Figures calls fn with what has ended in a span of time, oldest first. The query's
// Limit and After are not for it. fn must not use the database.
func (d *DB) Figures(ctx context.Context, q HistoryQuery, fn func(Figure)) error {
	return d.read(ctx, func(t *tx) error {
		jobs := map[int64]string{}
		err := t.each(func(rows *sqlx.Rows) error {
			var id int64
			var name string
			var tasks int
			err := rows.Scan(&id, &name, &tasks)
			if q.Job == nil || q.Job(name) {
				jobs[id] = name
			}
			return err
		}, historyJobs)
		if err != nil || len(jobs) == 0 {
			return err
		}
		since, last, _ := q.bounds(false)
		s := source{query: figures + t.d.dialect.byEnd, args: nil}
		s.add(`
CROSS JOIN task t
WHERE a.ended_at IS NOT NULL
  AND t.id = a.task
  AND a.ended_at BETWEEN ? AND ?`, since, last)
		q.only(&s, "a")
		s.add("\nORDER BY a.ended_at")
		return t.each(func(rows *sqlx.Rows) error {
			// By hand: there may be millions.
			var id, waited, took, cpu, ended int64
			var ready, needed *int64 // the same, from when its time had come, and what it needs had ended
			var number int
			var f Figure
			if err := rows.Scan(&id, &f.Command, &f.Status, &number, &waited, &ready, &needed, &took, &cpu, &f.MaxRSS, &ended); err != nil {
				return err
			}
			for _, later := range []*int64{ready, needed} {
				if later != nil && *later >= 0 { // else it is about a later attempt
					waited = min(waited, *later)
				}
			}
			name, wanted := jobs[id]
			if !wanted {
				return nil
			}
			f.Job, f.First, f.EndedAt = name, number == 1, time.UnixMicro(ended)
			f.Waited, f.Took, f.CPU = micros(waited), micros(took), micros(cpu)
			fn(f)
			return nil
		}, s.query, s.args...)
	})
}

const figures = `
SELECT t.job, t.command, a.status, a.number, a.started_at - t.created_at, a.started_at - t.ready_at,
       (SELECT a.started_at - max(n.completed_at) FROM dependency d JOIN task n ON n.id = d.needs WHERE d.task = t.id AND n.completed_at <= a.started_at),
       a.ended_at - a.started_at,
       a.user_time + a.system_time, a.max_rss, a.ended_at
FROM attempt a `

// micros is a duration of so many microseconds. A clock that was set back makes none
// negative.
func micros(n int64) time.Duration { return time.Duration(max(n, 0)) * time.Microsecond }
