//go:build !linux

package runner

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// newMouth returns descriptors to read and to write the last words of a runner. They
// are the ends of a pipe. What does not fit into it is dropped, because it is not read
// while the runner is alive.
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

// hear reads what was written.
func hear(fd int, b []byte) (int, error) { return unix.Read(fd, b) }

// useLog makes the log the standard error of a runner that is ready, for crash reports
// of the Go runtime.
func useLog() error { return unix.Dup2(fdLog, 2) }
