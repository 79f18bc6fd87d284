// Package lock wraps the two kinds of kernel lock that air-executor relies on. The
// kernel releases both when the process that holds them dies, however it dies, so
// nothing here needs PIDs, heartbeats or clocks.
//
// A [File] locks a whole file: the gate in front of the database's write lock, the
// migration lock, the manager's single-instance lock. A runner's lock is a descriptor
// (see [Hold]) that a child process inherits, so that the lock is held until the child
// exits.
package lock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/basepath"
)

// ErrHeld is returned if another process holds the lock, and still does when the
// waiting time is over.
var ErrHeld = errors.New("lock is held by another process")

// File is an exclusive lock on a file (flock(2)). Its methods may be called
// from several goroutines; the lock is not reentrant.
type File struct {
	path string
	turn chan struct{} // holds a value while a goroutine of this process has the lock
	f    *os.File
}

// Open opens the lock file, which it creates with mode 0600 if necessary, and takes no
// lock.
func Open(path string) (*File, error) {
	f, err := basepath.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &File{path: path, turn: make(chan struct{}, 1), f: f}, nil
}

// TryLock takes the lock, or returns [ErrHeld] at once.
func (l *File) TryLock() error {
	select {
	case l.turn <- struct{}{}:
	default:
		return ErrHeld
	}
	err := l.try()
	if err != nil {
		<-l.turn
	}
	return err
}

// Lock takes the lock. It returns [ErrHeld] if it has waited for wait, or the error of
// ctx when that ends. The kernel serves waiting processes in the order in which they
// came. Goroutines of this process wait for each other until ctx ends.
func (l *File) Lock(ctx context.Context, wait time.Duration) error {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := l.try()
	if errors.Is(err, ErrHeld) {
		err = l.block(ctx, wait)
	}
	if err != nil {
		<-l.turn
	}
	return err
}

func (l *File) try() error {
	err := flock(l.f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrHeld
	}
	return err
}

// block waits in the kernel. flock(2) has no deadline, so a goroutine waits on its own
// file description: if the caller gives up, the goroutine may get the lock later, and
// must be able to drop it without affecting ours.
func (l *File) block(ctx context.Context, wait time.Duration) error {
	own, err := basepath.Open(l.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	got := make(chan error, 1)
	go func() { got <- flock(own, unix.LOCK_EX) }()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	gaveUp := ErrHeld
	select {
	case err := <-got:
		return l.takeOver(own, err)
	case <-ctx.Done():
		gaveUp = ctx.Err()
	case <-timer.C:
	}
	// Both may be ready if this process was stopped for a long time.
	select {
	case err := <-got:
		return l.takeOver(own, err)
	default:
		go func() { <-got; own.Close() }()
		return gaveUp
	}
}

// takeOver switches to the file description own, for which flock(2) returned err.
func (l *File) takeOver(own *os.File, err error) error {
	if err != nil {
		own.Close()
		return err
	}
	l.f.Close()
	l.f = own
	return nil
}

// Unlock releases the lock.
func (l *File) Unlock() error {
	err := flock(l.f, unix.LOCK_UN)
	<-l.turn
	return err
}

// Close closes the file, which releases the lock if it is held.
func (l *File) Close() error { return l.f.Close() }

// notePrefix begins every note.
const notePrefix = "held by "

// Note makes "held by WHO" the contents of the file; WHO may have several lines. If the
// file contains anything but a note, it is not ours, and that is an error. The new note
// overwrites the old one, and the rest of the old one is cut off afterwards. So it
// needs no new disk space, and a short note can be replaced on a full disk.
func (l *File) Note(who string) error {
	begin := make([]byte, len(notePrefix))
	n, err := l.f.ReadAt(begin, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.HasPrefix(notePrefix, string(begin[:n])) {
		return fmt.Errorf("%s is not a lock file of air-executor: there is something in it", l.path)
	}
	text := notePrefix + who + "\n"
	// In this order, so that a concurrent reader never sees a partial line.
	if _, err := l.f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return l.f.Truncate(int64(len(text)))
}

// ReadNote returns the note that the last holder of the lock has written to the file at
// path, at most 4 KiB. It is current only while the lock is held.
func ReadNote(path string) (string, error) {
	f, err := basepath.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4<<10))
	return string(text), err
}

// Noted returns the first line of WHO in the last note; empty if there is no note.
func (l *File) Noted() string {
	b := make([]byte, 200)
	n, _ := l.f.ReadAt(b, 0)
	line, _, _ := strings.Cut(string(b[:n]), "\n")
	who, _ := strings.CutPrefix(line, notePrefix)
	return who
}

// Replaced reports whether the path no longer names the file that was opened. Then the
// lock no longer protects anything.
func (l *File) Replaced() bool { return replaced(l.path, l.f) }

func replaced(path string, f *os.File) bool {
	there, err := os.Lstat(path)
	if err != nil {
		return true
	}
	ours, err := f.Stat()
	return err != nil || !os.SameFile(there, ours)
}

// Held reports whether any process holds the lock on the file at path. A file that does
// not exist is not locked.
func Held(path string) (bool, error) {
	f, err := basepath.Open(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	// A shared lock, so that two processes that check at the same time do not see each other.
	err = flock(f, unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		runtime.KeepAlive(f) // the descriptor's number alone does not keep it open
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("flock %s: %w", f.Name(), err)
		}
	}
}
