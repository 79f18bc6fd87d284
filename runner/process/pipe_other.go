//go:build !linux

package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// splices: this system has no splice(2), bytes are copied.
const splices = false

const fionread = 0x4004667f // FIONREAD, see filio.h

func splice(_, _, _ int) (int, error) { return 0, unix.EINVAL }

// closedPipe is a pipe that commands do not inherit.
func closedPipe() (fds [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(fds[:]); err != nil {
		return fds, err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return fds, nil
}

// wake interrupts a poll(2) from another thread.
type wake struct{ read, write int }

func newWake() (wake, error) {
	fds, err := closedPipe()
	if err != nil {
		return wake{}, err
	}
	for _, fd := range fds {
		_ = unix.SetNonblock(fd, true)
	}
	return wake{fds[0], fds[1]}, nil
}

func (w wake) fd() int { return w.read }

func (w wake) poke() { _, _ = unix.Write(w.write, []byte{0}) }

func (w wake) clear() {
	var b [64]byte
	_, _ = unix.Read(w.read, b[:])
}

func (w wake) close() {
	unix.Close(w.read)
	unix.Close(w.write)
}

// notice returns -1: this system has no process descriptors.
func notice(int) int { return -1 }
