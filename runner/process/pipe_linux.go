package process

import "golang.org/x/sys/unix"

// splices: pages are moved from a pipe to a file without being copied.
const splices = true

const fionread = unix.TIOCINQ

func splice(pipe, file, most int) (int, error) {
	n, err := unix.Splice(pipe, nil, file, nil, most, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
	return int(max(n, 0)), err
}

// closedPipe is a pipe that commands do not inherit.
func closedPipe() (fds [2]int, err error) {
	err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
	return fds, err
}

// wake interrupts a poll(2) from another thread.
type wake struct{ event int }

func newWake() (wake, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	return wake{fd}, err
}

func (w wake) fd() int { return w.event }

func (w wake) poke() {
	_, _ = unix.Write(w.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // a non-zero number, in either byte order
}

func (w wake) clear() {
	var b [8]byte
	_, _ = unix.Read(w.event, b[:])
}

func (w wake) close() { unix.Close(w.event) }

// notice returns a descriptor that becomes readable when the child has exited, or -1 if
// the system has no such descriptors.
func notice(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	return fd
}
