package taskfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// TaskReader reads the tasks of a tasks.json one by one. It checks each task and, at
// the end, the whole file: ids must be unique, and dependencies must not form a cycle.
// A dependency on a task that is not in the file is allowed, and so is one on a later
// task. It holds one task at a time, and the ids and dependencies of all.
type TaskReader struct {
	in      stream
	job     string
	graph   graph
	remarks []Remark
}

// Remark is something unusual but harmless in a file: what it is, where it occurred
// first, and how many more there are.
type Remark struct {
	First *Error
	More  int
}

// String returns the text of the remark.
func (r Remark) String() string {
	if r.More == 0 {
		return r.First.Error()
	}
	return fmt.Sprintf("%s; and %d more like it", r.First, r.More)
}

// Remarks returns what was unusual in the tasks so far, one remark of each kind.
func (r *TaskReader) Remarks() []Remark { return r.remarks }

// remark records something unusual about a key of the current task.
func (r *TaskReader) remark(key, text string) {
	for i := range r.remarks {
		if r.remarks[i].First.Key == key {
			r.remarks[i].More++
			return
		}
	}
	r.remarks = append(r.remarks, Remark{First: r.in.at(key, errors.New(text))})
}

// NewTaskReader reads the tasks of the named job from r. File is the name of the file
// in messages. If name is empty, the job is the first job_name in the file that is not
// empty.
func NewTaskReader(file, name string, r io.Reader) *TaskReader {
	return &TaskReader{in: newStream(file, r, onlyArray, "an array of tasks"), job: name}
}

// Next returns the next task, or io.EOF after the last one; io.EOF also means that the
// whole file is valid. Other errors are of type *Error, unless reading failed; they are
// final.
//
// The keys id and command are required. A key that is null counts as missing. A task
// without a status is pending, and one with another job's job_name still belongs to
// this job, as in the tool that introduced these files; Remarks tells about both. A
// failed task without a reason gets the reason Imported. Keys of other tools are kept
// in Extra.
func (r *TaskReader) Next() (job.Task, error) {
	if err := r.in.next(); err != nil {
		if err == io.EOF {
			err = r.end()
		}
		return job.Task{}, err
	}
	t, err := r.task()
	if err == nil {
		err = r.graph.add(r.place(), &t.Spec)
	}
	if err != nil {
		return job.Task{}, r.in.placed(err)
	}
	return t, nil
}

// place returns the place of the current task in the file.
func (r *TaskReader) place() graphTask {
	p := graphTask{index: r.in.index, own: r.in.o.line()}
	p.line, p.anyLine = p.own, p.own
	if i := r.in.o.find("dependencies"); i >= 0 {
		p.line = r.in.o.value(i).line()
	}
	if i := r.in.o.find("after_any"); i >= 0 {
		p.anyLine = r.in.o.value(i).line()
	}
	return p
}

// At returns an error about a key of the task that Next returned last.
func (r *TaskReader) At(key string, err error) *Error { return r.in.at(key, err) }

// end makes the checks that need the whole file.
func (r *TaskReader) end() error {
	err := r.graph.cycle(r.in.file)
	r.graph = graph{}
	if err == nil {
		return io.EOF
	}
	r.in.err = err
	return err
}

// task reads the current object.
func (r *TaskReader) task() (t job.Task, err error) {
	if t.Extra, err = taskKeys.object(&r.in.o, inTasks, &t); err != nil {
		return t, err
	}
	if err := r.belongs(&t); err != nil {
		return t, err
	}
	if err := checkSelf(&t.Spec); err != nil {
		return t, err
	}
	if t.Status == "" {
		t.Status = job.Pending
		r.remark("status", "is missing; the task counts as pending")
	}
	switch {
	case t.Status != job.Failed && t.Reason != "":
		err = &mistake{key: "reason", err: fmt.Errorf("a task that is %s has no reason for a failure", t.Status)}
	case t.Status == job.Failed && t.Reason == "":
		t.Reason = job.Imported
	}
	return t, err
}

// belongs checks a task's job_name, or takes the job's name from it.
func (r *TaskReader) belongs(t *job.Task) error {
	switch name := t.Job; {
	case name == "" || name == r.job:
	case r.job != "":
		r.remark("job_name", fmt.Sprintf("%s is another job than %s, to which the task is added", words.Quote(name), words.Quote(r.job)))
	default:
		r.job = name
		if err := job.CheckName(name); err != nil {
			return &mistake{key: "job_name", err: err}
		}
	}
	t.Job = r.job
	return nil
}

// checkNew is checkSelf for a task that somebody has written.
func checkNew(s *job.Spec) error {
	switch err := s.Retry.Check(); {
	case errors.Is(err, job.ErrBothFailures):
		return &mistake{key: "no_retry_on", err: err}
	case err != nil:
		return &mistake{key: "retry_max_delay", err: err}
	}
	return checkSelf(s)
}

func checkSelf(s *job.Spec) error {
	if s.Delay > 0 && !s.Due.IsZero() {
		return &mistake{key: "at", err: errors.New("does not go with delay")}
	}
	for _, d := range s.Dependencies {
		if d == s.ID && d != "" {
			return &mistake{key: "dependencies", err: dependsOnItself(d)}
		}
	}
	for _, d := range s.AfterAny {
		if d == s.ID && d != "" {
			return &mistake{key: "after_any", err: dependsOnItself(d)}
		}
	}
	return nil
}

// ParseTasks reads a whole tasks.json; see TaskReader for what is checked. The tasks
// belong to the given job, unless it is empty.
func ParseTasks(file, name string, data []byte) ([]job.Task, error) {
	return readTasks(NewTaskReader(file, name, bytes.NewReader(data)))
}

func readTasks(r *TaskReader) (tasks []job.Task, err error) {
	for {
		t, err := r.Next()
		if err == io.EOF {
			return tasks, nil
		}
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
}
