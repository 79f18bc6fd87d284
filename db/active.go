package db

import (
	"context"
	"errors"
	"time"

	"github.com/air-executor/air-executor/job"
)

// Active is an attempt that, by its row, is under way.
type Active struct {
	Job       string
	Task      string
	Number    int
	Token     string
	Runner    Runner
	StartedAt time.Time
	Cancelled bool // somebody asked for its end

	ending
}

// activeRow is how an Active stands in the database.
type activeRow struct {
	ID, Task, Job int64
	JobName       string `db:"job_name"`
	TaskName      string `db:"task_name"`
	Number        int
	Token         string
	Manager, Host string
	BootID        string `db:"boot_id"`
	Runner        int64
	PID           int
	PIDStart      int64  `db:"pid_start"`
	StartedAt     int64  `db:"started_at"`
	CancelAt      *int64 `db:"cancel_at"`
}

// Active returns the attempts under way, of all jobs, oldest first.
func (d *DB) Active(ctx context.Context) ([]Active, error) {
	var out []Active
	err := d.read(ctx, func(t *tx) error {
		var err error
		out, err = t.active()
		return err
	})
	return out, err
}

func (t *tx) active() ([]Active, error) {
	var rows []activeRow
	err := t.all(&rows, `
SELECT a.id, a.task, a.job, j.name AS job_name, t.name AS task_name, a.number, a.token,
       a.manager, a.host, a.boot_id, a.runner, a.pid, a.pid_start, a.started_at, a.cancel_at
FROM attempt a `+t.d.dialect.bySlot+`
JOIN task t ON t.id = a.task
JOIN job j ON j.id = a.job
WHERE a.slot IS NOT NULL
ORDER BY a.id`)
	out := make([]Active, len(rows))
	for i, r := range rows {
		out[i] = r.active()
	}
	return out, err
}

func (r *activeRow) active() Active {
	return Active{
		Job: r.JobName, Task: r.TaskName, Number: r.Number, Token: r.Token,
		Runner: Runner{
			Lock: r.Runner, PID: r.PID, PIDStart: r.PIDStart,
			Host: r.Host, BootID: r.BootID, Manager: r.Manager,
		},
		StartedAt: time.UnixMicro(r.StartedAt).UTC(),
		Cancelled: r.CancelAt != nil,
		ending:    ending{r.ID, r.Task, r.Job, r.Token},
	}
}

// Lose ends an attempt whose runner is gone: its task fails, as lost, or as
// cancelled if that was asked for. The caller must know that the runner is gone
// and that nothing of its command lives. It returns false, and changes nothing,
// if the attempt has ended otherwise meanwhile.
func (d *DB) Lose(ctx context.Context, a Active, why string) (bool, error) {
	r := job.Result{Status: job.Failed, Reason: job.Lost, Error: why}
	if a.Cancelled {
		r.Reason = job.Cancelled
	}
	err := d.writeResult(ctx, func(t *tx) error {
		_, err := t.finish(a.ending, r)
		return err
	})
	if errors.Is(err, ErrFenced) {
		return false, nil
	}
	return err == nil, err
}

// SetStuck notes what keeps the running attempt with this token from its end,
// for people; empty: nothing any more. On a database of the first version it
// does nothing.
func (d *DB) SetStuck(ctx context.Context, token, why string) error {
	return d.write(ctx, func(t *tx) error {
		if ok, err := t.knowsStuck(); err != nil || !ok {
			return err
		}
		_, err := t.exec(`
UPDATE attempt
SET stuck = ?
WHERE slot IS NOT NULL
  AND token = ?`, text(why), token)
		return err
	})
}

// stuck returns what keeps running tasks of a job from their end, by their rows.
func (t *tx) stuck(job int64) (map[int64]string, error) {
	if ok, err := t.knowsStuck(); err != nil || !ok {
		return nil, err
	}
	var rows []struct {
		Task  int64
		Stuck string
	}
	err := t.all(&rows, `
SELECT task, stuck
FROM attempt
WHERE job = ?
  AND slot IS NOT NULL
  AND stuck IS NOT NULL`, job)
	out := map[int64]string{}
	for _, r := range rows {
		out[r.Task] = r.Stuck
	}
	return out, err
}

// knowsStuck reports whether the database has the column; one of the first
// version has not.
func (t *tx) knowsStuck() (bool, error) {
	var n int
	_, err := t.get(&n, `SELECT COUNT(*) FROM pragma_table_info('attempt') WHERE name = 'stuck'`)
	return n > 0, err
}

// SetWaiting says that a command of the attempt with this token waits for other
// tasks, or no longer does. While it does, the attempt does not count against
// the number that may run at once: what it waits for may need its place.
func (d *DB) SetWaiting(ctx context.Context, token string, on bool) error {
	step := 1
	if !on {
		step = -1
	}
	return d.wakeAfter(d.write(ctx, func(t *tx) error {
		_, err := t.exec(`
UPDATE attempt
SET waits = waits + ?
WHERE slot IS NOT NULL
  AND token = ?`, step, token)
		return err
	}))
}

// Waiting returns how many attempts wait for other tasks.
func (d *DB) Waiting(ctx context.Context) (int, error) {
	var n int
	err := d.read(ctx, func(t *tx) error {
		_, err := t.get(&n, `SELECT COUNT(*) FROM attempt `+t.d.dialect.bySlot+` WHERE slot IS NOT NULL AND waits > 0`)
		return err
	})
	return n, err
}
