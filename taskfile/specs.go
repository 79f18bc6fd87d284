package taskfile

import (
	"io"

	"github.com/air-executor/air-executor/job"
)

// SpecReader reads tasks to be queued, one by one, from JSON lines or from an array
// such as a tasks.json. It holds one task at a time.
type SpecReader struct {
	in   stream
	task job.Task // the current one
}

// NewSpecReader reads tasks from r. File is its name for messages.
//
// If the first non-blank byte is '[', r must contain an array of objects, otherwise a
// sequence of objects, each on one or more lines. A byte order mark at the start is
// skipped.
func NewSpecReader(file string, r io.Reader) *SpecReader {
	return &SpecReader{in: newStream(file, r, arrayOrLines, "tasks as JSON lines or as an array")}
}

// Next returns the next task, or io.EOF after the last one. Other errors are
// of type *Error, unless reading failed; they are final.
//
// Only the key command is required. The object env becomes "KEY=VALUE" pairs in Env,
// which are added to the environment that the task gets. A status other than pending is
// an error, because the task would run again. Other keys about an earlier run are
// skipped. Unknown keys are an error, because they would be lost.
//
// The caller must check that ids are unique, and that dependencies exist and form no
// cycle; At and Again make errors for that.
func (r *SpecReader) Next() (job.Spec, error) {
	if err := r.in.next(); err != nil {
		return job.Spec{}, err
	}
	t := &r.task
	*t = job.Task{}
	_, err := taskKeys.object(&r.in.o, inLines, t)
	if err == nil {
		err = checkNew(&t.Spec)
	}
	if err == nil && t.RunIf == job.RunOnFailure && len(t.Dependencies)+len(t.AfterAny) == 0 {
		err = &mistake{key: "run_if", err: errNoneToFail}
	}
	if err != nil {
		return job.Spec{}, r.in.placed(err)
	}
	return t.Spec, nil
}

// At returns an error about a key of the task that Next returned last.
func (r *SpecReader) At(key string, err error) *Error { return r.in.at(key, err) }
