package taskfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/schedule"
)

// Stdin is the path that means the standard input.
const Stdin = "-"

// JobFile is the content of a job file. It is valid: names and ids are allowed, ids are
// unique, dependencies name tasks of the file, and there is no cycle.
type JobFile struct {
	Name       string          // of the job
	Schedule   *schedule.Rules // nil: it has none
	Labels     []string        // of the job, "KEY=VALUE" pairs, sorted by key
	Parameters []Parameter     // in the order of the file
	Unset      []string        // names of parameters that stand-ins were used for, see JobOptions.Check
	Tasks      []JobTask       // in the order of the file, at least one

	Hooks job.Hooks // of the job

	RetryHolds         *bool // whether other tasks wait while one waits for its retry; nil: the file does not say
	Parallel, Priority *int  // of the job; nil: the file does not say
}

// jobHead is a job file whose tasks have not been read yet.
type jobHead struct {
	name       string
	schedule   *schedule.Rules
	onFailure  onFailure
	retryHolds *bool
	parallel   *int
	priority   *int
	hooks      job.Hooks
	labels     []string
	parameters []Parameter
	envFiles   []string
	defaults   strictyaml.Value
	tasks      []value
	lines      map[string]int // of the keys' values
}

// JobOptions say how a job file is read.
type JobOptions struct {
	As     string   // name for the job, instead of its own; empty: its own
	Params []string // "NAME=VALUE" pairs
	Dir    string   // where tasks run that do not say it themselves, and foreach looks for files; empty: the current directory

	// Output runs the command of a foreach in a folder, and returns what it prints. Nil:
	// none can be run.
	Output func(dir string, command []string) ([]byte, error)
	// Check only checks the file: no command is run, and a parameter that is missing
	// gets a stand-in.
	Check bool
	// All makes the error an AllFaults, with all that is wrong, as far as it can be told.
	All bool
	// Sent means that it is no file, but was sent by somebody who may know nothing of the
	// folders here: working_directory must be absolute, and what reads files or runs
	// commands now is refused, as is what is for files only.
	Sent bool
	// Without are keys of the document that are the caller's, and not of the job.
	Without []string
}

// JobTask is a task of a job file. Its Spec.Env is nil, and its Spec.Dir is empty if
// the file does not set one.
type JobTask struct {
	job.Spec
	AddEnv []string // "KEY=VALUE" pairs to add to the environment, in the order of the file
	Line   int      // where the task begins
}

// LoadJob is LoadJobWith for a file without parameters. The job gets the given name.
func LoadJob(path, as string) (*JobFile, error) { return LoadJobWith(path, JobOptions{As: as}) }

// LoadJobWith reads the job file at path, or the standard input if path is Stdin.
// Without a name for the job, the file needs one that is allowed. Errors are of type
// *Error, and wrap those of the system.
func LoadJobWith(path string, o JobOptions) (*JobFile, error) {
	read := func() ([]byte, error) { return strictyaml.ReadFile(path) }
	if path == Stdin {
		read = func() ([]byte, error) { return strictyaml.Read(shownName(path), os.Stdin) }
	}
	data, err := read()
	if err != nil {
		return nil, (&jobReader{shown: shownName(path)}).convert(err)
	}
	return ParseJobWith(path, data, o)
}

// ParseJob reads a job file from data. The path is where data came from: it appears in
// errors, it is the default for the job's name, and relative working directories are
// relative to its folder.
func ParseJob(path string, data []byte) (*JobFile, error) {
	return ParseJobWith(path, data, JobOptions{})
}

// ParseJobAs is ParseJob for a job that gets the given name.
func ParseJobAs(path, as string, data []byte) (*JobFile, error) {
	return ParseJobWith(path, data, JobOptions{As: as})
}

// ParseJobWith is ParseJob with options.
func ParseJobWith(path string, data []byte, o JobOptions) (*JobFile, error) {
	r := &jobReader{path: path, shown: shownName(path), options: o, data: data}
	f, err := r.read(data)
	if err = r.also(err); err == nil && len(r.faults) > 0 {
		err = r.faults
	}
	if all := (AllFaults)(nil); errors.As(err, &all) {
		return nil, err
	}
	if err != nil {
		return nil, r.convert(err)
	}
	return f, nil
}

