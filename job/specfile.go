package job

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// specKeys are the keys of a task that is to be queued.
var specKeys = []string{
	"id", "command", "args", "dependencies", "priority", "timeout", "working_directory", "env",
}

// SpecReader reads tasks that are to be queued, one by one, from JSON lines or
// from an array such as a tasks.json. It holds one task at a time.
type SpecReader struct {
	in elements
}

// NewSpecReader reads tasks from r. File is its name for messages.
//
// When the first byte that is not blank is '[', r must hold an array of
// objects, else objects one after the other, each on one line or on several. A
// byte order mark at the start is skipped.
func NewSpecReader(file string, r io.Reader) *SpecReader {
	return &SpecReader{in: newElements(file, r, true)}
}

// Next returns the next task, or io.EOF after the last one. Other errors are
// of type *FileError, unless reading failed; they are final.
//
// Of the keys only command must be there. The object env becomes "KEY=VALUE"
// pairs in Env, which come on top of whatever environment the task gets. A
// status other than pending is an error: the task would run again. Other keys
// that tell of an earlier run are skipped. An unknown key that
// looks like a mistyped known one, which the task lacks, is an error. Other
// unknown keys are kept in Extra.
//
// Whether ids are unique, and dependencies known and without a cycle, is for
// the caller to find out; At makes errors for that.
func (r *SpecReader) Next() (Spec, error) {
	if err := r.in.next(); err != nil {
		return Spec{}, err
	}
	s, key, err := readSpec(&r.in.o)
	if err != nil {
		return Spec{}, r.in.stop(key, err)
	}
	return s, nil
}

// At is an error about a key of the task that Next returned last.
func (r *SpecReader) At(key string, err error) *FileError { return r.in.at(key, err) }

// readSpec reads an object. An error comes with the key it is about.
func readSpec(o *object) (s Spec, key string, err error) {
	for i := range o.members {
		m := &o.members[i]
		v := o.value(m)
		switch key = lookUp(specKeys, m.key); {
		case key == "env":
			s.Env, err = v.environment()
		case key != "":
			err = setDefinition(&s, key, v)
		case string(m.key) == "status":
			key, err = "status", checkPending(v)
		case lookUp(runKeys, m.key) == "":
			key = string(m.key)
			s.Extra = appendExtra(s.Extra, o, m)
			err = checkTypo(key, o)
		}
		if err != nil {
			return s, key, err
		}
	}
	s.Extra = endExtra(s.Extra)
	if s.Command == "" {
		return s, "command", errors.New("is missing")
	}
	return s, "dependencies", checkSelf(&s)
}

// checkPending refuses a status that says that the task has run.
func checkPending(v value) error {
	if v.isNull() {
		return nil
	}
	s, err := v.text()
	if err != nil || s == string(Pending) {
		return err
	}
	return fmt.Errorf("%s: only tasks that are pending can be queued; air-executor import reads tasks with their results", quote(s))
}

// environment returns an object of strings as "KEY=VALUE" pairs.
func (v value) environment() ([]string, error) {
	if v.isNull() {
		return nil, nil
	}
	if v[0] != '{' {
		return nil, v.not("an object of strings")
	}
	var o object
	if err := scanObject(v, &o); err != nil {
		return nil, inEnvironment(err)
	}
	var env []string
	for i := range o.members {
		name := string(o.members[i].key)
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return nil, fmt.Errorf("%s cannot be the name of a variable", quote(name))
		}
		text, err := o.value(&o.members[i]).text()
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", quote(name), err)
		}
		env = append(env, name+"="+text)
	}
	return env, nil
}

// inEnvironment words the one error that a valid object can still have.
func inEnvironment(err error) error {
	var at *FileError
	if errors.As(err, &at) {
		return fmt.Errorf("variable %s: %s", quote(at.Key), at.Msg)
	}
	return err
}
