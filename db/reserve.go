package db

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The reserve is a file beside the database that takes up room on the disk.
// Should the disk become full, it is emptied, and what runs at that time can
// record its results. While it is empty nothing else is written, so that the
// room is not spent on tasks that would need more.
const (
	reserveName = "reserve"
	reserveSize = 4 << 20 // a result takes some ten pages, and 50 may be under way
)

func (d *DB) reservePath() string { return filepath.Join(filepath.Dir(d.path), reserveName) }

// KeepReserve sees to it that the reserve is there and full. It returns
// [ErrFull] if the disk has no room for it.
func (d *DB) KeepReserve() error {
	path := d.reservePath()
	if info, err := os.Lstat(path); err == nil && info.Size() == reserveSize {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return full(err)
	}
	noise := make([]byte, reserveSize) // file systems that compress have zeros take no room
	rand.Read(noise)                   // never fails, see crypto/rand
	_, err = f.Write(noise)
	if err = errors.Join(err, f.Close()); err != nil {
		// Half a reserve would take the room from results and give it to nobody.
		_ = os.Truncate(path, 0)
	}
	return full(err)
}

// full gives the system's word for a full disk ours.
func full(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// reserve returns what is in the reserve, in bytes, and whether there is one.
func (d *DB) reserve() (size int64, ok bool) {
	info, err := os.Lstat(d.reservePath())
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Size(), true
}

// spent reports whether there is a reserve, and it is empty.
func (d *DB) spent() bool {
	size, ok := d.reserve()
	return ok && size == 0
}

// spend empties the reserve, and reports whether it is empty now, be it by
// another process a moment ago; false: there is none.
func (d *DB) spend() bool {
	size, ok := d.reserve()
	return ok && (size == 0 || os.Truncate(d.reservePath(), 0) == nil)
}

// writeResult is write for what must be recorded on a full disk, too: results,
// and what somebody says to end what runs.
func (d *DB) writeResult(ctx context.Context, fn func(*tx) error) error {
	err := d.try(ctx, fn)
	if errors.Is(err, ErrFull) && d.spend() {
		err = d.try(ctx, fn)
	}
	return err
}
