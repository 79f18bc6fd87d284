package db

import (
	"context"
	"errors"
	"time"

	"github.com/air-executor/air-executor/job"
)

// Active is an attempt that is running according to its row.
type Active struct {
	Job       string
	Task      string
	Number    int
	Token     string
	Runner    Runner
	StartedAt time.Time
	Cancelled bool // its cancellation was requested
	Rebooted  bool // for Lose: the machine was restarted since it started
	Parallel  int  // how many tasks of its job may run at once

	ending
}

// activeRow is the row of an Active.
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
	Parallel      int
	namespaceRow
}

// Active returns the running attempts of all jobs, oldest first.
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
       a.manager, a.host, a.boot_id, a.runner, a.pid, a.pid_start, a.started_at, a.cancel_at,
       a.pid_namespace, a.init_lock, j.parallel
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
		Runner: r.of(Runner{
			Lock: r.Runner, PID: r.PID, PIDStart: r.PIDStart,
			Host: r.Host, BootID: r.BootID, Manager: r.Manager,
		}),
		StartedAt: time.UnixMicro(r.StartedAt).UTC(),
		Cancelled: r.CancelAt != nil,
		Parallel:  r.Parallel,
		ending:    ending{attempt: r.ID, task: r.Task, job: r.Job, token: r.Token},
	}
}

// LostAs returns the reason that [DB.Lose] records for the attempt.
func (a Active) LostAs() job.Reason {
	if a.Cancelled {
		return job.Cancelled
	}
	return job.Lost
}

// Lose ends an attempt whose runner is gone: its task fails, as lost, or as
// cancelled if that was asked for; or it is tried again. The caller must know that the runner is gone
// and that nothing of its command lives. It returns false, and changes nothing,
// if the attempt has ended otherwise meanwhile.
func (d *DB) Lose(ctx context.Context, a Active, why string) (bool, error) {
	r := job.Result{Status: job.Failed, Reason: a.LostAs(), Error: why}
	a.rebooted = a.Rebooted
	err := d.writeEnd(ctx, func(t *tx) error {
		_, err := t.finish(a.ending, r)
		return err
	})
	if errors.Is(err, ErrFenced) {
		return false, nil
	}
	return err == nil, err
}

// SetStuck records, for people, what keeps the running attempt with this token from
// ending; empty clears it.
func (d *DB) SetStuck(ctx context.Context, token, why string) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`
UPDATE attempt
SET stuck = ?
WHERE slot IS NOT NULL
  AND token = ?`, text(why), token)
		return t.changedWith(n, err, token)
	})
}

// stuck returns what keeps running tasks from ending, by the rows of the tasks.
func (t *tx) stuck() (map[int64]string, error) {
	var rows []struct {
		Task  int64
		Stuck string
	}
	err := t.all(&rows, `
SELECT task, stuck
FROM attempt
WHERE slot IS NOT NULL
  AND stuck IS NOT NULL`)
	out := map[int64]string{}
	for _, r := range rows {
		out[r.Task] = r.Stuck
	}
	return out, err
}

// Became says what happened to an attempt.
type Became struct {
	Active
	Status job.Status // Running: it has not ended
	Reason job.Reason // empty unless it has failed
	Error  string
}

// Become returns what happened to attempts that were running, in the same order. An
// attempt whose row was deleted counts as ended, with no status.
func (d *DB) Become(ctx context.Context, attempts []Active) ([]Became, error) {
	out := make([]Became, len(attempts))
	err := d.read(ctx, func(t *tx) error {
		for i, a := range attempts {
			var row struct {
				Status job.Status
				Reason *string
				Error  *string
			}
			_, err := t.get(&row, `
SELECT status, reason, error
FROM attempt
WHERE id = ?
  AND token = ?`, a.attempt, a.Token)
			if err != nil {
				return err
			}
			out[i] = Became{a, row.Status, job.Reason(fromText(row.Reason)), fromText(row.Error)}
		}
		return nil
	})
	return out, err
}

// SetParked parks the attempt with this token, or unparks it. While one of its commands
// waits for other tasks, an attempt is parked: it does not count towards the limit of
// running tasks, because the tasks that it waits for may need its place. Waiting
// commands are counted, so each must unpark once.
func (d *DB) SetParked(ctx context.Context, token string, on bool) error {
	step := 1
	if !on {
		step = -1
	}
	return d.wakeAfter(d.write(ctx, func(t *tx) error {
		n, err := t.exec(`
UPDATE attempt
SET waits = waits + ?
WHERE slot IS NOT NULL
  AND token = ?
  AND waits + ? >= 0`, step, token, step)
		return t.changedWith(n, err, token)
	}))
}

// FreeParked unparks attempts none of whose commands is still waiting, because a
// waiting command may have been killed. The function alive says whether a command of
// the attempt with that token still waits. FreeParked returns how many attempts are
// still parked.
//
// A waiting command must be visible to alive before it calls [DB.SetParked] to park,
// and until after it has called it to unpark. No other process writes during
// FreeParked, so a count that is cleared here belonged to dead commands only.
func (d *DB) FreeParked(ctx context.Context, alive func(token string) (bool, error)) (int, error) {
	parked := 0
	err := d.write(ctx, func(t *tx) error {
		all, dead, err := t.parked(alive)
		parked = all - len(dead)
		for _, token := range dead {
			n, err := t.exec(`
UPDATE attempt
SET waits = 0
WHERE slot IS NOT NULL
  AND token = ?`, token)
			if err = t.changedWith(n, err, token); err != nil {
				return err
			}
		}
		return err
	})
	return parked, err
}

// DeadParked reports whether FreeParked would change anything. It only reads.
func (d *DB) DeadParked(ctx context.Context, alive func(token string) (bool, error)) (bool, error) {
	var dead []string
	err := d.read(ctx, func(t *tx) error {
		var err error
		_, dead, err = t.parked(alive)
		return err
	})
	return len(dead) > 0, err
}

// parked returns how many attempts are parked, and the tokens of those none of whose
// commands is still waiting.
func (t *tx) parked(alive func(token string) (bool, error)) (all int, dead []string, err error) {
	var tokens []string
	err = t.all(&tokens, `SELECT token FROM attempt `+t.d.dialect.bySlot+` WHERE slot IS NOT NULL AND waits > 0`)
	for _, token := range tokens {
		lives, err := alive(token)
		if err != nil {
			return 0, nil, err
		}
		if !lives {
			dead = append(dead, token)
		}
	}
	return len(tokens), dead, err
}

// Parked returns how many attempts are parked.
func (d *DB) Parked(ctx context.Context) (int, error) {
	var n int
	err := d.read(ctx, func(t *tx) error {
		_, err := t.get(&n, `SELECT COUNT(*) FROM attempt `+t.d.dialect.bySlot+` WHERE slot IS NOT NULL AND waits > 0`)
		return err
	})
	return n, err
}
