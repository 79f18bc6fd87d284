package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/internal/basepath"
)

const managerLogName = "manager.log"

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
	most int64 // bytes that it may have
	keep int   // how many earlier ones stay
	stop context.CancelFunc
	done chan struct{}
}

// keepLog maintains file until it is closed, if it is the manager.log of this base path
// and not a terminal or the journal of systemd. SIGHUP makes it check at once, and does
// nothing else. A manager inside the command run gets no SIGHUP here: it is meant for
// the command.
func keepLog(conf *config.Config, file *os.File) *logKeeper {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	return startKeeper(conf, file, hup)
}

func startKeeper(conf *config.Config, file *os.File, hup <-chan os.Signal) *logKeeper {
	ctx, stop := context.WithCancel(context.Background())
	k := &logKeeper{
		path: filepath.Join(conf.BasePath, managerLogName), file: file,
		most: int64(conf.ManagerLogSize) << 20, keep: conf.ManagerLogFiles,
		stop: stop, done: make(chan struct{}),
	}
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
	case ours.Size() < k.most:
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
		err = k.shift()
	}
	_ = unix.Flock(fd, unix.LOCK_UN)
	if err != nil {
		return err
	}
	return k.reopen()
}

// shift gives the log the name with .1, and each earlier one the next. The last of
// them is written over. Where that stops half-way, none has been lost.
func (k *logKeeper) shift() error {
	for n := k.keep - 1; n > 0; n-- {
		err := os.Rename(k.earlier(n), k.earlier(n+1))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return os.Rename(k.path, k.earlier(1))
}

func (k *logKeeper) earlier(n int) string { return fmt.Sprintf("%s.%d", k.path, n) }

// reopen makes the descriptor one of the file that has the name now.
func (k *logKeeper) reopen() error {
	fresh, err := openLogFile(k.path)
	if err != nil {
		return err
	}
	defer fresh.Close()
	return replaceDescriptor(int(fresh.Fd()), k.file)
}
