package taskfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
)

// The texts of a job file are templates: {{ name }} stands for a parameter or, in a
// task with foreach, for its item. {{{{ is two braces. What begins with {{. belongs to
// other programs, such as docker --format, and stays as it is.
const (
	open   = "{{"
	shut   = "}}"
	itemIs = "item"  // the item of foreach
	nthIs  = "index" // its number, from 1
)

// scope is what names stand for.
type scope map[string]string

// with returns a scope that has the names of an item too.
func (s scope) with(item string, nth int) scope {
	out := scope{itemIs: item, nthIs: fmt.Sprint(nth)}
	for name, value := range s {
		out[name] = value
	}
	return out
}

// badTemplate is a mistake in a template.
type badTemplate struct {
	nth int // which of the opening braces of the text it is at, from 0
	err error
}

func (b *badTemplate) Error() string { return b.err.Error() }

// fill returns a text with the names in it replaced. Errors are *badTemplate.
func (s scope) fill(text string) (string, error) {
	if !strings.Contains(text, open) {
		return text, nil
	}
	var b strings.Builder
	for nth := 0; ; nth++ {
		before, rest, found := strings.Cut(text, open)
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), nil
		case strings.HasPrefix(rest, open):
			b.WriteString(open)
			text = rest[len(open):]
			nth++ // these were two
			continue
		case strings.HasPrefix(strings.TrimLeft(rest, " -"), "."):
			b.WriteString(open)
			text = rest
			continue
		}
		name, after, closed := strings.Cut(rest, shut)
		if !closed {
			return "", &badTemplate{nth, errors.New("{{ has no }} after it; two braces are written {{{{")}
		}
		value, err := s.value(strings.TrimSpace(name))
		if err != nil {
			return "", &badTemplate{nth, err}
		}
		b.WriteString(value)
		text = after
	}
}

// value is what a name stands for.
func (s scope) value(name string) (string, error) {
	if value, ok := s[name]; ok {
		return value, nil
	}
	switch {
	case !isName(name):
		return "", fmt.Errorf("{{ %s }} has no name in it, want one such as {{ day }}; two braces are written {{{{", words.Clip(name))
	case name == itemIs || name == nthIs:
		return "", fmt.Errorf("{{ %s }} has a meaning only in a task with foreach", name)
	}
	known := make([]string, 0, len(s))
	for n := range s {
		known = append(known, n)
	}
	if near := words.Nearest(name, known); near != "" {
		return "", fmt.Errorf("nothing is called %s, did you mean %s?", words.Quote(name), words.Quote(near))
	}
	return "", fmt.Errorf("nothing is called %s; parameters: declares names, and two braces are written {{{{", words.Quote(name))
}

// isName reports whether a text can be the name of a parameter: letters, digits, _
// and -, with a letter first.
func isName(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	if !unicode.IsLetter(first) {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' {
			return false
		}
	}
	return true
}

// rewrite fills the templates in a value of the file. An error has line and column.
func (r *jobReader) rewrite(v strictyaml.Value, s scope) (strictyaml.Value, error) {
	return v.Rewrite(func(v strictyaml.Value) (string, error) {
		out, err := s.fill(v.Raw())
		if bad := (*badTemplate)(nil); errors.As(err, &bad) {
			return "", r.misplaced(v, bad)
		}
		return out, err
	})
}

// misplaced is the error for a template, with its place in the file.
func (r *jobReader) misplaced(v strictyaml.Value, bad *badTemplate) error {
	e := &Error{File: r.shown, Index: -1, Msg: bad.err.Error(), Err: bad.err}
	r.place(e, &strictyaml.Error{Line: v.Line(), Path: v.Path(), Msg: e.Msg})
	e.Line, e.Column = findOpen(r.data, v.Line(), v.Column(), bad.nth)
	return e
}

// findOpen is the place of the opening braces with a number, of those from a line and
// a column on; the column is in characters, the one that is returned in bytes.
func findOpen(data []byte, line, column, nth int) (int, int) {
	text := string(data)
	at := offsetOf(text, line, column)
	if at < 0 {
		return line, 0
	}
	for ; ; nth-- {
		i := strings.Index(text[at:], open)
		if i < 0 {
			return line, 0
		}
		at += i
		if nth == 0 {
			break
		}
		at += len(open)
	}
	return 1 + strings.Count(text[:at], "\n"), at - strings.LastIndexByte(text[:at], '\n')
}

// offsetOf is where a line and a column of a text begin, both from 1 and the column in
// characters. -1: there is no such line.
func offsetOf(text string, line, column int) int {
	at := 0
	for n := 1; n < line; n++ {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	for n := 1; n < column && at < len(text); n++ {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// byteColumn makes a column in characters one in bytes. Column 0 is where the text of the line
// begins.
func byteColumn(data []byte, line, column int) int {
	text := string(data)
	begin := offsetOf(text, line, 1)
	switch {
	case line == 0 || begin < 0:
		return 0
	case column == 0:
		rest, _, _ := strings.Cut(text[begin:], "\n")
		return 1 + len(rest) - len(strings.TrimLeft(rest, " \t"))
	}
	return 1 + offsetOf(text, line, column) - begin
}
