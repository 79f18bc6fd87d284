package db

import (
	"context"
	"time"
)

// Managers returns the managers that registered last, the newest first.
func (d *DB) Managers(ctx context.Context, limit int) ([]Instance, error) {
	var rows []struct {
		Instance, Host string
		BootID         string `db:"boot_id"`
		PID            int
		PIDStart       int64 `db:"pid_start"`
		Stop           *string
		StartedAt      int64  `db:"started_at"`
		StoppedAt      *int64 `db:"stopped_at"`
	}
	err := d.read(ctx, func(t *tx) error {
		rows = nil
		return t.all(&rows, `
SELECT instance, host, boot_id, pid, pid_start, stop, started_at, stopped_at
FROM manager
ORDER BY id DESC
LIMIT ?`, limit)
	})
	out := make([]Instance, len(rows))
	for i, r := range rows {
		out[i] = Instance{
			ID: r.Instance, Host: r.Host, BootID: r.BootID, PID: r.PID, PIDStart: r.PIDStart,
			Stop: Stop(fromText(r.Stop)), StartedAt: time.UnixMicro(r.StartedAt).UTC(), StoppedAt: fromInstant(r.StoppedAt),
		}
	}
	return out, err
}
