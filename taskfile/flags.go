package taskfile

import (
	"errors"

	"github.com/air-executor/air-executor/job"
)

// Flag sets the field of a key of a task to the value of a flag. Errors have the same
// messages as mistakes in files.
func Flag(name, value string, to *job.Spec) error {
	i := taskKeys.find(name)
	if i < 0 || !taskKeys[i].in.has(inFlags) {
		return errors.New("no flag is called " + name)
	}
	t := job.Task{Spec: *to}
	if err := taskKeys[i].is.read(&t, flagValue(value), inFlags); err != nil {
		return err
	}
	*to = t.Spec
	return nil
}

// HasFlag reports whether Flag can set a key.
func HasFlag(name string) bool {
	i := taskKeys.find(name)
	return i >= 0 && taskKeys[i].in.has(inFlags)
}

// Numbers calls fn with each integer attribute that a user can set for a task, and the
// name of its key.
func Numbers(s *job.Spec, fn func(name string, n int)) {
	t := job.Task{Spec: *s}
	for i := range taskKeys {
		if k, ok := taskKeys[i].is.(wholes[job.Task]); ok && taskKeys[i].in.has(inFlags) {
			fn(taskKeys[i].name, *k.field(&t))
		}
	}
}
