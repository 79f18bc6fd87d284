package job

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The keys of a task in tasks.json. Those of runKeys are results, which a task
// that is yet to be queued cannot have. All but the first ten in the order of
// writing are ours and are written only when they carry something.
var (
	definitionKeys = []string{
		"id", "command", "args", "dependencies", "priority", "timeout", "working_directory",
	}
	runKeys = []string{
		"job_name", "status", "created_at", "started_at", "completed_at", "error",
		"attempts", "exit_code", "signal", "reason", "parent",
	}
)

// TaskReader reads the tasks of a tasks.json one by one. It checks each task,
// and then the whole: ids must be unique, and dependencies without a cycle.
// A dependency on a task that is not in the file is fine, and so is one on a
// later task. Besides one task it holds the ids and dependencies of all.
type TaskReader struct {
	in      elements
	job     string
	graph   graph
	remarks []Remark
}

// Remark is something odd in a file that does no harm: what, where it was met
// first, and how often after that.
type Remark struct {
	First *FileError
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

// NewTaskReader reads tasks of a job from r. File is its name for messages.
// When job is empty, it is the first job_name in the file that is not empty.
func NewTaskReader(file, job string, r io.Reader) *TaskReader {
	return &TaskReader{in: newElements(file, r, false), job: job}
}

// Next returns the next task, or io.EOF after the last one, which is also when
// the whole file has been found to be right. Other errors are of type
// *FileError, unless reading failed; they are final.
//
// The keys id and command must be there. A key that is null counts as missing.
// A task without a status is pending, and one with the job_name of another job
// belongs to this one all the same, as in the tool that wrote these files first;
// Remarks says so. A failed task that gives no reason has the reason Imported.
// Keys of other tools are kept in Extra.
func (r *TaskReader) Next() (Task, error) {
	if err := r.in.next(); err != nil {
		if err == io.EOF {
			err = r.end()
		}
		return Task{}, err
	}
	t, key, err := r.task()
	if err != nil {
		return Task{}, r.in.stop(key, err)
	}
	if taken, ok := r.graph.add(r.in.index, &t.Spec); !ok {
		return Task{}, r.in.stop("id", fmt.Errorf("task id %s is that of the task at index %d already", quote(t.ID), taken))
	}
	return t, nil
}

// At is an error about a key of the task that Next returned last.
func (r *TaskReader) At(key string, err error) *FileError { return r.in.at(key, err) }

// end looks for what only the whole file shows.
func (r *TaskReader) end() error {
	index, ids := r.graph.cycle()
	r.graph = graph{}
	if ids == nil {
		return io.EOF
	}
	r.in.err = &FileError{
		File:  r.in.file,
		Index: index,
		ID:    ids[0],
		Key:   "dependencies",
		Msg:   "the tasks wait for each other in a cycle: " + DescribeCycle(ids),
	}
	return r.in.err
}

// task reads the current object. An error comes with the key it is about.
func (r *TaskReader) task() (t Task, key string, err error) {
	o := &r.in.o
	for i := range o.members {
		m := &o.members[i]
		v := o.value(m)
		if key = lookUp(definitionKeys, m.key); key != "" {
			err = setDefinition(&t.Spec, key, v)
		} else if key = lookUp(runKeys, m.key); key != "" {
			err = r.setRun(&t, key, v)
		} else {
			t.Extra = appendExtra(t.Extra, o, m)
		}
		if err != nil {
			return t, key, err
		}
	}
	t.Extra = endExtra(t.Extra)
	t.Job = r.job
	return r.complete(t)
}

// complete checks what takes more than one key of a task.
func (r *TaskReader) complete(t Task) (_ Task, key string, err error) {
	if key := missingOf("id", t.ID, "command", t.Command); key != "" {
		return t, key, errors.New("is missing")
	}
	if t.Status == "" {
		t.Status = Pending
		r.remark("status", "is missing; the task counts as pending")
	}
	if err := checkSelf(&t.Spec); err != nil {
		return t, "dependencies", err
	}
	switch {
	case t.Status != Failed && t.Reason != "":
		return t, "reason", fmt.Errorf("a task that is %s has no reason for a failure", t.Status)
	case t.Status == Failed && t.Reason == "":
		t.Reason = Imported
	}
	return t, "", nil
}

// setDefinition sets the field for one of definitionKeys.
func setDefinition(s *Spec, key string, v value) (err error) {
	if v.isNull() {
		return nil
	}
	switch key {
	case "id":
		if s.ID, err = v.text(); err == nil {
			err = CheckID(s.ID)
		}
	case "command":
		if s.Command, err = v.text(); err == nil && s.Command == "" {
			err = errors.New("command is empty")
		}
	case "args":
		s.Args, err = v.texts("argument")
	case "dependencies":
		if s.Dependencies, err = v.texts("dependency"); err == nil {
			err = checkIDs("dependency", s.Dependencies)
		}
	case "priority":
		s.Priority, err = v.whole()
	case "timeout":
		if v.kind() == "a string" {
			var limit string
			if limit, err = v.text(); err == nil {
				s.Timeout, err = ParseTimeout(limit)
			}
			break
		}
		s.Timeout, err = v.seconds()
	case "working_directory":
		s.Dir, err = v.text()
	}
	return err
}

// setRun sets the field for one of runKeys.
func (r *TaskReader) setRun(t *Task, key string, v value) (err error) {
	if v.isNull() {
		return nil
	}
	switch key {
	case "created_at":
		t.CreatedAt, err = v.instant()
	case "started_at":
		t.StartedAt, err = v.instant()
	case "completed_at":
		t.CompletedAt, err = v.instant()
	case "attempts":
		if t.Attempts, err = v.whole(); err == nil && t.Attempts < 0 {
			err = fmt.Errorf("want a number of attempts, got %d", t.Attempts)
		}
	case "exit_code":
		var code int
		code, err = v.whole()
		t.ExitCode = &code
	default:
		var s string
		if s, err = v.text(); err == nil {
			err = r.setText(t, key, s)
		}
	}
	return err
}

// setText sets the field for one of the runKeys that are strings.
func (r *TaskReader) setText(t *Task, key, s string) (err error) {
	switch key {
	case "job_name":
		err = r.checkJob(s)
	case "status":
		t.Status, err = oneOf("status", s, Statuses)
	case "error":
		t.Error = s
	case "signal":
		t.Signal = s
	case "reason":
		if s != "" {
			t.Reason, err = oneOf("reason", s, Reasons)
		}
	case "parent":
		if t.Parent = s; s != "" {
			err = CheckID(s)
		}
	}
	return err
}

// checkJob checks a task's job_name, or learns the job from it.
func (r *TaskReader) checkJob(name string) error {
	switch {
	case name == "" || name == r.job:
		return nil
	case r.job != "":
		r.remark("job_name", fmt.Sprintf("%s is another job than %s, to which the task is added", quote(name), quote(r.job)))
		return nil
	}
	r.job = name
	return CheckName(name)
}

func checkIDs(what string, ids []string) error {
	for i, id := range ids {
		if err := CheckID(id); err != nil {
			return fmt.Errorf("%s %d: %w", what, i+1, err)
		}
	}
	return nil
}

func checkSelf(s *Spec) error {
	for _, d := range s.Dependencies {
		if d == s.ID && d != "" {
			return fmt.Errorf("task %s depends on itself", quote(d))
		}
	}
	return nil
}

// ParseTasks reads a whole tasks.json; see TaskReader for what is checked. The
// tasks are those of the given job, unless it is empty.
func ParseTasks(file, job string, data []byte) ([]Task, error) {
	r := NewTaskReader(file, job, bytes.NewReader(data))
	var tasks []Task
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
