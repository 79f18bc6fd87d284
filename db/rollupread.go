package db

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// ErrTooMuch is returned for a span of time that has more to read than is allowed.
var ErrTooMuch = errors.New("there is too much in this span of time: ask for a shorter one")

// Span is a minute or hour of a roll-up.
type Span struct {
	At   time.Time // its beginning
	Name string    // of the job or command
	Rollup
}

// Rollups calls fn with the minutes or hours of a scope that begin in a span of time, oldest
// first. fn must not use the database. If there are more than most, it
// returns ErrTooMuch. With a schema that has no roll-ups, it returns ErrOlder.
func (d *DB) Rollups(ctx context.Context, scope Scope, from, to time.Time, most int, fn func(*Span)) error {
	return d.read(ctx, func(t *tx) error {
		n := 0
		return t.each(func(rows *sqlx.Rows) error {
			if n++; n > most {
				return ErrTooMuch
			}
			var at int64
			var s Span
			var sums []byte
			if err := rows.Scan(&at, &s.Name, &sums); err != nil {
				return err
			}
			s.At = time.Unix(at, 0).UTC()
			if err := s.addEncoded(sums); err != nil {
				return err
			}
			fn(&s)
			return nil
		}, `
SELECT at, name, sums
FROM rollup
WHERE scope = ?
  AND at >= ?
  AND at < ?
ORDER BY at, name
LIMIT ?`, scope, max(from.Unix(), 1), to.Unix(), most+1)
	})
}

// Meters are figures of an instant, and sums from the beginning on.
type Meters struct {
	Totals
	Running     int       // attempts that occupy a place
	OldestReady time.Time // since when it waits; zero: nothing waits
	Counted     Rollup
	Lag         time.Duration // since when there is an event that was not counted; 0: none
	Jobs        []JobMeters
}

// JobMeters are those of a job.
type JobMeters struct {
	Name    string
	Tasks   job.Counts
	Blocked int
	Counted Rollup
}

// Meters reads them, as of one instant; of the jobs that are named, those that exist.
// With a schema that has no roll-ups, it returns ErrOlder.
//
// The oldest task that could run is looked for among the next of each job: no index has
// all that could.
func (d *DB) Meters(ctx context.Context, jobs []string) (Meters, error) {
	var out Meters
	_, err := d.AsOf(ctx, func(d *DB) (err error) {
		out = Meters{}
		if out.Totals, err = d.Totals(ctx); err != nil {
			return err
		}
		return d.read(ctx, func(t *tx) error { return t.meters(&out, jobs) })
	})
	return out, err
}

func (t *tx) meters(out *Meters, jobs []string) error {
	if _, err := t.get(&out.Running, `SELECT COUNT(*) FROM attempt `+t.d.dialect.bySlot+` WHERE slot IS NOT NULL AND waits = 0`); err != nil {
		return err
	}
	var oldest *int64
	if _, err := t.get(&oldest, oldestReady); err != nil {
		return err
	}
	if oldest != nil {
		out.OldestReady = time.UnixMicro(*oldest).UTC()
	}
	var err error
	if out.Lag, err = t.lag(); err != nil {
		return err
	}
	if err := t.totalRollup(OfAll, "", &out.Counted); err != nil {
		return err
	}
	for _, name := range jobs {
		one := JobMeters{Name: name}
		var c jobCounts
		found, err := t.get(&c, `SELECT pending, running, completed, failed, dismissed, blocked FROM job WHERE name = ?`, name)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		one.Tasks = job.Counts{Pending: c.Pending, Running: c.Running, Completed: c.Completed, Failed: c.Failed, Dismissed: c.Dismissed}
		one.Blocked = c.Blocked
		if err := t.totalRollup(OfJob, name, &one.Counted); err != nil {
			return err
		}
		out.Jobs = append(out.Jobs, one)
	}
	return nil
}

// StatsLag is how long there has been an event that was not counted in the roll-ups; 0:
// there is none.
func (d *DB) StatsLag(ctx context.Context) (out time.Duration, err error) {
	err = d.read(ctx, func(t *tx) error {
		out, err = t.lag()
		return err
	})
	return out, err
}

func (t *tx) lag() (time.Duration, error) {
	at, err := t.foldedTo()
	if err != nil {
		return 0, err
	}
	var next int64
	found, err := t.get(&next, `SELECT at FROM event WHERE id > ? ORDER BY id LIMIT 1`, at)
	if err != nil || !found {
		return 0, err
	}
	return max(micros(t.now-next), time.Microsecond), nil
}

type jobCounts struct{ Pending, Running, Completed, Failed, Dismissed, Blocked int }

// oldestReady is when the task could have run that has waited longest of those that are
// next in their jobs. Jobs that are to start nothing are left out.
const oldestReady = `
SELECT min(CASE WHEN needed > since THEN needed ELSE since END)
FROM (
    SELECT CASE WHEN t.ready_at > t.created_at THEN t.ready_at ELSE t.created_at END AS since,
           (SELECT max(n.completed_at) FROM dependency d JOIN task n ON n.id = d.needs WHERE d.task = t.id) AS needed
    FROM job j
    JOIN task t ON t.id = j.next_task
    WHERE j.next_task IS NOT NULL
      AND j.holds = 0) ready`

// totalRollup adds the sums from the beginning on.
func (t *tx) totalRollup(scope Scope, name string, to *Rollup) error {
	var sums []byte
	_, err := t.get(&sums, `SELECT sums FROM rollup WHERE scope = ? AND at = 0 AND name = ?`, scope, name)
	if err != nil {
		return err
	}
	return to.addEncoded(sums)
}
