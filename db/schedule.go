package db

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Schedule is a schedule as it is stored. What its texts mean is known to package
// schedule, and to those who fire it.
type Schedule struct {
	Name     string
	Cron     string
	TimeZone string        // empty: that of the machine
	Overlap  string        // skip or queue
	Missed   string        // one, none or all
	CatchUp  time.Duration // to the microsecond
	Job      string        // of its tasks; empty: each firing makes a job of its own
	Spec     string        // JSON object: the task, or the job file
	Env      []string      // what its tasks get; nil: the environment of the manager. Lists leave it nil
	Source   string        // the file that declares it; empty: a person has added it
	FileGone bool          // that file was taken away; then it is paused
	Boot     string        // with @reboot, the start of the machine that was seen last

	PausedAt  time.Time // zero: it is not paused
	NextAt    time.Time // when it fires next, or would if it were not paused; zero: not by itself
	LastAt    time.Time // the time that fired last; zero: none has
	LastJob   string    // what it stored then
	LastTask  string    // empty: a whole job
	SkippedAt time.Time // the last time that passed without a firing; zero: none has
	Skipped   string    // why: overlap or missed
	Error     string    // why the last firing stored nothing, for people; empty: it did
	CreatedAt time.Time
	UpdatedAt time.Time // when a person has changed it last

	id int64
}

// NoSchedule is a schedule that was named and is not there. It wraps
// ErrNoSchedule.
type NoSchedule struct{ Name string }

// Error names what is missing.
func (n *NoSchedule) Error() string { return fmt.Sprintf("%v: %q", ErrNoSchedule, n.Name) }

// Unwrap is ErrNoSchedule.
func (*NoSchedule) Unwrap() error { return ErrNoSchedule }

// What a caller may want to tell apart of schedules.
var (
	ErrNoSchedule = errors.New("no such schedule")
	ErrNotDue     = errors.New("the schedule was changed, or has fired already")
)

// scheduleRow is a row of a schedule.
type scheduleRow struct {
	ID          int64
	Name        string
	Cron        string
	TimeZone    string `db:"timezone"`
	Overlap     string
	Missed      string
	CatchUp     int64 `db:"catch_up"`
	Job         *string
	Spec        string
	Environment *int64
	Source      *string
	FileGone    bool `db:"file_gone"`
	Boot        *string
	PausedAt    *int64  `db:"paused_at"`
	NextAt      *int64  `db:"next_at"`
	LastAt      *int64  `db:"last_at"`
	LastJob     *string `db:"last_job"`
	LastTask    *string `db:"last_task"`
	SkippedAt   *int64  `db:"skipped_at"`
	Skipped     *string
	Error       *string
	CreatedAt   int64 `db:"created_at"`
	UpdatedAt   int64 `db:"updated_at"`
}

const scheduleColumns = `id, name, cron, timezone, overlap, missed, catch_up, job, spec, environment, source, file_gone, boot,
       paused_at, next_at, last_at, last_job, last_task, skipped_at, skipped, error, created_at, updated_at`

func (r *scheduleRow) schedule() Schedule {
	return Schedule{
		id: r.ID, Name: r.Name, Cron: r.Cron, TimeZone: r.TimeZone, Overlap: r.Overlap, Missed: r.Missed,
		CatchUp: time.Duration(r.CatchUp) * time.Microsecond, Job: fromText(r.Job), Spec: r.Spec,
		Source: fromText(r.Source), FileGone: r.FileGone, Boot: fromText(r.Boot),
		PausedAt: fromInstant(r.PausedAt), NextAt: fromInstant(r.NextAt), LastAt: fromInstant(r.LastAt),
		LastJob: fromText(r.LastJob), LastTask: fromText(r.LastTask),
		SkippedAt: fromInstant(r.SkippedAt), Skipped: fromText(r.Skipped), Error: fromText(r.Error),
		CreatedAt: fromInstant(&r.CreatedAt), UpdatedAt: fromInstant(&r.UpdatedAt),
	}
}

// AddSchedule stores a new schedule, and wakes the manager. CreatedAt and UpdatedAt
// are set here. ErrDuplicate if there is one of the name.
func (d *DB) AddSchedule(ctx context.Context, s Schedule) error {
	err := d.write(ctx, func(t *tx) error {
		env, err := (&adder{t: t}).environment(s.Env)
		if err != nil {
			return err
		}
		created := t.now
		if !s.CreatedAt.IsZero() {
			created = s.CreatedAt.UnixMicro()
		}
		n, err := t.exec(`
INSERT INTO schedule (name, cron, timezone, overlap, missed, catch_up, job, spec, environment, source, boot,
                      paused_at, next_at, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO NOTHING`,
			s.Name, s.Cron, s.TimeZone, s.Overlap, s.Missed, s.CatchUp.Microseconds(), text(s.Job), s.Spec, env, text(s.Source), text(s.Boot),
			instant(s.PausedAt), instant(s.NextAt), created, t.now)
		if err == nil && n == 0 {
			err = fmt.Errorf("schedule %q %w", s.Name, ErrDuplicate)
		}
		if err == nil {
			err = t.event(ScheduleChanged, 0, 0, 0, s.Name)
		}
		if err == nil {
			t.added, err = t.schedule(s.Name)
		}
		return err
	})
	return d.wakeAfter(err)
}

