package process

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// source is the standard input of a command.
type source struct {
	fd   uintptr
	ours bool // to be closed
}

// input opens the standard input of a command.
func input(c Command) (source, error) {
	if c.Input != nil {
		return source{fd: c.Input.Fd()}, nil
	}
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return source{}, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	return source{uintptr(null), true}, nil
}

func (s source) close() {
	if s.ours {
		unix.Close(int(s.fd))
	}
}
