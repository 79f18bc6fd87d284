// Package jobfile reads job files: the tasks of one job, written in YAML or
// JSON by a person for the run command.
package jobfile

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
)

// Stdin is the path that stands for the standard input.
const Stdin = "-"

// Error is a mistake in a job file. Every error of this package is one.
type Error = strictyaml.Error

// File is what a job file says. It is valid: names and ids are allowed, ids
// are unique, and dependencies name tasks of the file without a cycle.
type File struct {
	Name  string // of the job
	Tasks []Task // in the order of the file, at least one
}

// Task is a task of a job file. Its Spec.Env is nil, and its Spec.Dir is
// empty if the file does not name one.
type Task struct {
	job.Spec
	AddEnv []string // "KEY=VALUE" pairs to add to the environment, in the order of the file
	Line   int      // where the task begins
}

// Load reads the job file at path, or the standard input if path is Stdin. The
// job gets the given name instead of its own, unless that is empty: then the file
// needs one that is allowed.
func Load(path, as string) (*File, error) {
	read := func() ([]byte, error) { return strictyaml.ReadFile(path) }
	if path == Stdin {
		read = func() ([]byte, error) { return strictyaml.Read(shownName(path), os.Stdin) }
	}
	data, err := read()
	if err != nil {
		return nil, err
	}
	return parse(path, as, data)
}

// Parse reads a job file from data. The path name says where data came from:
// it appears in errors, gives the job its name if the file does not, and its
// folder is what relative working directories are relative to.
func Parse(name string, data []byte) (*File, error) { return parse(name, "", data) }

func parse(name, as string, data []byte) (*File, error) {
	shown := shownName(name)
	folder, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, &Error{File: shown, Msg: "its folder is not known: " + err.Error(), Err: err}
	}
	root, err := strictyaml.Parse(shown, data)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, &Error{File: shown, Msg: "is empty; a job file needs tasks"}
	}
	if err := root.CheckKeys([]string{"name", "tasks"}); err != nil {
		return nil, err
	}
	f := &File{}
	if f.Name, err = jobName(root, name, as); err != nil {
		return nil, err
	}
	if f.Tasks, err = tasks(root, folder); err != nil {
		return nil, err
	}
	return f, nil
}

// shownName is how errors call a file.
func shownName(name string) string {
	if name == Stdin {
		return "standard input"
	}
	return name
}

// jobName returns the name that is wanted or, if there is none, the name in the
// file, or one made from the file's own name. A name in the file is checked even
// if another one is wanted.
func jobName(root *strictyaml.Map, path, as string) (string, error) {
	if v, ok := root.Get("name"); ok {
		name, err := v.Literal()
		if err != nil {
			return "", err
		}
		if err := job.CheckName(name); err != nil {
			return "", v.Errorf("%w", err)
		}
		return cmp.Or(as, name), nil
	}
	if as != "" {
		return as, nil
	}
	if path == Stdin {
		return "", &Error{File: shownName(path), Key: "name", Msg: "is missing"}
	}
	base := filepath.Base(path)
	name := strings.TrimSuffix(base, filepath.Ext(base))
	if err := job.CheckName(name); err != nil {
		msg := fmt.Sprintf("is missing, and the file's own name does not make one (%v); add name:", err)
		return "", &Error{File: path, Key: "name", Msg: msg, Err: err}
	}
	return name, nil
}

// tasks returns the tasks of the file, checked one by one and together.
func tasks(root *strictyaml.Map, folder string) ([]Task, error) {
	v, ok := root.Get("tasks")
	if !ok {
		return nil, root.Missing("tasks")
	}
	items, err := v.List()
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, v.Errorf("must hold at least one task")
	}
	g := graph{tasks: make([]Task, len(items)), places: items, index: make(map[string]int, len(items))}
	for i, item := range items {
		if g.tasks[i], err = task(item, folder); err != nil {
			return nil, err
		}
		if err := g.add(i); err != nil {
			return nil, err
		}
	}
	return g.tasks, g.check()
}

// graph is the tasks of a file and how they depend on each other.
type graph struct {
	tasks  []Task
	places []strictyaml.Value // of the tasks
	index  map[string]int     // of the tasks, by id
}

// add makes task i known by its id.
func (g *graph) add(i int) error {
	id := g.tasks[i].ID
	if first, ok := g.index[id]; ok {
		return g.places[i].Errorf("the id %s is already that of the task on line %d",
			strictyaml.Quote(id), g.tasks[first].Line)
	}
	g.index[id] = i
	return nil
}

// check returns an error for a dependency that is not in the file, or for a
// cycle.
func (g *graph) check() error {
	next := make([][]int, len(g.tasks))
	for i, t := range g.tasks {
		for _, id := range t.Dependencies {
			on, ok := g.index[id]
			if !ok {
				return g.unknown(i, id)
			}
			next[i] = append(next[i], on)
		}
	}
	if loop := job.Cycle(len(next), func(i int) []int { return next[i] }); loop != nil {
		loop = append(loop, loop[0]) // so that it reads as one
		return g.places[loop[0]].Errorf("the dependencies form a cycle: %s", g.arrows(loop))
	}
	return nil
}

// unknown returns the error for a dependency of task i that is no task.
func (g *graph) unknown(i int, id string) error {
	ids := make([]string, len(g.tasks))
	for n := range g.tasks {
		ids[n] = g.tasks[n].ID
	}
	hint := ""
	if near := strictyaml.Nearest(id, ids); near != "" {
		hint = "; did you mean " + strictyaml.Quote(near) + "?"
	}
	return g.places[i].Errorf("depends on %s, which is no task of this file%s", strictyaml.Quote(id), hint)
}

// arrows shows a cycle, and of a long one its beginning and end.
func (g *graph) arrows(loop []int) string {
	const most = 10
	ids := make([]string, len(loop))
	for n, i := range loop {
		ids[n] = g.tasks[i].ID
	}
	if more := len(ids) - most; more > 0 {
		ids = slices.Replace(ids, most-1, len(ids)-1, fmt.Sprintf("… %d more …", more))
	}
	return strings.Join(ids, " → ")
}
