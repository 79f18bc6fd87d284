package queue

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// Log is the output of one attempt: a file that may not exist yet and may still grow.
// It must be used by one goroutine only.
type Log struct {
	Job, Task string
	Attempt   int
	Status    job.Status // of the task, when the log was looked up
	Error     string     // how the attempt has failed, if it has
	Path      string     // absolute
	Offset    int64      // of the next byte to read

	base   string      // the base path
	file   *os.File    // once it was read
	packed bool        // it is compressed: file is what is read and unpacked
	is     os.FileInfo // the file that was read last, also when it is closed
	before os.FileInfo // the previous attempt's file, which has the path at first; nil: unknown
}

// LogSink receives the contents of logs.
type LogSink interface {
	// Output receives bytes of a log, which are valid until it returns.
	Output(l *Log, b []byte) error
	// Again is called before a log that was partly read is read from its beginning
	// again; what is "was cut" or "was replaced".
	Again(l *Log, what string)
}

// LogForm is the form of a log, or of a piece that was added to one.
type LogForm struct {
	Job     string     `json:"job"`
	Task    string     `json:"task"`
	Attempt int        `json:"attempt"`
	Status  job.Status `json:"status"`
	Path    string     `json:"log_path"`
	Log     *string    `json:"log"` // last, because it may be long
}

// Form returns the log as JSON, without its contents.
func (l *Log) Form() LogForm {
	return LogForm{Job: l.Job, Task: l.Task, Attempt: l.Attempt, Status: l.Status, Path: l.Path}
}

// Tail passes the last lines of a log to the sink, or all of it if lines is negative,
// and closes it. A missing log is empty.
func (l *Log) Tail(sink LogSink, lines int) error {
	defer l.Close()
	return l.Begin(sink, lines)
}

// Begin is Tail for a log that may still grow: Rest continues it, and Close ends it.
func (l *Log) Begin(sink LogSink, lines int) error {
	ok, err := l.open()
	if !ok || err != nil {
		return err
	}
	if l.packed {
		return l.unpack(sink, lines)
	}
	if lines >= 0 {
		if l.Offset, err = tailStart(l.file, lines); err != nil {
			return err
		}
	}
	return l.Rest(sink)
}

// Rest passes the contents from the offset on to the sink, and advances the offset. If
// the log is shorter than the offset, it was truncated, and is read from its beginning.
func (l *Log) Rest(sink LogSink) error {
	ok, err := l.open()
	if !ok || err != nil {
		return err
	}
	if l.packed {
		return l.unpackRest(sink)
	}
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < l.Offset {
		l.again(sink, "was cut")
	}
	const block = 64 << 10
	buf := make([]byte, min(block, max(info.Size()-l.Offset, 1)))
	for l.Offset < info.Size() {
		n, err := l.file.ReadAt(buf, l.Offset)
		if n > 0 {
			l.Offset += int64(n)
			if err := sink.Output(l, buf[:n]); err != nil {
				return err
			}
		}
		if err != nil && err != io.EOF || n == 0 {
			return ignoreEOF(err)
		}
	}
	return nil
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// Close closes the file. The log can be read on after it.
func (l *Log) Close() {
	if l.file != nil {
		l.file.Close()
		l.file, l.packed = nil, false
	}
}

// Check returns an error if the log cannot be read, for example because it is a link.
func (l *Log) Check() error {
	defer l.Close()
	_, err := l.open()
	return err
}

// open opens the file, and reports whether there is one.
func (l *Log) open() (bool, error) {
	if l.file != nil {
		return true, nil
	}
	if strings.HasSuffix(l.Path, runner.Compressed) {
		return l.openPacked()
	}
	f, err := runner.ReadLog(l.base, l.Path)
	if errors.Is(err, os.ErrNotExist) {
		return l.openPacked()
	}
	if err != nil {
		return false, err
	}
	is, err := f.Stat()
	if err != nil || l.before != nil && os.SameFile(is, l.before) {
		f.Close()
		return false, err // the runner is about to move that log away
	}
	l.file, l.is = f, is
	return true, nil
}

// again starts over with a log that was partly read.
func (l *Log) again(sink LogSink, what string) {
	sink.Again(l, what)
	l.Offset = 0
}

// replaced reports whether another file has the name of the open one.
func (l *Log) replaced() bool {
	if l.file == nil {
		return false
	}
	now, err := os.Lstat(l.Path)
	if err != nil {
		return false // a new one may be about to appear
	}
	ours, err := l.file.Stat()
	return err == nil && !os.SameFile(now, ours)
}

// settle makes sure, once the attempt has ended, that its own log was read. A follower
// may have opened the log of the previous attempt before the runner had replaced it. If
// so, the whole right one is passed to the sink.
func (l *Log) settle(sink LogSink) error {
	if l.file == nil {
		return nil
	}
	path := runner.OldLogPath(l.base, l.Job, l.Task, l.Attempt)
	now, err := os.Lstat(path)
	if err != nil { // no later attempt has moved it
		path = l.Path
		now, err = os.Lstat(path)
	}
	if err != nil || os.SameFile(now, l.is) {
		return nil
	}
	l.Close()
	l.Path = path
	l.again(sink, "was replaced")
	return l.Rest(sink)
}

// tailStart finds where the last lines begin, reading backwards in blocks.
func tailStart(f *os.File, lines int) (int64, error) {
	info, err := f.Stat()
	if err != nil || lines == 0 {
		return info.Size(), err
	}
	const most = 64 << 10
	buf := make([]byte, most)
	end := info.Size()
	for pos := end; pos > 0; {
		n := min(pos, most)
		pos -= n
		if _, err := f.ReadAt(buf[:n], pos); err != nil && err != io.EOF {
			return 0, err
		}
		for i := n - 1; i >= 0; i-- {
			// The newline at the very end closes the last line.
			if buf[i] == '\n' && pos+i != end-1 {
				if lines--; lines == 0 {
					return pos + i + 1, nil
				}
			}
		}
	}
	return 0, nil
}
