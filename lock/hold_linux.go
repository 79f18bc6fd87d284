package lock

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/basepath"
)

// Hold takes the lock with number n of the lock file at path and returns the
// descriptor that carries it. The lock lives as long as any copy of the
// descriptor, in this process or in children that inherit it; so a process
// that hands it to a child and closes its own copy has tied the lock to the
// child's life. It returns [ErrHeld] if the number is taken.
//
// On Linux a number is one byte of the file, locked by an open file
// description lock (F_OFD_SETLK, fcntl(2)): one file serves every runner, and
// no file is created or removed for any of them.
func Hold(path string, n int64) (*os.File, error) {
	f, err := basepath.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := take(f, n); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Share is Hold for a lock that any number of processes may hold at once. A
// [Prober] sees it as held until the last of them has ended.
func Share(path string, n int64) (*os.File, error) {
	f, err := basepath.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	fl := byteLock(n)
	fl.Type = unix.F_RDLCK
	if err := fcntl(f, unix.F_OFD_SETLK, &fl); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// take takes lock n, or makes sure that this very descriptor holds it.
func take(f *os.File, n int64) error {
	fl := byteLock(n)
	err := fcntl(f, unix.F_OFD_SETLK, &fl)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return ErrHeld
	}
	return err
}

// Prober looks at numbered locks without taking them.
type Prober struct {
	path string
	f    *os.File
}

// NewProber opens the lock file at path, creating it if there is none.
func NewProber(path string) (*Prober, error) {
	f, err := basepath.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &Prober{path: path, f: f}, nil
}

// Held reports whether anybody holds lock n.
func (p *Prober) Held(n int64) (bool, error) {
	fl := byteLock(n)
	if err := fcntl(p.f, unix.F_OFD_GETLK, &fl); err != nil {
		return false, err
	}
	return fl.Type != unix.F_UNLCK, nil
}

// Replaced reports whether the path names another file than the one in which
// this prober looks.
func (p *Prober) Replaced() bool { return replaced(p.path, p.f) }

// Close closes the lock file.
func (p *Prober) Close() error { return p.f.Close() }

func byteLock(n int64) unix.Flock_t {
	return unix.Flock_t{Type: unix.F_WRLCK, Whence: 0, Start: n, Len: 1}
}

func fcntl(f *os.File, cmd int, fl *unix.Flock_t) error {
	err := unix.FcntlFlock(f.Fd(), cmd, fl)
	runtime.KeepAlive(f) // the number alone does not keep it open
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}
