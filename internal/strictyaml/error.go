// Package strictyaml reads YAML files that people write, and reports every
// mistake in them with its file, line and key.
//
// It accepts less than YAML allows: one document, whose root is a mapping with
// unique text keys, without anchors, aliases, merge keys and tags. JSON is
// accepted whole.
package strictyaml

import (
	"strconv"
	"strings"
)

// Error is a mistake in a file or in a setting. Its text includes what is known
// about the place, for example
//
//	config.yaml:3: poll_interval: must be between 1 and 60, not 99
type Error struct {
	File string // as it is to be shown; empty: the mistake is in no file
	Line int    // first line is 1; 0: the whole file
	Key  string // path of the value, such as tasks[0].command; empty: no value
	Path []Step // what Key shows; nil: no value
	Msg  string
	Err  error // cause; nil: none
}

// Error returns the place and the message in one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			b.WriteString(":" + strconv.Itoa(e.Line))
		}
		b.WriteString(": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Msg)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
