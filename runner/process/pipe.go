package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// newPipe returns a non-blocking read end, and a blocking write end for a command.
func newPipe() (ours int, theirs *os.File, err error) {
	fds, err := closedPipe()
	if err != nil {
		return -1, nil, err
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return -1, nil, err
	}
	return fds[0], os.NewFile(uintptr(fds[1]), "output"), nil
}
