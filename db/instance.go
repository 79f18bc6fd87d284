package db

import (
	"context"
	"time"
)

// Stop is how a manager is asked to stop.
type Stop string

// The ways to stop.
const (
	StopLeave Stop = "leave" // exit at once; running tasks continue
	StopDrain Stop = "drain" // exit when the running tasks have ended
	StopKill  Stop = "kill"  // end the running tasks, then exit
)

// Instance is one run of a manager.
type Instance struct {
	ID        string // random, new at every start
	Host      string
	BootID    string
	PID       int
	PIDStart  int64 // clock ticks since boot
	Stop      Stop  // empty: it was not asked to
	StartedAt time.Time
	StoppedAt time.Time // zero: it has not stopped cleanly
}

// RegisterManager records that a manager serves.
func (d *DB) RegisterManager(ctx context.Context, i Instance) error {
	return d.writeResult(ctx, func(t *tx) error {
		_, err := t.exec(`
INSERT INTO manager (instance, host, boot_id, pid, pid_start, started_at)
VALUES (?, ?, ?, ?, ?, ?)`, i.ID, i.Host, i.BootID, i.PID, i.PIDStart, t.now)
		if err == nil {
			err = t.event(ManagerStarted, 0, 0, 0, i.ID)
		}
		return err
	})
}

// ManagerStopped records that a manager has stopped.
func (d *DB) ManagerStopped(ctx context.Context, instance string) error {
	return d.writeResult(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE manager SET stopped_at = ? WHERE instance = ?`, t.now, instance)
		if err == nil && n > 0 {
			err = t.event(ManagerStopped, 0, 0, 0, instance)
		}
		return err
	})
}

// Manager returns the manager that registered last, or nil if there has been none. Only
// its lock tells whether it is alive.
func (d *DB) Manager(ctx context.Context) (*Instance, error) {
	return d.instance(ctx, `
ORDER BY id DESC
LIMIT 1`)
}

// ManagerWith returns the manager with this instance id, or nil if none has registered
// with it yet.
func (d *DB) ManagerWith(ctx context.Context, id string) (*Instance, error) {
	return d.instance(ctx, `
WHERE instance = ?`, id)
}

// instance reads one manager.
func (d *DB) instance(ctx context.Context, which string, args ...any) (*Instance, error) {
	var row struct {
		Instance, Host string
		BootID         string `db:"boot_id"`
		PID            int
		PIDStart       int64 `db:"pid_start"`
		Stop           *string
		StartedAt      int64  `db:"started_at"`
		StoppedAt      *int64 `db:"stopped_at"`
	}
	var ok bool
	err := d.read(ctx, func(t *tx) error {
		var err error
		ok, err = t.get(&row, `
SELECT instance, host, boot_id, pid, pid_start, stop, started_at, stopped_at
FROM manager`+which, args...)
		return err
	})
	if err != nil || !ok {
		return nil, err
	}
	return &Instance{
		ID: row.Instance, Host: row.Host, BootID: row.BootID, PID: row.PID, PIDStart: row.PIDStart,
		Stop: Stop(fromText(row.Stop)), StartedAt: time.UnixMicro(row.StartedAt).UTC(), StoppedAt: fromInstant(row.StoppedAt),
	}, nil
}

// AskToStop records how a manager is to stop. From then on it can claim nothing, even
// before it has seen the request: it checks once a second, and the caller may signal it
// to check at once.
func (d *DB) AskToStop(ctx context.Context, instance string, how Stop) error {
	return d.writeResult(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE manager SET stop = ? WHERE instance = ?`, string(how), instance)
		return err
	})
}

// stopAsked reports whether the manager of these runners was asked to stop. A manager
// that was stopped with SIGSTOP may claim before it checks for a request.
func (t *tx) stopAsked(runners []Runner) (bool, error) {
	if len(runners) == 0 || runners[0].Manager == "" {
		return false, nil
	}
	var one int
	return t.get(&one, `SELECT 1 FROM manager WHERE instance = ? AND stop IS NOT NULL`, runners[0].Manager)
}