// shownName returns the name of a file in errors.
func shownName(name string) string {
	if name == Stdin {
		return "standard input"
	}
	return name
}

// jobReader reads one job file.
type jobReader struct {
	path, shown string
	options     JobOptions
	data        []byte
	folder      string // of the file
	dir         string // where tasks run
	root        *strictyaml.Value
	index       int    // of the task being read; -1: none
	id          string // of that task
	at          value  // that task or, outside the tasks, the job
	scope       scope  // the parameters
	unset       []string
	env         []string // of all tasks
	graph       graph
	groups      map[string]group // by the id of a task with foreach, its tasks
	faults      AllFaults        // what was noted, if all that is wrong is wanted
	single      bool             // nothing is noted: the caller says where it is
}

func (r *jobReader) read(data []byte) (_ *JobFile, err error) {
	r.index, r.groups = -1, map[string]group{}
	if r.folder, err = filepath.Abs(filepath.Dir(r.path)); err != nil {
		return nil, fmt.Errorf("its folder is not known: %w", err)
	}
	if r.dir, err = filepath.Abs(r.options.Dir); err != nil {
		r.dir = r.options.Dir // where only foreach would look
	}
	if r.root, err = strictyaml.ParseValue(r.shown, data); err != nil {
		return nil, r.notUTF8(data, err)
	}
	if r.root == nil {
		return nil, errors.New("the file is empty, want an object with tasks")
	}
	head, err := r.head()
	if err = r.also(err); err != nil {
		return nil, err
	}
	f := &JobFile{
		Schedule: head.schedule, RetryHolds: head.retryHolds, Parallel: head.parallel, Priority: head.priority,
		Labels: head.labels, Parameters: head.parameters, Unset: r.unset, Hooks: head.hooks,
	}
	if err := r.refuseFiles(head); err != nil {
		return nil, err
	}
	if f.Name, err = r.name(head.name); err != nil {
		return nil, err
	}
	if !r.options.Sent {
		if r.env, err = envFiles(head.envFiles, r.folder); err != nil {
			return nil, r.on(head.lines, err)
		}
	}
	if f.Tasks, err = r.tasks(head); err != nil || len(r.faults) > 0 {
		return nil, cmp.Or(err, errNoted)
	}
	return f, conditions(r, head.onFailure, f.Tasks)
}

// readObject reads an object of a job file, and returns the lines of its keys'
// values.
func readObject[T any](t table[T], v value, to *T, r *jobReader) (lines map[string]int, err error) {
	if r != nil {
		r.at = v
	}
	if v.kind() != object {
		return nil, &mistake{on: v.line(), err: not(v, "an object")}
	}
	lines = map[string]int{}
	reading := reading[T]{table: t, in: inJobFile, to: to}
	before := r.before()
	err = v.fields(func(name string, v value) error {
		lines[name] = v.line()
		return r.also(reading.refuseUnknown(name, v.line()))
	})
	if err != nil {
		return nil, err
	}
	err = v.fields(func(name string, v value) error {
		_, err := reading.key([]byte(name), v, 0)
		return r.also(err)
	})
	if err = cmp.Or(err, r.noted(before)); err == nil {
		err = r.also(reading.end(nil)) // job files have no unknown keys
	}
	return lines, cmp.Or(err, r.noted(before))
}

// name returns the given name, or else the one in the file, or one made from the file's
// own name.
func (r *jobReader) name(inFile string) (string, error) {
	if name := cmp.Or(r.options.As, inFile); name != "" {
		return name, nil
	}
	if r.path == Stdin {
		return "", &Error{File: r.shown, Index: -1, Key: "name", Msg: errMissing.Error(), Err: errMissing}
	}
	base := filepath.Base(r.path)
	name := strings.TrimSuffix(base, filepath.Ext(base))
	if err := job.CheckName(name); err != nil {
		msg := fmt.Sprintf("is missing, and the file's own name does not make one (%v); add name:", err)
		return "", &Error{File: r.shown, Index: -1, Key: "name", Msg: msg, Err: err}
	}
	return name, nil
}

