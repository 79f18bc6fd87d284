package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// logPrinter is a queue.LogSink that prints logs one after the other.
type logPrinter struct {
	out     io.Writer
	filter  *filter                        // for a terminal; nil: none
	note    func(string, ...any)           // prints a remark
	titles  bool                           // name the task whenever another one's output begins
	several bool                           // with its job
	prefix  bool                           // begin each line with that name; the output comes in whole lines
	last    *queue.Log                     // whose output came last
	broken  bool                           // it did not end with a newline
	piece   func(*queue.Log, []byte) error // takes the output in place of out, if set
}

// Again reports that a log is printed again.
func (p *logPrinter) Again(l *queue.Log, what string) {
	if p.note != nil {
		p.note("the log of task %q of job %q %s; it is printed from its beginning", l.Task, l.Job, what)
	}
}

// Output prints what a task has written, below its name if that is wanted.
func (p *logPrinter) Output(l *queue.Log, b []byte) error {
	if p.piece != nil {
		return p.piece(l, b)
	}
	if p.prefix {
		return p.prefixed(l, b)
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
		if _, err := fmt.Fprintf(p.out, "%s==> %s <==\n", lead, logTitle(l, p.several)); err != nil {
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

// prefixed prints lines with the name of their task.
func (p *logPrinter) prefixed(l *queue.Log, b []byte) error {
	name := l.Task
	if p.several {
		name = l.Job + "/" + name
	}
	name = oneLine(name) + ": "
	var out []byte
	for line := range bytes.Lines(b) {
		out = append(out, name...)
		line = bytes.TrimSuffix(line, []byte("\n"))
		if p.filter != nil {
			out = p.filter.end(p.filter.add(out, line))
		} else {
			out = append(out, line...)
		}
		out = append(out, '\n')
	}
	_, err := p.out.Write(out)
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

// logTitle returns the heading of a log.
func logTitle(l *queue.Log, several bool) string {
	name := l.Task
	if several {
		name = l.Job + "/" + name
	}
	switch {
	case l.Status == job.Failed && l.Error != "":
		name += " (failed: " + l.Error + ")"
	case l.Status == job.Failed:
		name += " (failed)"
	}
	return oneLine(name)
}
