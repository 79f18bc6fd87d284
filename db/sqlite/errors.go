package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite" // the driver, pure Go
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/air-executor/air-executor/db/engine"
)

// Translate gives errors of the driver the names of package engine.
func (d *DB) Translate(err error) error { return translate(err) }

// translate gives errors of the driver our names. It is the only place
// that knows them.
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

// patient calls fn again while a lock of SQLite itself is in the way. Among programs
// like this one, such a lock is held for a moment, by a process that is the first to
// use the database, or the last. Another program that writes may keep it longer.
// (SQLite's own busy_timeout knows no contexts.)
func patient(ctx context.Context, fn func() error) error {
	return engine.Patient(ctx, func(err error) bool { return errors.Is(translate(err), engine.ErrBusy) }, fn)
}
