package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/air-executor/air-executor/queue"
)

// openInput opens a file to read tasks from. Anything that may block, such as a pipe,
// is read to its end first, because the database is locked while the tasks are stored.
// Large inputs go to an unnamed file in the base path.
func openInput(path, base string) (io.ReadSeekCloser, error) {
	f := os.Stdin
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			return nil, unreadable(path, err)
		}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, unreadable(inputName(path), syscall.EISDIR)
	}
	if info.Mode().IsRegular() {
		return f, nil
	}
	defer f.Close()
	return queue.Spool(f, inputName(path), base)
}

// inputName is how messages call an input.
func inputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// unreadable says why a file cannot be read, as for job files.
func unreadable(path string, err error) error {
	why := err
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		why = at.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = errors.New("no such file")
	case errors.Is(err, syscall.EISDIR):
		why = errors.New("is a folder, not a file")
	}
	return usage(fmt.Errorf("%s: %w", path, why), "")
}
