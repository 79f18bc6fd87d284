package db

import (
	"context"
	"errors"
	"time"

	"github.com/air-executor/air-executor/internal/failpoint"
)

// Why a time of a schedule passed without a firing.
const (
	SkippedOverlap = "overlap" // what it stored before has not ended
	SkippedMissed  = "missed"  // nobody was there, and its policy drops it
)

// Firing is what one commit does to a schedule.
type Firing struct {
	Schedule Schedule  // as it was read; its NextAt, UpdatedAt and Boot must be so still
	At       time.Time // the time that fires; zero: none does
	Next     time.Time // the next time from then on; zero: none
	Boot     string    // with @reboot, the start of the machine that fires
	Lost     time.Time // the last time that passes without a firing, as it was missed; zero: none
	Batch    Batch     // what to store, with ids that name the time; it is left out if it is there already
	Error    string    // why it cannot be stored, for people; then Batch is not looked at
	ByHand   bool      // somebody asks for it: neither NextAt nor Overlap are looked at, and NextAt stays
}

// Fired says what a firing became.
type Fired struct {
	Job, Task string // what was stored, or had been; Task is empty for a whole job
	Stored    bool   // false: it was there already, or nothing fired
	Skipped   string // SkippedOverlap: what was stored before has not ended
}

// Fire stores what a schedule stores when it fires, and when it fires next, in one
// commit. ErrNotDue if another has done so, or the schedule was changed since it was
// read; then nothing has changed. Errors of the batch are those of Enqueue.
func (d *DB) Fire(ctx context.Context, f Firing) (out Fired, err error) {
	err = d.write(ctx, func(t *tx) error {
		out = Fired{}
		last, err := t.takeTime(f)
		if err != nil {
			return err
		}
		failpoint.Hit("fire.after_next")
		if f.At.IsZero() || f.Error != "" {
			return t.event(ScheduleChanged, 0, 0, 0, f.Schedule.Name)
		}
		out, err = t.fire(f, last)
		t.added = out
		failpoint.Hit("fire.after_insert")
		return err
	})
	failpoint.Hit("fire.after_commit")
	if err == nil && !out.Stored {
		return out, nil
	}
	return out, d.wakeAfter(err)
}

// takeTime moves the schedule on to its next time, if that is still the one that was
// read: of all that want to fire, one does. It returns what the schedule has stored last.
func (t *tx) takeTime(f Firing) (last lastFired, err error) {
	s := f.Schedule
	next := instant(f.Next)
	if f.ByHand {
		next = instant(s.NextAt)
	}
	skipped := ""
	if !f.Lost.IsZero() {
		skipped = SkippedMissed
	}
	ok, err := t.get(&last, `
UPDATE schedule
SET next_at = ?,
    boot = coalesce(?, boot),
    skipped_at = coalesce(?, skipped_at),
    skipped = coalesce(?, skipped),
    error = ?
WHERE id = ?
  AND next_at IS NOT DISTINCT FROM ?
  AND boot IS NOT DISTINCT FROM ?
  AND updated_at = ?
  AND (paused_at IS NULL OR ? = 1)
RETURNING last_job, last_task`,
		next, text(f.Boot), instant(f.Lost), text(skipped), text(f.Error),
		s.id, instant(s.NextAt), text(s.Boot), s.UpdatedAt.UnixMicro(), truth(f.ByHand))
	if err == nil && !ok {
		err = ErrNotDue
	}
	return last, err
}

// lastFired is what a schedule has stored last.
type lastFired struct {
	Job  *string `db:"last_job"`  // nil: nothing
	Task *string `db:"last_task"` // nil: a whole job
}

// fire stores the task or the job, unless it is there, or the one before has not
// ended and the schedule skips then.
func (t *tx) fire(f Firing, last lastFired) (out Fired, err error) {
	s := f.Schedule
	if s.Overlap == "skip" && !f.ByHand && last.Job != nil {
		active, err := t.isActive(last)
		if err != nil || active {
			if err == nil {
				_, err = t.exec(`UPDATE schedule SET skipped_at = ?, skipped = 'overlap' WHERE id = ?`, instant(f.At), s.id)
			}
			if err == nil {
				err = t.event(ScheduleChanged, 0, 0, 0, s.Name)
			}
			return Fired{Skipped: SkippedOverlap}, err
		}
	}
	b := f.Batch
	b.IfAbsent, b.NewJob = true, false
	out.Job = b.Job
	if f.Batch.NewJob {
		_, err = t.findJob(b.Job)
		if err == nil { // it has this name because this time has fired
			return out, t.noteFired(f, out)
		}
		if !errors.Is(err, ErrNoJob) {
			return out, err
		}
	}
	added, err := t.enqueue(b)
	if err != nil {
		return out, err
	}
	out.Stored = added.Count > 0
	if !f.Batch.NewJob && len(added.IDs) == 1 {
		out.Task = added.IDs[0]
	}
	return out, t.noteFired(f, out)
}

func (t *tx) noteFired(f Firing, out Fired) error {
	_, err := t.exec(`UPDATE schedule SET last_at = ?, last_job = ?, last_task = ? WHERE id = ?`,
		instant(f.At), out.Job, text(out.Task), f.Schedule.id)
	if err == nil {
		err = t.event(ScheduleFired, 0, 0, 0, f.Schedule.Name)
	}
	return err
}

// isActive reports whether what a schedule stored last has not ended.
func (t *tx) isActive(last lastFired) (bool, error) {
	var one int
	if last.Task == nil {
		return t.get(&one, `SELECT 1 FROM job WHERE name = ? AND state IN ('waiting', 'working')`, *last.Job)
	}
	return t.get(&one, `
SELECT 1
FROM job j
JOIN task t ON t.job = j.id
WHERE j.name = ?
  AND t.name = ?
  AND t.status IN ('pending', 'running')`, *last.Job, *last.Task)
}
