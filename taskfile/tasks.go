package taskfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// TaskReader reads the tasks of a tasks.json one by one. It checks each task,
// and then the whole: ids must be unique, and dependencies without a cycle.
// A dependency on a task that is not in the file is fine, and so is one on a
// later task. Besides one task it holds the ids and dependencies of all.
type TaskReader struct {
	in      stream
	job     string
	graph   graph
	remarks []Remark
}

// Remark is something odd in a file that does no harm: what, where it was met
// first, and how often after that.
type Remark struct {
	First *Error
	More  int
}

// String is the remark for people.
func (r Remark) String() string {
	if r.More == 0 {
		return r.First.Error()
	}
	return fmt.Sprintf("%s; and %d more like it", r.First, r.More)
}

// Remarks returns what was odd in the tasks so far, one remark of each kind.
func (r *TaskReader) Remarks() []Remark { return r.remarks }

// remark notes something odd about a key of the current task.
func (r *TaskReader) remark(key, text string) {
	for i := range r.remarks {
		if r.remarks[i].First.Key == key {
			r.remarks[i].More++
			return
		}
	}
	r.remarks = append(r.remarks, Remark{First: r.in.at(key, errors.New(text))})
}

// NewTaskReader reads tasks of the job with a name from r. File is how messages
// call it.
// When name is empty, the job is the first job_name in the file that is not empty.
func NewTaskReader(file, name string, r io.Reader) *TaskReader {
	return &TaskReader{in: newStream(file, r, onlyArray, "an array of tasks"), job: name}
}

// Next returns the next task, or io.EOF after the last one, which is also when
// the whole file has been found to be right. Other errors are of type *Error,
// unless reading failed; they are final.
//
// The keys id and command must be there. A key that is null counts as missing.
// A task without a status is pending, and one with the job_name of another job
// belongs to this one all the same, as in the tool that wrote these files first;
// Remarks says so. A failed task that gives no reason has the reason Imported.
// Keys of other tools are kept in Extra.
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

// place is where the current task is in the file.
func (r *TaskReader) place() graphTask {
	p := graphTask{index: r.in.index, own: r.in.o.line()}
	p.line = p.own
	if i := r.in.o.find("dependencies"); i >= 0 {
		p.line = r.in.o.value(i).line()
	}
	return p
}

// At is an error about a key of the task that Next returned last.
func (r *TaskReader) At(key string, err error) *Error { return r.in.at(key, err) }

// end looks for what only the whole file shows.
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

// belongs checks a task's job_name, or learns the job from it.
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

func checkSelf(s *job.Spec) error {
	for _, d := range s.Dependencies {
		if d == s.ID && d != "" {
			return &mistake{key: "dependencies", err: dependsOnItself(d)}
		}
	}
	return nil
}

// ParseTasks reads a whole tasks.json; see TaskReader for what is checked. The
// tasks are those of the given job, unless it is empty.
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
