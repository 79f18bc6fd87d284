package job

import (
	"fmt"
	"strconv"
	"strings"
)

// FileError says what is wrong with a file of tasks or a state.json, and where.
// It prints as
//
//	tasks.json:12: task at index 3 ("b"): key "status": unknown status "done", want …
//
// and leaves out what is not known.
type FileError struct {
	File   string // as the caller named it
	Index  int    // of the task, from 0; -1: none
	ID     string // of the task; empty: none, or not known
	Line   int    // from 1; 0: not known
	Column int    // in bytes, from 1; only where the JSON itself is wrong
	Key    string // of the task or job; empty: none
	Msg    string
}

// Error names the place, and then what is wrong.
func (e *FileError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	b.WriteString(": ")
	if e.Index >= 0 {
		fmt.Fprintf(&b, "task at index %d", e.Index)
		if e.ID != "" {
			fmt.Fprintf(&b, " (%s)", quote(e.ID))
		}
		b.WriteString(": ")
	}
	if e.Key != "" {
		fmt.Fprintf(&b, "key %s: ", quote(e.Key))
	}
	b.WriteString(e.Msg)
	return b.String()
}

// quote puts a string from a file into a message, shortened if it is long.
func quote(s string) string {
	short := clip(s)
	if len(short) < len(s) {
		return strconv.Quote(short) + "…"
	}
	return strconv.Quote(s)
}

// oneOf checks that a word is in a list of which there are several.
func oneOf[T ~string](what, word string, list []T) (T, error) {
	var want strings.Builder
	for i, w := range list {
		if string(w) == word {
			return w, nil
		}
		switch {
		case i == len(list)-1:
			want.WriteString(" or ")
		case i > 0:
			want.WriteString(", ")
		}
		want.WriteString(string(w))
	}
	return "", fmt.Errorf("unknown %s %s, want %s", what, quote(word), want.String())
}
