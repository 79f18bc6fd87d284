package queue

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/air-executor/air-executor/runner"
)

// A log that was compressed does not grow any more. It is read from its beginning,
// and never unpacked into a file: it may be larger than the disk has room for.

// openPacked opens the log where it is once it is compressed, and reports whether it
// is there.
func (l *Log) openPacked() (bool, error) {
	path := l.Path
	if !strings.HasSuffix(path, runner.Compressed) {
		path = runner.CompressedLogPath(l.base, l.Job, l.Task, l.Attempt)
	}
	f, err := runner.ReadLog(l.base, path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	is, err := f.Stat()
	if err != nil {
		f.Close()
		return false, err
	}
	l.file, l.is, l.packed, l.Path = f, is, true, path
	return true, nil
}

// unpack gives the last lines to the sink, or all for a negative number.
func (l *Log) unpack(sink LogSink, lines int) error {
	l.Offset = 0
	if lines >= 0 {
		start, err := l.packedTail(lines)
		if err != nil {
			return err
		}
		l.Offset = start
	}
	return l.unpackRest(sink)
}

// unpackRest gives the sink what comes from the offset on.
func (l *Log) unpackRest(sink LogSink) error {
	r, err := l.unpacked()
	if err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, r, l.Offset); err != nil {
		return l.broken(ignoreEOF(err))
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			l.Offset += int64(n)
			if err := sink.Output(l, buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return l.broken(ignoreEOF(err))
		}
	}
}

// packedTail finds where the last lines begin. It remembers the beginnings of so many
// lines, of which the oldest is forgotten first.
func (l *Log) packedTail(lines int) (int64, error) {
	r, err := l.unpacked()
	if err != nil {
		return 0, err
	}
	var at int64
	buf := make([]byte, 64<<10)
	fresh := true      // the next byte begins a line
	var begins []int64 // of lines, as many as are wanted
	for {
		n, err := r.Read(buf)
		for i, b := range buf[:n] {
			if fresh {
				begins = append(begins, at+int64(i))
				if len(begins) > 2*lines+64 {
					begins = append(begins[:0], begins[len(begins)-lines:]...)
				}
			}
			fresh = b == '\n'
		}
		at += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, l.broken(err)
		}
	}
	switch {
	case lines == 0:
		return at, nil
	case len(begins) <= lines:
		return 0, nil
	}
	return begins[len(begins)-lines], nil
}

// unpacked reads the log from its beginning.
func (l *Log) unpacked() (io.Reader, error) {
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(l.file)
	return r, l.broken(err)
}

func (l *Log) broken(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s cannot be unpacked: %w", l.Path, err)
}
