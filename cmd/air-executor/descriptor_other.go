//go:build !linux

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// replaceDescriptor makes file refer to what the descriptor fd refers to.
func replaceDescriptor(fd int, file *os.File) error {
	if err := unix.Dup2(fd, int(file.Fd())); err != nil {
		return err
	}
	unix.CloseOnExec(int(file.Fd()))
	return nil
}
