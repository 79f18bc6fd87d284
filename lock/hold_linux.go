package lock

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/basepath"
)

// numbered is the file that has lock n.
func numbered(path string, _ int64) string { return path }

// take takes lock n, or confirms that this descriptor holds it already.
func take(f *os.File, n int64) error {
	fl := byteLock(n)
	err := fcntl(f, unix.F_OFD_SETLK, &fl)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return ErrHeld
	}
	return err
}

// share takes a part in lock n.
func share(f *os.File, n int64) error {
	fl := byteLock(n)
	fl.Type = unix.F_RDLCK
	return fcntl(f, unix.F_OFD_SETLK, &fl)
}

// Prober checks numbered locks without taking them.
type Prober struct {
	path string
	f    *os.File
}

// NewProber opens the lock file at path, and creates it if necessary.
func NewProber(path string) (*Prober, error) {
	f, err := basepath.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &Prober{path: path, f: f}, nil
}

// Held reports whether any process holds lock n.
func (p *Prober) Held(n int64) (bool, error) {
	fl := byteLock(n)
	if err := fcntl(p.f, unix.F_OFD_GETLK, &fl); err != nil {
		return false, err
	}
	return fl.Type != unix.F_UNLCK, nil
}

// Replaced reports whether the path no longer names the file that this prober uses.
func (p *Prober) Replaced() bool { return replaced(p.path, p.f) }

// Close closes the lock file.
func (p *Prober) Close() error { return p.f.Close() }

func byteLock(n int64) unix.Flock_t {
	return unix.Flock_t{Type: unix.F_WRLCK, Whence: 0, Start: n, Len: 1}
}

func fcntl(f *os.File, cmd int, fl *unix.Flock_t) error {
	err := unix.FcntlFlock(f.Fd(), cmd, fl)
	runtime.KeepAlive(f) // the descriptor's number alone does not keep it open
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}
