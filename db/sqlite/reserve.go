package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/internal/basepath"
)

// The reserve is a file beside the database that takes up space on the disk. When the
// disk is full, the file is emptied, so that running tasks can still record their
// results. While it is empty nothing else is written, so that the space is not spent on
// new tasks, which would need more.
const (
	reserveName = "reserve"
	reserveSize = 4 << 20 // a result takes about ten pages, and 50 may be pending
)

// reserveHead begins a reserve. A file that does not begin with it is not overwritten.
const reserveHead = "air-executor reserve: room for results on a full disk\n"

func (d *DB) reservePath() string { return filepath.Join(filepath.Dir(d.path), reserveName) }

// KeepRoom creates or refills the reserve if necessary. It returns [engine.ErrFull] if
// the disk has no space for it, and [engine.ErrTaken] if another program's file has its
// name.
func (d *DB) KeepRoom() error {
	path := d.reservePath()
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == reserveSize {
		return nil // if it is not ours, SpendRoom will notice
	}
	f, err := openReserve(path, os.O_CREATE)
	if err != nil {
		return full(err)
	}
	content := make([]byte, reserveSize) // not zeros: they take no space on file systems that compress
	// This need not be secret. The system's random numbers would take 25 ms, and the
	// garbage collector would have to wait.
	noise := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for i := 0; i < len(content); i += 8 {
		binary.LittleEndian.PutUint64(content[i:], noise.Uint64())
	}
	copy(content, reserveHead)
	if _, err = f.WriteAt(content, 0); err != nil {
		// Half a reserve would only take space away from results.
		_ = f.Truncate(0)
	}
	return full(errors.Join(err, f.Close()))
}

// openReserve opens the reserve at path, or returns [engine.ErrTaken] if the file is
// something else.
func openReserve(path string, flag int) (*os.File, error) {
	f, err := basepath.Open(path, os.O_RDWR|flag, 0o600)
	if errors.Is(err, basepath.ErrNotRegular) {
		return nil, fmt.Errorf("%w: %w", engine.ErrTaken, err)
	}
	if err != nil {
		return nil, err
	}
	ours, err := isReserve(f)
	if err == nil && !ours {
		err = fmt.Errorf("%w: %s; move it away, or choose another base path", engine.ErrTaken, path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// isReserve reports whether a file is a reserve: empty, or with the right beginning, or
// from an earlier version, which is known only by its size.
func isReserve(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || hardLinks(info) > 1 {
		return false, err
	}
	private := info.Mode().Perm() == 0o600
	if info.Size() == 0 || info.Size() == reserveSize && private {
		return private, nil
	}
	head := make([]byte, len(reserveHead))
	if _, err = f.ReadAt(head, 0); errors.Is(err, io.EOF) {
		err = nil
	}
	return string(head) == reserveHead, err
}

// full turns the system's error for a full disk into ours.
func full(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", engine.ErrFull, err)
	}
	return err
}

// reserve returns the size of the reserve in bytes, and whether there is one.
func (d *DB) reserve() (size int64, ok bool) {
	info, err := os.Lstat(d.reservePath())
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Size(), true
}

// RoomSpent reports whether there is a reserve and it is empty.
func (d *DB) RoomSpent() bool {
	size, ok := d.reserve()
	return ok && size == 0
}

// SpendRoom empties the reserve, and reports whether it is empty now, whichever process
// emptied it; false: there is none.
func (d *DB) SpendRoom() bool {
	f, err := openReserve(d.reservePath(), 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Truncate(0) == nil
}
