package taskfile

import (
	"errors"

	"github.com/air-executor/air-executor/job"
)

// Flag sets what a key of a task stands for, as the value of a flag says it. Errors
// are the sentences for the same mistakes in files.
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
