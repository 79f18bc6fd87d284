//go:build !linux

package lock

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// take takes the lock, or confirms that this descriptor holds it already.
func take(f *os.File, _ int64) error {
	err := flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrHeld
	}
	return err
}

// share takes a part in the lock.
func share(f *os.File, _ int64) error { return flock(f, unix.LOCK_SH|unix.LOCK_NB) }

// Prober checks numbered locks without keeping them.
type Prober struct{ path string }

// NewProber needs no file of its own here.
func NewProber(path string) (*Prober, error) { return &Prober{path}, nil }

// Held reports whether any process holds lock n. The file of a free lock is removed:
// numbers are random and never reused.
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

// numbered is the file that is lock n.
func numbered(path string, n int64) string { return path + "." + strconv.FormatInt(n, 10) }
