package taskfile

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// head reads all but the tasks: first the parameters, then what may name them.
func (r *jobReader) head() (head jobHead, err error) {
	root := *r.root
	if root.Kind() == strictyaml.Mapping {
		for _, key := range r.options.Without {
			root = root.Without(key)
		}
		m, err := root.Map()
		if err != nil {
			return head, err
		}
		var declared jobHead
		if v, ok := m.Get("parameters"); ok {
			if err := (someParameters{}).read(&declared, yamlValue{v}, inJobFile); err != nil {
				return head, r.under("parameters", v, err)
			}
		}
		if err := r.parameters(declared.parameters); err != nil {
			return head, err
		}
		if root, err = root.Rewrite(func(v strictyaml.Value) (string, error) {
			if key := v.Path()[0].Key; key != "name" && key != "labels" && key != "env_file" {
				return v.Raw(), nil
			}
			filled, err := r.rewrite(v, r.scope)
			return filled.Raw(), err
		}); err != nil {
			return head, err
		}
	}
	head.lines, err = readObject(jobKeys, yamlValue{root}, &head, r)
	return head, err
}

// under places an error in the value of a key of the file.
func (r *jobReader) under(key string, v strictyaml.Value, err error) error {
	if m := (*mistake)(nil); errors.As(err, &m) {
		return &mistake{key: key, on: m.on, err: m.err}
	}
	return &mistake{key: key, on: v.Line(), err: err}
}

// someDefaults is the keys that all tasks get.
type someDefaults struct{}

func (someDefaults) read(to *jobHead, v value, _ form) error {
	if v.kind() != object {
		return not(v, "an object of keys of a task")
	}
	to.defaults = v.(yamlValue).Value
	return nil
}

func (someDefaults) write(*objectWriter, string, *jobHead, bool) {}

func (someDefaults) schema(in form) *Schema { return objectSchema(defaultKeys(), in) }

// own are the keys that each task has for itself.
var own = []string{"id", "command", "args", "dependencies", "after_any", "foreach"}

// defaultKeys is every key that all tasks of a file can be given.
func defaultKeys() (t table[job.Task]) {
	for _, k := range taskKeys {
		if k.in.has(inJobFile) && !slices.Contains(own, k.name) {
			k.must = 0
			t = append(t, k)
		}
	}
	return t
}

// checkDefaults reads the defaults for no task.
func (r *jobReader) checkDefaults(v strictyaml.Value) error {
	filled, err := r.rewrite(v, r.scope.with(itemIs, 1))
	if err != nil {
		return err
	}
	var t job.Task
	r.single = true
	defer func() { r.single = false }()
	_, err = readObject(defaultKeys(), yamlValue{filled}, &t, r)
	if m := (*mistake)(nil); errors.As(err, &m) {
		return &mistake{key: "defaults", on: m.on, err: fmt.Errorf("%s: %w", words.Quote(m.key), m.err)}
	}
	return err
}

// readTask is a task whose dependencies were not looked at yet.
type readTask struct {
	JobTask
	index int
	at    value
	lines map[string]int
}

// group is the tasks of a task with foreach.
type group struct {
	ids  []string
	line int
}

// tasks reads the tasks, and then ties them.
func (r *jobReader) tasks(head jobHead) ([]JobTask, error) {
	defaults := head.defaults
	if len(head.defaults.Path()) > 0 {
		if err := r.also(r.checkDefaults(defaults)); err != nil {
			return nil, err
		}
		if len(r.faults) > 0 {
			defaults = strictyaml.Value{} // what is wrong there is not said of each task
		}
	}
	var all []readTask
	wrong := map[int]string{} // ids by index
	for i, item := range head.tasks {
		r.index, r.id, r.at = i, idOf(item), item
		v := item.(yamlValue).Value
		if item.kind() == object && len(defaults.Path()) > 0 {
			v = v.Over(defaults, "env", "labels")
		}
		more, err := r.task(all, v)
		if err == nil {
			all = more
			continue
		}
		wrong[i] = r.id
		if err := r.also(err); err != nil {
			return nil, err
		}
	}
	out := make([]JobTask, len(all))
	for i := range all {
		if err := r.also(r.tie(&all[i])); err != nil {
			return nil, err
		}
		out[i] = all[i].JobTask
	}
	r.known(wrong)
	r.index = -1
	if len(out) == 0 && len(wrong)+len(r.faults) == 0 {
		return nil, &mistake{key: "tasks", on: r.root.Line(), err: errors.New("there is nothing to do: no foreach has an item")}
	}
	for _, err := range r.graph.missing(r.shown) {
		if err := r.also(err); err != nil {
			return nil, err
		}
	}
	return out, r.graph.cycle(r.shown)
}

