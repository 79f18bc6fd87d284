package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/migrations"
)

// Upgraded is what an upgrade of the schema did.
type Upgraded struct {
	From, To int    // versions of the schema
	Copy     string // path of the database as it was before
}

// Upgraded returns what Open did to an older database, nil if it left the
// schema as it was.
func (d *DB) Upgraded() *Upgraded { return d.upgraded }

// Schema returns the version of the schema as it was when the database was
// opened. 0 means that this was not looked at, as with [Options.Runner].
func (d *DB) Schema() int { return d.schema }

// Outdated reports whether the schema is older than this program, so that an
// upgrade would change it.
func (d *DB) Outdated() bool { return d.schema > 0 && d.schema < d.source.newest }

// LatestSchema is the version of the schema that this program builds.
const LatestSchema = migrations.Version

// older makes an error of a statement that needs a column or a table of a later
// schema say so.
func (d *DB) older(err error) error {
	if err == nil || !d.Outdated() {
		return err
	}
	for _, said := range []string{"no such column", "no such table", "has no column named"} {
		if strings.Contains(err.Error(), said) {
			return fmt.Errorf("%w: its schema is version %d, this needs version %d", ErrOlder, d.schema, d.source.newest)
		}
	}
	return err
}

// upgrade brings the schema up to date, after a copy of the database. No other
// process writes from before the copy until the end, so nothing that was
// recorded is missing in the copy. Processes that have the database open go on
// afterwards: a migration only adds.
func (d *DB) upgrade(ctx context.Context) error {
	gate, err := lock.Open(filepath.Join(filepath.Dir(d.path), gateName))
	if err != nil {
		return err
	}
	defer gate.Close()
	if err := gate.Lock(d.wait); err != nil {
		if errors.Is(err, lock.ErrHeld) {
			return stuck(gate, d.wait)
		}
		return err
	}
	defer gate.Unlock()
	done := Upgraded{From: d.schema, To: d.source.newest}
	if done.Copy, err = d.copyAside(ctx); err != nil {
		return fmt.Errorf("copy the database before its upgrade: %w", err)
	}
	failpoint.Hit("upgrade.copied")
	files, err := fs.Sub(d.source.files, "sqlite")
	if err != nil {
		return err
	}
	if err := d.up(ctx, files); err != nil {
		return fmt.Errorf("%w (as it was before: %s)", err, done.Copy)
	}
	d.upgraded = &done
	return nil
}
