package db

import (
	"context"
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/db/sqlite"
	"github.com/air-executor/air-executor/migrations"
)

// CheckNames returns [ErrTaken] if the base path has files of other programs under
// names that we need.
func CheckNames(folder string) error { return sqlite.CheckNames(folder) }

// Path is the database file.
func (d *DB) Path() string { return d.engine.Path() }

// Close closes the database. A connection that another goroutine still uses stays open
// until the process exits.
func (d *DB) Close() error { return d.engine.Close() }

// CheckFiles returns [ErrReplaced] if one of the files that SQLite keeps beside the
// database was removed or replaced while in use. Processes that have opened the
// database since then use the new file, and each side overwrites what the other has
// written. Moving all of its files away together does no harm.
func (d *DB) CheckFiles() error { return d.engine.CheckFiles() }

// Moved is like CheckFiles, and also returns an error if processes that open the
// database from now on would find a different one, or none.
func (d *DB) Moved() error { return d.engine.Moved() }

// Wake wakes the manager, if one is listening.
func (d *DB) Wake() { d.engine.Wake() }

// Listen returns a channel that gets a value after every Wake by any process.
// It is closed when ctx ends.
func (d *DB) Listen(ctx context.Context) (<-chan struct{}, error) { return d.engine.Listen(ctx) }

// Alive reports whether a runner is alive, by its lock and boot id. An error means that
// it cannot be known.
func (d *DB) Alive(r Runner) (bool, error) { return d.engine.Alive(r.Lock, r.BootID) }

// KeepReserve makes sure that there is a reserve of disk space, in which results can be
// recorded on a full disk. It returns [ErrFull] if there is no space for it, and
// [ErrTaken] if another program's file has its name.
func (d *DB) KeepReserve() error { return d.engine.KeepRoom() }

// Upgraded says what an upgrade of the schema did.
type Upgraded = engine.Upgraded

// Upgraded returns what Open did to an older database, nil if it left the
// schema as it was.
func (d *DB) Upgraded() *Upgraded { return d.engine.Upgraded() }

// Schema returns the version of the schema as it was when the database was opened. 0
// means that it was not read, as with [Options.Runner].
func (d *DB) Schema() int { return d.schema }

// Outdated reports whether the schema is older than this program, so that an
// upgrade would change it.
func (d *DB) Outdated() bool { return d.schema > 0 && d.schema < d.newest }

// LatestSchema is the version of the schema that this program builds.
const LatestSchema = migrations.Version

// older turns the error of a statement that needs a column or table of a later schema
// into ErrOlder.
func (d *DB) older(err error) error {
	if err == nil || !d.Outdated() {
		return err
	}
	for _, said := range []string{"no such column", "no such table", "no such index", "has no column named"} {
		if strings.Contains(err.Error(), said) {
			return fmt.Errorf("%w: its schema is version %d, this needs version %d", ErrOlder, d.schema, d.newest)
		}
	}
	return err
}
