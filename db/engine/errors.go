package engine

import (
	"context"
	"errors"
	"time"
)

// Errors that every engine may return. Package db documents when, under the same names.
var (
	ErrNoDatabase = errors.New("no database")
	ErrNewer      = errors.New("database is newer than this program")
	ErrUnreleased = errors.New("database is older than the first release")
	ErrForeign    = errors.New("not a database of air-executor")
	ErrTaken      = errors.New("a file of another program is in the way")
	ErrNetwork    = errors.New("a base path must be on a local disk")
	ErrCorrupt    = errors.New("database is damaged")
	ErrReplaced   = errors.New("a file of the database was removed or replaced while it was in use")
	ErrFull       = errors.New("no space left for the database")
	ErrReadOnly   = errors.New("the database cannot be written")
	ErrBusy       = errors.New("database is busy")
	ErrStuck      = errors.New("database is held by another process")
)

// BusyFor is how long Patient retries.
const BusyFor = 10 * time.Second

// Patient calls fn again as long as it returns that the database is busy, for some time
// or until ctx ends.
func Patient(ctx context.Context, busy func(error) bool, fn func() error) error {
	err := fn()
	if !busy(err) {
		return err
	}
	const longest = 20 * time.Millisecond
	begin, pause := time.Now(), time.Millisecond
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, longest)
		if err = fn(); !busy(err) || time.Since(begin) > BusyFor {
			return err
		}
	}
}
