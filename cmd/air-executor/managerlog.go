package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/internal/basepath"
)

const (
	managerLogName = "manager.log"
	// maxManagerLog is how big the log of the manager may become before it is
	// renamed to manager.log.1, in bytes.
	maxManagerLog = 10 << 20
)

// openManagerLog opens manager.log in the base path, to append to it.
func openManagerLog(conf *config.Config) (*os.File, error) {
	if _, err := basepath.Make(conf.BasePath); err != nil {
		return nil, err
	}
	return openLogFile(filepath.Join(conf.BasePath, managerLogName))
}

func openLogFile(path string) (*os.File, error) {
	return basepath.Open(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// logKeeper reopens manager.log when it was moved away, and keeps it small. The
// descriptor stays the same, so that its writers do not notice.
type logKeeper struct {
	path string
	file *os.File
	stop context.CancelFunc
	done chan struct{}
}

// keepLog maintains file until it is closed, if it is the manager.log of this base path
// and not a terminal or the journal of systemd. SIGHUP makes it check at once, and does
// nothing else. A manager inside the command run gets no SIGHUP here: it is meant for
// the command.
func keepLog(base string, file *os.File) *logKeeper {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	return startKeeper(base, file, hup)
}

func startKeeper(base string, file *os.File, hup <-chan os.Signal) *logKeeper {
	ctx, stop := context.WithCancel(context.Background())
	k := &logKeeper{filepath.Join(base, managerLogName), file, stop, make(chan struct{})}
	there, err := os.Lstat(k.path)
	ours, e := file.Stat()
	if err != nil || e != nil || !os.SameFile(there, ours) {
		close(k.done)
		return k
	}
	go func() {
		defer close(k.done)
		const often = 5 * time.Second
		tick := time.NewTicker(often)
		defer tick.Stop()
		for {
			_ = k.tend() // errors are ignored: it is tried again
			select {
			case <-hup:
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return k
}

// close stops it.
func (k *logKeeper) close() {
	k.stop()
	<-k.done
}

// tend makes a new file if the log was moved away or removed, or is too big.
func (k *logKeeper) tend() error {
	there, err := os.Lstat(k.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	ours, e := k.file.Stat()
	if e != nil {
		return e
	}
	switch {
	case err != nil || !os.SameFile(there, ours):
		return k.reopen()
	case ours.Size() < maxManagerLog:
		return nil
	}
	// Several managers may do this at the same time, so the lock is on the file
	// itself, which all of them have open.
	fd := int(k.file.Fd())
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	there, err = os.Lstat(k.path)
	if err == nil && os.SameFile(there, ours) {
		err = os.Rename(k.path, k.path+".1")
	}
	_ = unix.Flock(fd, unix.LOCK_UN)
	if err != nil {
		return err
	}
	return k.reopen()
}

// reopen makes the descriptor one of the file that has the name now.
func (k *logKeeper) reopen() error {
	fresh, err := openLogFile(k.path)
	if err != nil {
		return err
	}
	defer fresh.Close()
	return replaceDescriptor(int(fresh.Fd()), k.file)
}
