package runner

import (
	"os"

	"golang.org/x/sys/unix"
)

// memory returns an empty file in memory.
func memory() (*os.File, error) {
	fd, err := unix.MemfdCreate("stdin", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "stdin"), nil
}
