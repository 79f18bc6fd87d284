package lock

import (
	"errors"
	"fmt"
	"os"
)

// ErrLost is returned when a process no longer holds a lock that it should hold until
// it exits.
var ErrLost = errors.New("the lock is lost")

// Own is the numbered lock of this process. It owns the descriptor: as long as the Own
// is reachable, the garbage collector does not close it, which would release the lock.
type Own struct {
	f    *os.File
	n    int64
	file os.FileInfo // that the descriptor refers to
}

// Keep makes sure that the descriptor, which came from [Hold] in this process
// or its parent, holds lock n, and takes it over. A child calls it before it
// relies on the lock. It returns [ErrHeld] if another descriptor holds it.
func Keep(f *os.File, n int64) (*Own, error) {
	if err := take(f, n); err != nil {
		return nil, err
	}
	file, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &Own{f, n, file}, nil
}

// Check returns [ErrLost] if the descriptor was closed or now refers to another file,
// or if another process has the lock.
func (o *Own) Check() error {
	now, err := o.f.Stat()
	if err == nil && !os.SameFile(now, o.file) {
		err = errors.New("its descriptor names another file")
	}
	if err == nil {
		err = take(o.f, o.n)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return nil
}

// Close releases the lock, unless a child has inherited it.
func (o *Own) Close() error { return o.f.Close() }
