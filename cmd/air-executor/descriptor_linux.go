package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// replaceDescriptor makes file refer to what the descriptor fd refers to.
func replaceDescriptor(fd int, file *os.File) error {
	return unix.Dup3(fd, int(file.Fd()), unix.O_CLOEXEC)
}
