package taskfile

import (
	"io"

	"github.com/air-executor/air-executor/job"
)

// SpecReader reads tasks that are to be queued, one by one, from JSON lines or
// from an array such as a tasks.json. It holds one task at a time.
type SpecReader struct {
	in   stream
	task job.Task // the current one
}

// NewSpecReader reads tasks from r. File is its name for messages.
//
// When the first byte that is not blank is '[', r must hold an array of
// objects, else objects one after the other, each on one line or on several. A
// byte order mark at the start is skipped.
func NewSpecReader(file string, r io.Reader) *SpecReader {
	return &SpecReader{in: newStream(file, r, arrayOrLines, "tasks as JSON lines or as an array")}
}

// Next returns the next task, or io.EOF after the last one. Other errors are
// of type *Error, unless reading failed; they are final.
//
// Of the keys only command must be there. The object env becomes "KEY=VALUE"
// pairs in Env, which come on top of whatever environment the task gets. A
// status other than pending is an error: the task would run again. Other keys
// that tell of an earlier run are skipped. Unknown keys are an error: what they
// say would be lost.
//
// Whether ids are unique, and dependencies known and without a cycle, is for
// the caller to find out; At and Places make errors for that.
func (r *SpecReader) Next() (job.Spec, error) {
	if err := r.in.next(); err != nil {
		return job.Spec{}, err
	}
	t := &r.task
	*t = job.Task{}
	_, err := taskKeys.object(&r.in.o, inLines, t)
	if err == nil {
		err = checkSelf(&t.Spec)
	}
	if err != nil {
		return job.Spec{}, r.in.placed(err)
	}
	return t.Spec, nil
}

// At is an error about a key of the task that Next returned last.
func (r *SpecReader) At(key string, err error) *Error { return r.in.at(key, err) }
