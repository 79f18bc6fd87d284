//go:build !linux

package runner

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// newMouth returns descriptors to hear the last words of a runner with and to
// speak them. They are of a pipe: what does not fit in is dropped, since nobody
// reads as long as the runner lives.
func newMouth() (hear, speak int, err error) {
	var fds [2]int
	syscall.ForkLock.RLock()
	err = unix.Pipe(fds[:])
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, -1, err
	}
	_ = unix.SetNonblock(fds[0], true)
	_ = unix.SetNonblock(fds[1], true)
	return fds[0], fds[1], nil
}

// hear reads what was said.
func hear(fd int, b []byte) (int, error) { return unix.Read(fd, b) }

// useLog makes the log the standard error of a runner that is ready, for what the
// Go runtime has to say when it crashes.
func useLog() error { return unix.Dup2(fdLog, 2) }
