package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite" // the driver, pure Go
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/air-executor/air-executor/db/engine"
)

// Translate turns errors of the driver into those of package engine.
func (d *DB) Translate(err error) error { return translate(err) }

// translate turns errors of the driver into ours. No other place knows the driver's
// codes.
func translate(err error) error {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return err
	}
	if se.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		// The index of the write-ahead log could not grow.
		return fmt.Errorf("%w: %w", engine.ErrFull, err)
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", engine.ErrBusy, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", engine.ErrFull, err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w: %w", engine.ErrReadOnly, err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %w", engine.ErrCorrupt, err)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", engine.ErrForeign, err)
	}
	return err
}

// patient calls fn again while one of SQLite's own locks is held by another process.
// Our processes hold such a lock only for a moment, as the first or last user of the
// database; another program that writes may hold it longer. (SQLite's own busy_timeout
// ignores contexts.)
func patient(ctx context.Context, fn func() error) error {
	return engine.Patient(ctx, func(err error) bool { return errors.Is(translate(err), engine.ErrBusy) }, fn)
}
