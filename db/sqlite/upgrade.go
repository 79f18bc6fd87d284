package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/lock"
)

// upgrade brings the schema up to date, after copying the database. No other process
// writes from before the copy until the end, so the copy is complete. Processes that
// have the database open continue afterwards, because a migration only adds.
func (d *DB) upgrade(ctx context.Context, c *conn) error {
	gate, err := lock.Open(filepath.Join(filepath.Dir(d.path), gateName))
	if err != nil {
		return err
	}
	defer gate.Close()
	if err := gate.Lock(ctx, d.wait); err != nil {
		if errors.Is(err, lock.ErrHeld) {
			return stuck(gate, d.wait)
		}
		return err
	}
	defer gate.Unlock()
	done := engine.Upgraded{From: d.schema, To: d.source.Newest}
	if done.Copy, err = d.copyAside(ctx, c); err != nil {
		return fmt.Errorf("copy the database before its upgrade: %w", err)
	}
	failpoint.Hit("upgrade.copied")
	files, err := fs.Sub(d.source.Files, "sqlite")
	if err != nil {
		return err
	}
	if err := d.up(ctx, c, files); err != nil {
		return fmt.Errorf("%w (as it was before: %s)", err, done.Copy)
	}
	d.upgraded = &done
	return nil
}
