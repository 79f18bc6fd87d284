package queue

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/air-executor/air-executor/internal/basepath"
)

const (
	inMemory = 4 << 20 // bytes of an input that are kept in memory
	mostRead = 4 << 30 // bytes of an input that are read at all
)

// Spool reads an input, such as a pipe, to its end before its tasks are stored, because
// the database is locked while they are. Large inputs go to an unnamed file in the
// folder base, which is created if necessary. Errors name the input.
func Spool(in io.Reader, name, base string) (io.ReadSeekCloser, error) {
	return spool(in, name, base, inMemory, mostRead)
}

// spool reads in to its end: a few MiB into memory, more into a file.
func spool(in io.Reader, name, base string, memory, most int64) (io.ReadSeekCloser, error) {
	var head bytes.Buffer
	n, err := io.CopyN(&head, in, memory)
	if errors.Is(err, io.EOF) {
		return inMemoryInput{bytes.NewReader(head.Bytes())}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	file, err := newSpool(base)
	if err != nil {
		return nil, fmt.Errorf("keep %s until its end: %w", name, err)
	}
	all := io.MultiReader(&head, io.LimitReader(in, most-n+1))
	total, err := io.Copy(file, all)
	if err == nil && total > most {
		err = fmt.Errorf("more than %d bytes came; give them as a file, or in several parts", most)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("keep %s until its end: %w", name, err)
	}
	return file, nil
}

// inMemoryInput is a small input.
type inMemoryInput struct{ *bytes.Reader }

// Close does nothing.
func (inMemoryInput) Close() error { return nil }

// newSpool makes an unnamed file in the base path.
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