// task adds a task of the file or, with foreach, those that it stands for.
func (r *jobReader) task(to []readTask, v strictyaml.Value) ([]readTask, error) {
	f, err := r.foreach(v)
	if err != nil {
		return nil, err
	}
	if f == nil {
		t, err := r.one(v, r.scope, "")
		return append(to, t), err
	}
	base, err := r.scope.fill(r.id)
	named := err != nil // it names the item, so nothing else has it
	v = v.Without("foreach")
	dir, err := r.runsIn(v)
	if err != nil {
		return nil, err
	}
	list, err := r.each(f, dir)
	if err != nil {
		return nil, err
	}
	g := group{line: v.Line()}
	items := map[string]int{} // by id
	for _, e := range list {
		t, err := r.one(v, e.scope, e.id)
		if err != nil {
			return nil, err
		}
		if first := items[t.ID]; first > 0 {
			err := fmt.Errorf("items %d and %d both make it %s; put {{ index }} in it, or leave {{ }} out", first, e.nth, words.Quote(t.ID))
			return nil, &mistake{key: "id", on: t.lines["id"], err: err}
		}
		items[t.ID] = e.nth
		to = append(to, t)
		g.ids = append(g.ids, t.ID)
	}
	if base == "" || named {
		return to, nil
	}
	if first, ok := r.groups[base]; ok {
		return nil, &mistake{key: "id", on: v.Line(), err: sameID(base, first.line)}
	}
	r.groups[base] = g
	return to, nil
}

// foreach is what a task says of that, or nil.
func (r *jobReader) foreach(v strictyaml.Value) (*foreach, error) {
	m, err := v.Map()
	if err != nil {
		return nil, nil // which is said when it is read
	}
	of, ok := m.Get("foreach")
	if !ok {
		return nil, nil
	}
	if of, err = r.rewrite(of, r.scope); err != nil {
		return nil, err
	}
	f, err := foreachOf(yamlValue{of})
	if err == nil && r.options.Sent && !f.list {
		err = errors.New("want a list; what looks for items is for job files")
	}
	if err != nil {
		err = r.under("foreach", of, err)
	}
	return f, err
}

// runsIn is where a task with foreach runs. Its folder cannot depend on the item.
func (r *jobReader) runsIn(v strictyaml.Value) (string, error) {
	m, err := v.Map()
	if err != nil {
		return "", err
	}
	of, ok := m.Get("working_directory")
	if !ok {
		return r.dir, nil
	}
	if of, err = r.rewrite(of, r.scope); err != nil {
		return r.dir, nil // it names the item, or is wrong in each task
	}
	if dir := of.Raw(); !filepath.IsAbs(dir) {
		return filepath.Join(r.folder, dir), nil
	}
	return of.Raw(), nil
}

// one reads a task. It gets an id, unless that is empty.
func (r *jobReader) one(v strictyaml.Value, s scope, id string) (out readTask, err error) {
	if v, err = r.rewrite(v, s); err != nil {
		return out, err
	}
	var t job.Task
	r.id = idOf(yamlValue{v})
	lines, err := readObject(taskKeys, yamlValue{v}, &t, r)
	if err != nil {
		return out, err
	}
	if id != "" {
		if t.ID = id; job.CheckNewID(id) != nil {
			return out, &mistake{key: "id", on: lines["id"], err: job.CheckNewID(id)}
		}
		r.id = id
	}
	if t.Dir != "" && !filepath.IsAbs(t.Dir) {
		if r.options.Sent {
			return out, &mistake{key: "working_directory", on: lines["working_directory"], err: NotAbsolute(t.Dir)}
		}
		t.Dir = filepath.Join(r.folder, t.Dir)
	}
	out = readTask{JobTask{Spec: t.Spec, AddEnv: t.Env, Line: v.Line()}, r.index, yamlValue{v}, lines}
	if len(r.env) > 0 {
		out.AddEnv = slices.Concat(r.env, t.Env)
	}
	out.Env = nil
	return out, nil
}

// tie puts the tasks of a foreach where its id is named, and notes the dependencies.
func (r *jobReader) tie(t *readTask) error {
	r.index, r.id, r.at = t.index, t.ID, t.at
	if g, ok := r.groups[t.ID]; ok && !slices.Contains(g.ids, t.ID) {
		return r.on(t.lines, &mistake{key: "id", err: sameID(t.ID, g.line)})
	}
	t.Dependencies, t.AfterAny = r.ungrouped(t.Dependencies), r.ungrouped(t.AfterAny)
	if err := checkNew(&t.Spec); err != nil {
		return r.on(t.lines, err)
	}
	own := t.at.line()
	place := graphTask{index: t.index, own: own, line: cmp.Or(t.lines["dependencies"], own), anyLine: cmp.Or(t.lines["after_any"], own)}
	if err := r.graph.add(place, &t.Spec); err != nil {
		return r.on(t.lines, err)
	}
	return nil
}

// ungrouped is ids with those of its tasks for each task with foreach.
func (r *jobReader) ungrouped(ids []string) []string {
	if !slices.ContainsFunc(ids, func(id string) bool { _, ok := r.groups[id]; return ok }) {
		return ids
	}
	var all []string
	seen := map[string]bool{}
	for _, id := range ids {
		of := []string{id}
		if g, ok := r.groups[id]; ok {
			of = g.ids
		}
		for _, id := range of {
			if !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	return all
}
