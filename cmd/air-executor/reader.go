package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// readerGone reports whether f is a pipe whose reader has exited. A process that rarely
// writes would otherwise notice late, or never.
func readerGone(f *os.File) bool {
	if info, err := f.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return false
	}
	p := []unix.PollFd{{Fd: int32(f.Fd())}} // errors and hangups are always reported
	n, err := unix.Poll(p, 0)
	return err == nil && n > 0 && p[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
}

// errNobodyReads ends a command as a write to a closed pipe would.
var errNobodyReads = &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.EPIPE}

// whileRead returns a context for a command that prints repeatedly. It ends, with the
// cause errNobodyReads, when check finds that the output is no longer read.
func (ui *ui) whileRead(ctx context.Context) (on context.Context, check func(), stop func()) {
	on, cancel := context.WithCancelCause(ctx)
	check = func() {
		if readerGone(ui.out) {
			cancel(errNobodyReads)
		}
	}
	return on, check, func() { cancel(nil) }
}

// orNobody returns err, or errNobodyReads if that has ended the context.
func orNobody(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(err, context.Canceled) && nobodyReads(cause) {
		return cause
	}
	return err
}
