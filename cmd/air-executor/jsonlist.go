package main

import (
	"bufio"
	"io"
)

// jsonList writes the elements of an array as they come, for they may be many.
type jsonList struct {
	out     *bufio.Writer
	margin  string // of the line that the array ends on; elements are indented by two more
	indent  string // within an element; empty: each is one line
	started bool
}

// newJSONList writes what comes before the first element, with the [ of the array.
func newJSONList(out io.Writer, before []byte, margin, indent string) *jsonList {
	l := &jsonList{out: bufio.NewWriterSize(out, 64<<10), margin: margin, indent: indent}
	l.out.Write(before)
	return l
}

// add writes one more element.
func (l *jsonList) add(v any) error {
	b, err := marshalJSON(v, l.margin+"  ", l.indent)
	if err != nil {
		return err
	}
	if l.started {
		l.out.WriteByte(',')
	}
	l.started = true
	io.WriteString(l.out, "\n"+l.margin+"  ")
	_, err = l.out.Write(b)
	return err
}

// end writes the end of the array, and what comes after it.
func (l *jsonList) end(after string) error {
	if l.started {
		io.WriteString(l.out, "\n"+l.margin)
	}
	io.WriteString(l.out, "]"+after)
	return l.out.Flush() // it remembers the first error
}
