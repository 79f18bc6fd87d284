//go:build !linux

package lock

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/basepath"
)

// Hold takes lock n and returns the descriptor that carries it. Systems
// without open file description locks use one file per number, path.n, and
// flock(2), which children inherit in the same way.
func Hold(path string, n int64) (*os.File, error) {
	f, err := basepath.Open(numbered(path, n), os.O_RDWR|os.O_CREATE, 0o600)
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
	f, err := basepath.Open(numbered(path, n), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, unix.LOCK_SH|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// take takes the lock, or makes sure that this very descriptor holds it.
func take(f *os.File, _ int64) error {
	err := flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrHeld
	}
	return err
}

// Prober looks at numbered locks without keeping them.
type Prober struct{ path string }

// NewProber needs no file of its own here.
func NewProber(path string) (*Prober, error) { return &Prober{path}, nil }

// Held reports whether anybody holds lock n. A lock found free has its file
// removed: numbers are drawn at random and never used twice.
func (p *Prober) Held(n int64) (bool, error) {
	held, err := Held(numbered(p.path, n))
	if err == nil && !held {
		err = os.Remove(numbered(p.path, n))
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	return held, err
}

// Replaced is always false: there is no shared file to replace.
func (p *Prober) Replaced() bool { return false }

// Close does nothing.
func (p *Prober) Close() error { return nil }

func numbered(path string, n int64) string { return path + "." + strconv.FormatInt(n, 10) }
