package taskfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// stream reads the objects of an array, or a sequence of objects, as in a file of JSON
// lines. It holds one at a time.
type stream struct {
	file   string
	want   string // what the file should contain
	layout layout
	lines  *lines
	dec    *jsontext.Decoder
	index  int     // of the element being read, or read last
	o      members // that element
	err    error   // why there are no more: io.EOF, or the first error

	inner   *jsontext.Decoder // parses what dec has read
	part    bytes.Buffer      // its input
	scratch []byte
	item    jsonValue // an element of a list
}

// layout is the layout of a stream.
type layout uint8

const (
	arrayOrLines layout = iota // decided by the first byte
	onlyArray                  // an array that has not begun
	inArray
	inSequence
)

// lenient allows duplicate keys: in our own objects, a check that knows the lines finds
// them, and in other tools' values they are not our concern.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true)}

func newStream(file string, r io.Reader, l layout, want string) stream {
	in := newLines(r)
	return stream{file: file, want: want, layout: l, lines: in, dec: jsontext.NewDecoder(in, lenient...), index: -1}
}

// next reads the next object into s.o. It returns io.EOF if there is none. Once it has
// failed, it always returns the same error.
func (s *stream) next() error {
	if s.err == nil {
		s.err = s.advance()
	}
	return s.err
}

func (s *stream) advance() error {
	if s.layout < inArray {
		if err := s.begin(); err != nil {
			return err
		}
	}
	if s.layout == inArray && s.dec.PeekKind() == ']' {
		if _, err := s.dec.ReadToken(); err != nil {
			return s.wrong(err)
		}
		return s.end("the array")
	}
	s.index++
	err := s.object()
	if err == io.EOF {
		s.index--
	}
	return err
}

// begin detects the layout of the stream.
func (s *stream) begin() error {
	switch k := s.dec.PeekKind(); {
	case k == '[':
		s.layout = inArray
		_, err := s.dec.ReadToken()
		return err
	case s.layout == arrayOrLines && k == '{':
		s.layout = inSequence
		return nil
	case k == '{':
		return s.fail(s.dec.InputOffset(), "want %s, got %s", s.want, object)
	}
	v, err := s.dec.ReadValue()
	switch {
	case err == io.EOF && s.layout == arrayOrLines:
		return io.EOF
	case err == io.EOF:
		return s.fail(s.lines.read, "the file is empty, want %s", s.want)
	case err != nil:
		return s.wrong(err)
	}
	return s.fail(s.dec.InputOffset()-int64(len(v)), "want %s, got %s", s.want, jsonKind(v.Kind()))
}

// end checks that nothing follows the expected content.
func (s *stream) end(what string) error {
	s.index = -1
	if s.dec.PeekKind() == 0 {
		_, err := s.dec.ReadToken()
		if err == io.EOF {
			return err
		}
		return s.wrong(err)
	}
	at := s.dec.InputOffset()
	if v, err := s.dec.ReadValue(); err == nil {
		at = s.dec.InputOffset() - int64(len(v))
	}
	return s.fail(at, "something follows %s", what)
}

// object reads the next value, which must be an object.
func (s *stream) object() error {
	v, err := s.dec.ReadValue()
	if err == io.EOF {
		return err
	}
	if err != nil {
		return s.wrong(err)
	}
	at := s.dec.InputOffset() - int64(len(v))
	s.lines.forget(at)
	if v.Kind() != '{' {
		return s.fail(at, "want an object, got %s", jsonKind(v.Kind()))
	}
	return s.placed(s.o.read(s, v, at))
}

// inside returns a decoder for the elements of a valid array or object. It can be used
// until the next call.
func (s *stream) inside(v jsontext.Value) *jsontext.Decoder {
	s.part = *bytes.NewBuffer(v)
	if s.inner == nil {
		s.inner = jsontext.NewDecoder(&s.part, lenient...)
	} else {
		s.inner.Reset(&s.part, lenient...)
	}
	_, _ = s.inner.ReadToken() // the bracket; an error would come up again
	return s.inner
}

// unquote returns the value of a valid JSON string.
func (s *stream) unquote(quoted []byte) string {
	s.scratch, _ = jsontext.AppendUnquote(s.scratch[:0], quoted)
	return string(s.scratch)
}

// fail returns an error at an offset.
func (s *stream) fail(offset int64, format string, args ...any) error {
	e := &Error{File: s.file, Index: s.index, Msg: fmt.Sprintf(format, args...)}
	e.Line, e.Column = s.lines.at(offset)
	return e
}

// wrong returns an error of the decoder: the JSON is invalid, or cannot be read.
func (s *stream) wrong(err error) error {
	var at *jsontext.SyntacticError
	switch {
	case s.lines.err != nil && errors.Is(err, s.lines.err):
		return fmt.Errorf("read %s: %w", s.file, s.lines.err)
	case !errors.As(err, &at):
		return fmt.Errorf("read %s: %w", s.file, err)
	}
	text := at.Err.Error()
	switch {
	case strings.Contains(text, "UTF-8"):
		line, _ := s.lines.at(at.ByteOffset)
		key, part := s.keyOf(at.JSONPointer)
		return &Error{File: s.file, Index: s.index, Line: line, Key: key, Msg: part + errNotUTF8.Error(), Err: errNotUTF8}
	case strings.Contains(text, "surrogate"):
		text = "a lone surrogate in a string"
	case at.Err == io.ErrUnexpectedEOF:
		text = "unexpected end of the file"
	}
	if s.layout < inArray {
		text += "; want " + s.want
	}
	return s.fail(at.ByteOffset, "not valid JSON: %s", text)
}

// keyOf returns the key that a JSON pointer leads to or below, and a description of the
// place below it.
func (s *stream) keyOf(p jsontext.Pointer) (key, part string) {
	tokens := slices.Collect(p.Tokens())
	if s.layout == inArray {
		tokens = tokens[min(1, len(tokens)):]
	}
	if len(tokens) == 0 {
		return "", ""
	}
	for _, token := range tokens[1:] {
		index, err := strconv.Atoi(token)
		if err != nil {
			index = -1
		}
		part += inside(tokens[0], token, index)
	}
	return tokens[0], part
}

// placed adds the place in the file to a mistake, and makes it the final error. It
// returns other errors unchanged.
func (s *stream) placed(err error) error {
	var m *mistake
	if errors.As(err, &m) {
		at := s.at(m.key, m.err)
		if m.on > 0 {
			at.Line = m.on
		}
		err = at
	}
	if err != nil {
		s.err = err
	}
	return err
}

// at returns an error at a key of the current element, even if the element lacks it.
func (s *stream) at(key string, err error) *Error {
	at := &Error{File: s.file, Index: s.index, Line: s.o.line(), Key: key, Msg: err.Error(), Err: err}
	if i := s.o.find(key); i >= 0 {
		at.Line = s.o.value(i).line()
	}
	if i := s.o.find("id"); i >= 0 && s.index >= 0 {
		at.ID, _ = s.o.value(i).text()
	}
	return at
}
