package taskfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/internal/words"
)

// Error says what is wrong with a file of tasks, and where. It prints as
//
//	tasks.json:12: task at index 3 ("b"): key "status": unknown status "done", want …
//
// and omits unknown parts.
type Error struct {
	File   string // as the caller named it
	Line   int    // from 1; 0: unknown
	Column int    // in bytes, from 1; 0: unknown, as in JSON but for what is no JSON
	Index  int    // of the task, from 0; -1: none
	ID     string // of the task; empty: none, or unknown
	Key    string // of the task or job; empty: none
	Msg    string
	Err    error // cause; nil: none
}

// Error returns the place, and then what is wrong.
func (e *Error) Error() string {
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
			fmt.Fprintf(&b, " (%s)", words.Quote(e.ID))
		}
		b.WriteString(": ")
	}
	if e.Key != "" {
		fmt.Fprintf(&b, "key %s: ", words.Quote(e.Key))
	}
	b.WriteString(e.Msg)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// mistake is an error about a value or a key of an object, before the object and the
// file are known.
type mistake struct {
	key string
	on  int // line; 0: that of the key's value
	err error
}

func (m *mistake) Error() string { return m.err.Error() }

// The messages for mistakes that any key can have.
var (
	errMissing = errors.New("is missing")
	errNotUTF8 = errors.New("is not valid UTF-8")
)

func alreadySet(line int) error { return fmt.Errorf("is already set on line %d", line) }

func didYouMean(known string) error {
	return fmt.Errorf("unknown key, did you mean %s?", words.Quote(known))
}

// unknownTask is the error about a dependency on a task that does not exist. Ids are
// those of the existing tasks.
func unknownTask(id string, ids []string) error {
	near := ""
	if n := words.Nearest(id, ids); n != "" {
		near = ", did you mean " + words.Quote(n) + "?"
	}
	return fmt.Errorf("there is no task %s%s", words.Quote(id), near)
}

func sameID(id string, line int) error {
	return fmt.Errorf("task id %s is already that of the task on line %d", words.Quote(id), line)
}

func dependsOnItself(id string) error {
	return fmt.Errorf("task %s depends on itself", words.Quote(id))
}

// NotAbsolute is the error about a directory that must be absolute and is not.
func NotAbsolute(dir string) error {
	return fmt.Errorf("want an absolute path, got %s", words.Quote(dir))
}

// Pointer is the JSON pointer to the place of the error, in a document in which the
// tasks are the list at this pointer; with list false, there is one task alone. A key
// that is not of a task is one of the document.
func (e *Error) Pointer(tasks string, list bool) string {
	p := ""
	if e.Index >= 0 {
		p = tasks
		if list {
			p += "/" + strconv.Itoa(e.Index)
		}
	}
	if e.Key != "" {
		p += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(e.Key)
	}
	return p
}
