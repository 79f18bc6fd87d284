// Package strictyaml reads YAML files that people write, and reports mistakes with
// file, line and key.
//
// It accepts a subset of YAML: one document whose root is a mapping with unique text
// keys, without anchors, aliases, merge keys and tags. All of JSON is accepted.
package strictyaml

import (
	"strconv"
	"strings"
)

// Error is a mistake in a file or in a setting. Its text includes the place, as far as
// it is known, for example
//
//	config.yaml:3: poll_interval: must be between 1 and 60, not 99
type Error struct {
	File string // as shown in messages; empty: the mistake is not in a file
	Line int    // first line is 1; 0: the whole file
	Key  string // path of the value, such as tasks[0].command; empty: no value
	Path []Step // the path that Key shows; nil: no value
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
