package job

import "io"

// elements reads the objects of an array, or, where lines is set, also objects
// that follow each other, as in a file of JSON lines.
type elements struct {
	file  string
	in    *scanner
	lines bool
	form  form
	index int    // of the element that is being read, or was read last
	o     object // that element
	err   error  // why there are no more: io.EOF, or what was wrong
}

// form is how the objects of a stream follow each other.
type form uint8

const (
	formUnknown form = iota
	formArray
	formLines
)

func newElements(file string, r io.Reader, lines bool) elements {
	return elements{file: file, in: newScanner(r), lines: lines, index: -1}
}

// next reads the next object into e.o. It returns io.EOF when there is none,
// and goes on to return its first error.
func (e *elements) next() error {
	if e.err != nil {
		return e.err
	}
	e.err = e.advance()
	switch {
	case e.err == io.EOF:
		return io.EOF
	case e.err != nil:
		e.err = inFile(e.err, e.file, -1)
		return e.err
	}
	e.index++
	if err := e.in.object(&e.o); err != nil {
		e.err = inFile(err, e.file, e.index)
	}
	return e.err
}

// advance goes to the first byte of the next element.
func (e *elements) advance() error {
	if e.form == formUnknown {
		if err := e.begin(); err != nil {
			return err
		}
	}
	c, ok := e.in.next()
	if e.form == formLines {
		if !ok && e.in.err == io.EOF {
			return io.EOF
		}
		return nil
	}
	if c == ']' {
		return e.endArray()
	}
	if e.index < 0 {
		return nil
	}
	if c != ',' {
		return e.in.unexpected("',' or ']'")
	}
	e.in.pos++
	e.in.next()
	return nil
}

// begin finds the form of the stream.
func (e *elements) begin() error {
	e.in.skipBOM()
	want := "an array of tasks"
	if e.lines {
		want = "tasks as JSON lines or as an array"
	}
	switch c, ok := e.in.next(); {
	case c == '[':
		e.form = formArray
		e.in.pos++
	case e.lines && (c == '{' || !ok && e.in.err == io.EOF):
		e.form = formLines
	case !ok:
		return e.in.fail("the file is empty, want %s", want)
	default:
		return e.in.wrongType(want)
	}
	return nil
}

func (e *elements) endArray() error {
	e.in.pos++
	if err := e.in.end(); err != nil {
		return err
	}
	return io.EOF
}

// stop makes an error about a key of the current task the last word.
func (e *elements) stop(key string, err error) error {
	e.err = e.at(key, err)
	return e.err
}

// at places an error in the file: at the current task, and at a key of it,
// which need not be there.
func (e *elements) at(key string, err error) *FileError {
	at := &FileError{File: e.file, Index: e.index, Line: e.o.line, Key: key, Msg: err.Error()}
	for i := range e.o.members {
		m := &e.o.members[i]
		if string(m.key) == key {
			at.Line = e.o.lineOf(m)
		}
		if string(m.key) == "id" {
			at.ID, _ = e.o.value(m).text()
		}
	}
	return at
}
