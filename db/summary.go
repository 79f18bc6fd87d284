package db

import (
	"context"
	"time"
)

// Key is the key of the task.
func (a *Active) Key() int64 { return a.task }

// CountEnded counts the attempts that have ended in a span of time, and those of them
// that have failed.
func (d *DB) CountEnded(ctx context.Context, from, to time.Time) (all, failed int, err error) {
	err = d.read(ctx, func(t *tx) error {
		if _, err := t.get(&all, `
SELECT COUNT(*)
FROM attempt `+t.d.dialect.byEnd+`
WHERE ended_at >= ?
  AND ended_at < ?`, from.UnixMicro(), to.UnixMicro()); err != nil {
			return err
		}
		_, err := t.get(&failed, `
SELECT COUNT(*)
FROM attempt `+t.d.dialect.byFailure+`
WHERE status = 'failed'
  AND ended_at >= ?
  AND ended_at < ?`, from.UnixMicro(), to.UnixMicro())
		return err
	})
	return all, failed, err
}
