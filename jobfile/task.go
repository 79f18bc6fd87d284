package jobfile

import (
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
)

// taskKeys returns what a task may say, in the order in which it is checked.
func taskKeys() []string {
	return []string{"id", "command", "args", "dependencies", "priority", "timeout", "working_directory", "env"}
}

// task reads one task. folder is what its working directory is relative to.
func task(v strictyaml.Value, folder string) (Task, error) {
	m, err := v.Map()
	if err != nil {
		return Task{}, err
	}
	known := taskKeys()
	if err := m.CheckKeys(known); err != nil {
		return Task{}, err
	}
	for _, key := range known[:2] {
		if _, ok := m.Get(key); !ok {
			return Task{}, m.Missing(key)
		}
	}
	t := Task{Line: v.Line()}
	for _, e := range m.Entries {
		if err := t.set(e.Key, e.Value, folder); err != nil {
			return Task{}, err
		}
	}
	if err := t.Check(); err != nil {
		return Task{}, v.Errorf("%w", err)
	}
	return t, nil
}

// set reads the value of one key.
func (t *Task) set(key string, v strictyaml.Value, folder string) (err error) {
	switch key {
	case "id":
		t.ID, err = filled(v)
	case "command":
		t.Command, err = filled(v)
	case "args":
		t.Args, err = v.Literals()
	case "dependencies":
		t.Dependencies, err = dependencies(v)
	case "priority":
		t.Priority, err = v.Int(math.MinInt32, math.MaxInt32)
	case "timeout":
		t.Timeout, err = timeout(v)
	case "working_directory":
		t.Dir, err = directory(v, folder)
	case "env":
		t.AddEnv, err = environment(v)
	}
	return err
}

// filled returns a text that is not empty.
func filled(v strictyaml.Value) (string, error) {
	text, err := v.Literal()
	if err == nil && text == "" {
		return "", v.Errorf("must not be empty")
	}
	return text, err
}

// dependencies returns a list of ids, none of them twice.
func dependencies(v strictyaml.Value) ([]string, error) {
	ids, err := v.Literals()
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			return nil, v.Errorf("names %s twice", strictyaml.Quote(id))
		}
		seen[id] = true
	}
	return ids, nil
}

// timeout returns a time limit: a duration, whole seconds, or none.
func timeout(v strictyaml.Value) (time.Duration, error) {
	text, err := v.Literal()
	if err != nil {
		return 0, err
	}
	d, err := job.ParseTimeout(text)
	if err != nil {
		return 0, v.Errorf("%w", err)
	}
	return d, nil
}

// directory returns an absolute path.
func directory(v strictyaml.Value, folder string) (string, error) {
	path, err := v.Path()
	if err != nil || filepath.IsAbs(path) {
		return path, err
	}
	return filepath.Join(folder, path), nil
}

// environment returns the entries of a mapping as KEY=VALUE.
func environment(v strictyaml.Value) ([]string, error) {
	m, err := v.Map()
	if err != nil {
		return nil, err
	}
	pairs := make([]string, 0, len(m.Entries))
	for _, e := range m.Entries {
		if e.Key == "" || strings.ContainsAny(e.Key, "=\x00") {
			return nil, e.Value.Errorf("the name of a variable must not be empty, nor contain = or NUL")
		}
		value, err := e.Value.Literal()
		if err != nil {
			return nil, err
		}
		if err := job.CheckText("the value", value); err != nil {
			return nil, e.Value.Errorf("%w", err)
		}
		pairs = append(pairs, e.Key+"="+value)
	}
	return pairs, nil
}
