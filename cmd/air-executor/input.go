package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/air-executor/air-executor/internal/basepath"
)

const (
	inMemory = 4 << 20 // bytes of a pipe that are kept in memory
	mostRead = 4 << 30 // bytes of a pipe that are read at all
)

// openInput opens a file to read tasks from. What cannot be read at once, such
// as a pipe, is read to its end first, for the database is locked while the tasks
// are stored. More than a little goes to a file without a name in the base path.
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
	return keep(f, inputName(path), base, inMemory, mostRead)
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

// keep reads in to its end: up to some bytes into memory, more into a file.
func keep(in io.Reader, name, base string, memory, most int64) (io.ReadSeekCloser, error) {
	var head bytes.Buffer
	n, err := io.CopyN(&head, in, memory)
	if errors.Is(err, io.EOF) {
		return inMemoryInput{bytes.NewReader(head.Bytes())}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	spool, err := newSpool(base)
	if err != nil {
		return nil, fmt.Errorf("keep %s until its end: %w", name, err)
	}
	all := io.MultiReader(&head, io.LimitReader(in, most-n+1))
	total, err := io.Copy(spool, all)
	if err == nil && total > most {
		err = fmt.Errorf("more than %d bytes came; give them as a file, or in several parts", most)
	}
	if err == nil {
		_, err = spool.Seek(0, io.SeekStart)
	}
	if err != nil {
		spool.Close()
		return nil, fmt.Errorf("keep %s until its end: %w", name, err)
	}
	return spool, nil
}

// inMemoryInput is a pipe that gave little.
type inMemoryInput struct{ *bytes.Reader }

// Close does nothing.
func (inMemoryInput) Close() error { return nil }

// newSpool makes a file in the base path that has no name any more.
func newSpool(base string) (*os.File, error) {
	if _, err := basepath.Make(base); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(base, "input-*.tmp")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}
