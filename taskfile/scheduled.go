package taskfile

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
)

// Scheduled is what a schedule stores each time it fires: a task, or the tasks of a job
// file.
type Scheduled struct {
	Task job.Spec // if File is empty
	File string   // the text of the job file
	Path string   // where it was, absolute; its folder is what directories in it are relative to
	Dir  string   // where its tasks run that do not say it themselves; empty: the folder that holds the base path

	Params []string  // values of its parameters, "NAME=VALUE" pairs
	Hooks  job.Hooks // of the job, before those that the file says
}

type scheduledForm struct {
	Task json.RawMessage `json:"task,omitempty"`
	File string          `json:"file,omitempty"`
	Path string          `json:"path,omitempty"`
	Dir  string          `json:"dir,omitempty"`

	Params []string  `json:"params,omitempty"`
	Hooks  job.Hooks `json:"hooks,omitzero"`
}

// Encode is the JSON object that ParseScheduled reads. It has no environment.
func (s *Scheduled) Encode() (string, error) {
	form := scheduledForm{File: s.File, Path: s.Path, Dir: s.Dir, Params: s.Params, Hooks: s.Hooks}
	if s.File == "" {
		form.Task = FormatSpec(&s.Task)
	}
	b, err := json.Marshal(form)
	return string(b), err
}

// ParseScheduled reads what Encode has written.
func ParseScheduled(text string) (*Scheduled, error) {
	var form scheduledForm
	if err := json.Unmarshal([]byte(text), &form); err != nil {
		return nil, fmt.Errorf("what the schedule stores cannot be read: %w", err)
	}
	s := &Scheduled{File: form.File, Path: form.Path, Dir: form.Dir, Params: form.Params, Hooks: form.Hooks}
	if s.File != "" {
		return s, nil
	}
	var err error
	s.Task, err = ParseSpec("the task of the schedule", form.Task)
	return s, err
}

// Tasks are what is stored at a firing. A task gets the id; the tasks of a file have
// their own. inherited is the environment that variables of a file's tasks come on top
// of where env is nil.
func (s *Scheduled) Tasks(id string, env, inherited []string) ([]job.Spec, error) {
	if s.File == "" {
		t := s.Task
		t.ID, t.Env = id, env
		return []job.Spec{t}, nil
	}
	f, err := s.JobFile()
	if err != nil {
		return nil, err
	}
	tasks := make([]job.Spec, len(f.Tasks))
	for i, t := range f.Tasks {
		tasks[i] = t.Spec
		if t.Dir == "" {
			tasks[i].Dir = s.Dir
		}
		tasks[i].Env = env
		if len(t.AddEnv) == 0 {
			continue
		}
		base := env
		if base == nil {
			base = inherited
		}
		tasks[i].Env = append(base[:len(base):len(base)], t.AddEnv...)
	}
	return tasks, nil
}

// JobFile reads the job file, which there must be, with the values of its parameters. Its
// hooks are those of the schedule, and where that says nothing, those of the file.
func (s *Scheduled) JobFile() (*JobFile, error) {
	f, err := ParseJobWith(s.Path, []byte(s.File), JobOptions{As: "job", Dir: s.Dir, Params: s.Params})
	if err == nil {
		f.Hooks = s.Hooks.Over(f.Hooks)
	}
	return f, err
}

// ReadText reads the text of a job file, or the standard input if path is Stdin. Errors
// are of type *Error, and wrap those of the system.
func ReadText(path string) ([]byte, error) {
	data, err := readText(path)
	if err != nil {
		return nil, (&jobReader{shown: shownName(path)}).convert(err)
	}
	return data, nil
}

func readText(path string) ([]byte, error) {
	if path == Stdin {
		return strictyaml.Read(shownName(path), os.Stdin)
	}
	return strictyaml.ReadFile(path)
}