// on sets the line of a mistake to that of its key's value.
func (r *jobReader) on(lines map[string]int, err error) error {
	if m := (*mistake)(nil); errors.As(err, &m) {
		m.on = lines[m.key]
	}
	return err
}

// idOf returns the id in an object that may be invalid.
func idOf(v value) (id string) {
	if v.kind() != object {
		return ""
	}
	_ = v.fields(func(name string, v value) error { // only yield returns errors here
		if name == "id" {
			id, _ = v.text()
		}
		return nil
	})
	return id
}

// convert turns an error of any step into an *Error.
func (r *jobReader) convert(err error) *Error {
	var done *Error
	var m *mistake
	var y *strictyaml.Error
	out := &Error{File: r.shown, Index: r.index, ID: r.id, Msg: err.Error(), Err: err}
	switch {
	case errors.As(err, &done):
		if done.Column == 0 && done.File == r.shown {
			done.Column = r.column(done.Line, done.Key)
		}
		return done
	case errors.As(err, &m):
		out.Line, out.Key = m.on, m.key
		if m.on == 0 && r.at != nil {
			out.Line = r.at.line()
		}
	case errors.As(err, &y):
		r.place(out, y)
	default:
		out.Index = -1
	}
	if out.Index < 0 {
		out.ID = ""
	}
	out.Column = r.column(out.Line, out.Key)
	return out
}

// column returns the byte, from 1, with which a key begins on a line of the file, or the
// first of what is there: 0, if nothing is.
func (r *jobReader) column(line int, key string) int {
	at := 0
	if r.root != nil {
		at = r.root.ColumnOn(line, key)
	}
	return byteColumn(r.data, line, at)
}

// place copies the place of a YAML error: the job, a task or, in a task, a key or a
// part of its value.
func (r *jobReader) place(out *Error, y *strictyaml.Error) {
	out.Line, out.Msg, out.Index = y.Line, y.Msg, -1
	path := y.Path
	if len(path) > 1 && path[0].Key == "tasks" && path[1].Index >= 0 {
		out.Index = path[1].Index
		out.ID = r.idAt(out.Index)
		path = path[2:]
	}
	if len(path) == 0 {
		return
	}
	out.Key = path[0].Key
	for _, step := range slices.Backward(path[1:]) {
		out.Msg = inside(out.Key, step.Key, step.Index) + out.Msg
	}
}

// idAt returns the id of a task in a file that may be invalid.
func (r *jobReader) idAt(index int) string {
	if r.root == nil || r.root.Kind() != strictyaml.Mapping {
		return ""
	}
	root, err := r.root.Map()
	if err != nil {
		return ""
	}
	tasks, _ := root.Get("tasks")
	items, err := tasks.List()
	if err != nil || index >= len(items) {
		return ""
	}
	return idOf(yamlValue{items[index]})
}

// notUTF8 finds the key that contains a byte which is not UTF-8, if that is the error:
// it replaces the byte by a character that does not occur in the file, and looks for
// that.
func (r *jobReader) notUTF8(data []byte, err error) error {
	var y *strictyaml.Error
	if !errors.As(err, &y) || !errors.Is(y.Err, strictyaml.ErrNotUTF8) {
		return err
	}
	mark := '\ue000'
	for bytes.ContainsRune(data, mark) {
		mark++
	}
	root, parseErr := strictyaml.ParseValue(r.shown, bytes.ToValidUTF8(data, []byte(string(mark))))
	if parseErr != nil || root == nil {
		return err
	}
	if v, ok := root.Find(func(text string) bool { return strings.ContainsRune(text, mark) }); ok {
		y.Path = v.Path()
	}
	return err
}

// someTasks is the list of tasks of a job file. The tasks are read after the name.
type someTasks struct{}

func (someTasks) read(to *jobHead, v value, _ form) error {
	if v.kind() != array {
		return not(v, "an array of tasks")
	}
	_ = v.items(func(item value) error {
		to.tasks = append(to.tasks, item)
		return nil
	})
	if len(to.tasks) == 0 {
		return errors.New("want at least one task")
	}
	return nil
}

func (someTasks) write(*objectWriter, string, *jobHead, bool) {}

func (someTasks) schema(in form) *Schema {
	return &Schema{Type: "array", MinItems: 1, Items: objectSchema(taskKeys, in)}
}
