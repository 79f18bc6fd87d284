package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/job"
)

// taskLog is the log of one attempt.
type taskLog struct {
	job, task string
	attempt   int
	status    job.Status
	error     string // how the attempt has failed, if it has
	path      string
	file      *os.File // while it is followed
	read      int64    // bytes printed so far
}

// title is how the log is announced.
func (l *taskLog) title(several bool) string {
	name := l.task
	if several {
		name = l.job + "/" + name
	}
	switch {
	case l.status == job.Failed && l.error != "":
		name += " (failed: " + l.error + ")"
	case l.status == job.Failed:
		name += " (failed)"
	}
	return oneLine(name)
}

// open opens the file, and reports whether there is one.
func (l *taskLog) open() (bool, error) {
	if l.file != nil {
		return true, nil
	}
	f, err := basepath.Open(l.path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	l.file = f
	return err == nil, err
}

func (l *taskLog) close() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// replaced reports whether another file has the name of the one that is open.
func (l *taskLog) replaced() bool {
	if l.file == nil {
		return false
	}
	now, err := os.Lstat(l.path)
	if err != nil {
		return false // it may be about to be put there
	}
	ours, err := l.file.Stat()
	return err == nil && !os.SameFile(now, ours)
}

// logPrinter prints logs one after the other.
type logPrinter struct {
	out     io.Writer
	filter  *filter                      // for a terminal; nil: none
	note    func(string, ...any)         // prints a remark
	titles  bool                         // name the task whenever another one's output begins
	several bool                         // with its job
	last    *taskLog                     // whose output came last
	broken  bool                         // and it did not end its line
	piece   func(*taskLog, []byte) error // takes the output in place of out, if set
}

// tail prints the last lines of a log.
func (p *logPrinter) tail(l *taskLog, lines tailLines) error {
	defer l.close()
	return p.begin(l, lines)
}

// begin is tail for a log that goes on.
func (p *logPrinter) begin(l *taskLog, lines tailLines) error {
	ok, err := l.open()
	if !ok || err != nil {
		return err
	}
	if lines >= 0 {
		if l.read, err = tailStart(l.file, int(lines)); err != nil {
			return err
		}
	}
	return p.rest(l)
}

// rest prints what has been added to a log since. If it was cut, it is printed
// from its beginning.
func (p *logPrinter) rest(l *taskLog) error {
	ok, err := l.open()
	if !ok || err != nil {
		return err
	}
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < l.read {
		p.again(l, "was cut")
	}
	const block = 64 << 10
	buf := make([]byte, min(block, max(info.Size()-l.read, 1)))
	for l.read < info.Size() {
		n, err := l.file.ReadAt(buf, l.read)
		if n > 0 {
			l.read += int64(n)
			if err := p.print(l, buf[:n]); err != nil {
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

// again begins anew with a log of which another part was printed already.
func (p *logPrinter) again(l *taskLog, what string) {
	if p.note != nil {
		p.note("the log of task %q of job %q %s; it is printed from its beginning", l.task, l.job, what)
	}
	l.read = 0
}

func (p *logPrinter) print(l *taskLog, b []byte) error {
	if p.piece != nil {
		return p.piece(l, b)
	}
	if p.last != nil && p.last != l {
		if err := p.end(); err != nil {
			return err
		}
	}
	if p.titles && p.last != l {
		lead := ""
		if p.broken {
			lead = "\n"
		}
		if _, err := fmt.Fprintf(p.out, "%s==> %s <==\n", lead, l.title(p.several)); err != nil {
			return err
		}
	}
	p.last, p.broken = l, b[len(b)-1] != '\n'
	if p.filter != nil {
		b = p.filter.add(make([]byte, 0, len(b)+64), b)
	}
	_, err := p.out.Write(b)
	return err
}

// end prints what is held back.
func (p *logPrinter) end() error {
	if p.filter == nil {
		return nil
	}
	_, err := p.out.Write(p.filter.end(nil))
	return err
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