// Schedules lists all schedules by name, without their environments.
func (d *DB) Schedules(ctx context.Context) ([]Schedule, error) {
	return d.schedules(ctx, `
SELECT `+scheduleColumns+`
FROM schedule
ORDER BY name`)
}

// NextSchedules lists the schedules that fire next, not more than limit, the first one
// first, without their environments.
func (d *DB) NextSchedules(ctx context.Context, limit int) ([]Schedule, error) {
	return d.schedules(ctx, `
SELECT `+scheduleColumns+`
FROM schedule
WHERE next_at IS NOT NULL
  AND paused_at IS NULL
ORDER BY next_at
LIMIT ?`, limit)
}

func (d *DB) schedules(ctx context.Context, query string, args ...any) (list []Schedule, err error) {
	err = d.read(ctx, func(t *tx) error {
		var rows []scheduleRow
		if err := t.all(&rows, query, args...); err != nil {
			return err
		}
		list = nil
		for i := range rows {
			list = append(list, rows[i].schedule())
		}
		return nil
	})
	return list, err
}

// ScheduleNames lists the names of schedules that begin with prefix, not more than
// limit.
func (d *DB) ScheduleNames(ctx context.Context, prefix string, limit int) (names []string, err error) {
	err = d.read(ctx, func(t *tx) error {
		return t.all(&names, `
SELECT name
FROM schedule
WHERE name >= ?
  AND substr(name, 1, length(?)) = ?
ORDER BY name
LIMIT ?`, prefix, prefix, prefix, limit)
	})
	return names, err
}

// Schedule returns a schedule with its environment, or ErrNoSchedule.
func (d *DB) Schedule(ctx context.Context, name string) (s Schedule, err error) {
	err = d.read(ctx, func(t *tx) error {
		s, err = t.schedule(name)
		return err
	})
	return s, err
}

func (t *tx) schedule(name string) (s Schedule, err error) {
	var row scheduleRow
	ok, err := t.get(&row, `
SELECT `+scheduleColumns+`
FROM schedule
WHERE name = ?`, name)
	if err == nil && !ok {
		err = &NoSchedule{name}
	}
	if err != nil {
		return s, err
	}
	s = row.schedule()
	if row.Environment != nil {
		var content []byte
		if _, err = t.get(&content, `SELECT content FROM environment WHERE id = ?`, *row.Environment); err == nil {
			s.Env = decodeEnv(content)
		}
	}
	return s, err
}

// ChangeSchedule changes a schedule as change says, in one commit, and returns it as it is
// then. change sees it as it is stored; if it returns an error, nothing has changed. Name,
// CreatedAt and what tells of firings stay as they are. ErrNoSchedule if there is none.
func (d *DB) ChangeSchedule(ctx context.Context, name string, change func(*Schedule) error) (s Schedule, err error) {
	err = d.write(ctx, func(t *tx) error {
		if s, err = t.schedule(name); err != nil {
			return err
		}
		if err := change(&s); err != nil {
			return err
		}
		env, err := (&adder{t: t}).environment(s.Env)
		if err != nil {
			return err
		}
		s.UpdatedAt = fromInstant(&t.now)
		_, err = t.exec(`
UPDATE schedule
SET cron = ?,
    timezone = ?,
    overlap = ?,
    missed = ?,
    catch_up = ?,
    job = ?,
    spec = ?,
    environment = ?,
    source = ?,
    file_gone = ?,
    boot = ?,
    paused_at = ?,
    next_at = ?,
    updated_at = ?
WHERE id = ?`,
			s.Cron, s.TimeZone, s.Overlap, s.Missed, s.CatchUp.Microseconds(), text(s.Job), s.Spec, env, text(s.Source),
			truth(s.FileGone), text(s.Boot), instant(s.PausedAt), instant(s.NextAt), t.now, s.id)
		if err == nil {
			err = t.event(ScheduleChanged, 0, 0, 0, s.Name)
		}
		return err
	})
	return s, d.wakeAfter(err)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// RemoveSchedule deletes a schedule. What it has stored stays. ErrNoSchedule if there
// is none.
func (d *DB) RemoveSchedule(ctx context.Context, name string) error {
	return d.write(ctx, func(t *tx) error {
		var env *int64
		ok, err := t.get(&env, `
DELETE FROM schedule
WHERE name = ?
RETURNING environment`, name)
		if err == nil && !ok {
			err = &NoSchedule{name}
		}
		if err == nil {
			err = t.event(ScheduleChanged, 0, 0, 0, name)
		}
		if err == nil && env != nil {
			_, err = t.forgetEnvironments([]int64{*env})
		}
		return err
	})
}
