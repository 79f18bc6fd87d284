package job

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep the arrays and objects of a value may be nested.
const maxDepth = 1000

// scanner reads JSON values from a stream and checks every byte of them, by
// the grammar of RFC 8259. Beyond that it refuses what has no one meaning:
// strings that are not valid UTF-8, lone surrogates, and, in the objects that
// it takes apart, keys that occur twice. It holds one value at a time.
//
// encoding/json is not used because it lets all of these pass, replaces bytes
// silently, and cannot say on which line it is.
type scanner struct {
	r    io.Reader
	err  error  // why r has no more: io.EOF, or what it reported
	buf  []byte // what was read and may still be needed
	pos  int    // of the next byte in buf
	held int    // where the value that must stay in buf begins; -1: none

	base      int // offset of buf[0] in the stream
	line      int // from 1
	lineStart int // offset of the line in the stream
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, 0, 64<<10), held: -1, line: 1}
}

// scanBytes returns a scanner for what is in memory.
func scanBytes(data []byte) *scanner {
	return &scanner{buf: data, err: io.EOF, held: -1, line: 1}
}

// skipBOM skips a byte order mark at the start of the stream.
func (s *scanner) skipBOM() {
	const bom = "\xef\xbb\xbf"
	if s.have(len(bom)) && string(s.buf[:len(bom)]) == bom {
		s.pos = len(bom)
		s.lineStart = len(bom)
	}
}

// end checks that nothing but blanks follows.
func (s *scanner) end() error {
	if _, ok := s.next(); ok || s.err != io.EOF {
		return s.unexpected("the end of the file")
	}
	return nil
}

// value passes over any value. Depth is that of what surrounds it.
func (s *scanner) value(depth int) error {
	c, _ := s.next()
	switch c {
	case '{':
		return s.members(depth+1, nil)
	case '[':
		return s.array(depth + 1)
	case '"':
		return s.str()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number()
	}
	return s.unexpected("a value")
}

// members passes over an object, and notes its members if into is not nil.
func (s *scanner) members(depth int, into *[]member) error {
	if depth > maxDepth {
		return s.fail("arrays and objects are nested deeper than %d", maxDepth)
	}
	s.pos++
	c, _ := s.next()
	if c == '}' {
		s.pos++
		return nil
	}
	for {
		var m member
		if c != '"' {
			return s.unexpected("a key in double quotes")
		}
		m.keyFrom = s.pos - s.held
		if err := s.str(); err != nil {
			return err
		}
		m.keyTo = s.pos - s.held
		if c, _ = s.next(); c != ':' {
			return s.unexpected("':'")
		}
		s.pos++
		s.next()
		m.from = s.pos - s.held
		if err := s.value(depth); err != nil {
			return err
		}
		m.to = s.pos - s.held
		if into != nil {
			*into = append(*into, m)
		}
		switch c, _ = s.next(); c {
		case ',':
			s.pos++
			c, _ = s.next()
		case '}':
			s.pos++
			return nil
		default:
			return s.unexpected("',' or '}'")
		}
	}
}

// array passes over an array.
func (s *scanner) array(depth int) error {
	if depth > maxDepth {
		return s.fail("arrays and objects are nested deeper than %d", maxDepth)
	}
	s.pos++
	if c, _ := s.next(); c == ']' {
		s.pos++
		return nil
	}
	for {
		if err := s.value(depth); err != nil {
			return err
		}
		switch c, _ := s.next(); c {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return nil
		default:
			return s.unexpected("',' or ']'")
		}
	}
}

// str passes over a string.
func (s *scanner) str() error {
	s.pos++
	for {
		i, buf := s.pos, s.buf
		for i < len(buf) && buf[i] >= ' ' && buf[i] != '"' && buf[i] != '\\' && buf[i] < utf8.RuneSelf {
			i++
		}
		s.pos = i
		c, ok := s.peek()
		switch {
		case !ok:
			return s.unexpected("'\"'")
		case c == '"':
			s.pos++
			return nil
		case c < ' ':
			return s.fail("a string contains the control character 0x%02x; write it as an escape", c)
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c >= utf8.RuneSelf:
			if err := s.wide(); err != nil {
				return err
			}
		}
	}
}

// wide passes over a character of more than one byte.
func (s *scanner) wide() error {
	for !utf8.FullRune(s.buf[s.pos:]) && s.more() {
	}
	_, size := utf8.DecodeRune(s.buf[s.pos:])
	if size == 1 {
		return s.fail("a string is not valid UTF-8: byte 0x%02x", s.buf[s.pos])
	}
	s.pos += size
	return nil
}

// escape passes over an escape in a string.
func (s *scanner) escape() error {
	if !s.have(2) {
		s.pos = len(s.buf)
		return s.unexpected("an escape such as \\n")
	}
	if c := s.buf[s.pos+1]; c != 'u' {
		if _, ok := escapes(c); !ok {
			s.pos++
			return s.unexpected("an escape such as \\n or \\u00e9")
		}
		s.pos += 2
		return nil
	}
	first, ok := s.unit()
	if !ok {
		return s.fail("an escape \\u wants four hexadecimal digits")
	}
	if !utf16.IsSurrogate(first) {
		s.pos += unitBytes
		return nil
	}
	s.pos += unitBytes
	if second, ok := s.unit(); !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
		s.pos -= unitBytes
		return s.fail("a string contains the lone surrogate \\u%04x", first)
	}
	s.pos += unitBytes
	return nil
}

// unitBytes is the length of an escape such as \u00e9.
const unitBytes = 6

// unit returns what the escape \uXXXX at the next byte stands for.
func (s *scanner) unit() (rune, bool) {
	if !s.have(unitBytes) {
		return 0, false
	}
	return unit(s.buf[s.pos:])
}

func (s *scanner) literal(word string) error {
	if !s.have(len(word)) || string(s.buf[s.pos:s.pos+len(word)]) != word {
		return s.unexpected("a value")
	}
	s.pos += len(word)
	return nil
}

// number passes over a number: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (s *scanner) number() error {
	if s.buf[s.pos] == '-' {
		s.pos++
	}
	if c, _ := s.peek(); c == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	if c, _ := s.peek(); c == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if c, _ := s.peek(); c != 'e' && c != 'E' {
		return nil
	}
	s.pos++
	if c, _ := s.peek(); c == '+' || c == '-' {
		s.pos++
	}
	return s.digits()
}

// digits passes over one or more digits.
func (s *scanner) digits() error {
	for n := 0; ; n++ {
		if c, _ := s.peek(); c < '0' || c > '9' {
			if n == 0 {
				return s.unexpected("a digit")
			}
			return nil
		}
		s.pos++
	}
}

// next skips blanks and returns the byte after them, without passing over it.
// At the end of the stream ok is false and the byte 0, which JSON has no use
// for.
func (s *scanner) next() (c byte, ok bool) {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			switch s.buf[s.pos] {
			case '\n':
				s.line++
				s.lineStart = s.base + s.pos + 1
			case ' ', '\t', '\r':
			default:
				return s.buf[s.pos], true
			}
		}
		if !s.more() {
			return 0, false
		}
	}
}

// peek returns the next byte without passing over it.
func (s *scanner) peek() (c byte, ok bool) {
	if s.pos < len(s.buf) || s.more() {
		return s.buf[s.pos], true
	}
	return 0, false
}

// have reports whether n more bytes follow, and brings them into the buffer.
func (s *scanner) have(n int) bool {
	for len(s.buf)-s.pos < n {
		if !s.more() {
			return false
		}
	}
	return true
}

// more reads on, and reports whether there was anything. The buffer keeps the
// value that is held, and grows with it.
func (s *scanner) more() bool {
	if s.err != nil {
		return false
	}
	if len(s.buf) == cap(s.buf) {
		s.makeRoom()
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		s.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// makeRoom drops what is no longer needed from a full buffer, and makes a
// larger one if most of it is.
func (s *scanner) makeRoom() {
	drop := s.pos
	if s.held >= 0 {
		drop = s.held
		s.held = 0
	}
	rest := s.buf[drop:]
	if len(rest) > cap(s.buf)/2 {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), rest...)
	} else {
		s.buf = s.buf[:copy(s.buf, rest)]
	}
	s.pos -= drop
	s.base += drop
}

// unexpected is the error for a next byte that is not what was wanted.
func (s *scanner) unexpected(want string) error {
	c, ok := s.peek()
	switch {
	case !ok:
		return s.fail("unexpected end of the file, want %s", want)
	case c < utf8.RuneSelf:
		return s.fail("unexpected %s, want %s", strconv.QuoteRune(rune(c)), want)
	}
	for !utf8.FullRune(s.buf[s.pos:]) && s.more() {
	}
	if r, size := utf8.DecodeRune(s.buf[s.pos:]); size > 1 {
		return s.fail("unexpected %s, want %s", strconv.QuoteRune(r), want)
	}
	return s.fail("unexpected byte 0x%02x, want %s", c, want)
}

// wrongType is the error for a value of another type than the wanted one, or
// for what is no value.
func (s *scanner) wrongType(want string) error {
	c, _ := s.next()
	word := ""
	switch c {
	case '{', '[', '"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		word = string(c)
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	}
	if word == "" || !s.have(len(word)) || string(s.buf[s.pos:s.pos+len(word)]) != word {
		return s.unexpected(want)
	}
	return s.fail("want %s, got %s", want, value(word).kind())
}

// fail is an error at the next byte; but if reading failed, that is the error.
func (s *scanner) fail(format string, args ...any) error {
	if s.err != nil && s.err != io.EOF {
		return s.err
	}
	return &FileError{
		Index:  -1,
		Line:   s.line,
		Column: s.base + s.pos - s.lineStart + 1,
		Msg:    fmt.Sprintf(format, args...),
	}
}

// inFile completes an error of a scanner with what its caller knows.
func inFile(err error, file string, index int) error {
	var at *FileError
	if errors.As(err, &at) {
		at.File = file
		at.Index = index
		return at
	}
	return fmt.Errorf("read %s: %w", file, err)
}
