package taskfile

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
)

// needs is a list of places in pools, such as ["gpu:2", "license"].
type needs[T any] struct {
	field func(*T) *[]string
}

// place is one of them.
var place = rule{check: checkPlaces, pattern: `^[a-z][a-z0-9-]{0,49}(:([1-9][0-9]{0,3}|10000))?$`}

func checkPlaces(s string) error {
	_, err := job.ParsePlaces(s)
	return err
}

func (k needs[T]) list() lists[T] { return lists[T]{field: k.field, noun: "pool", rule: place} }

func (k needs[T]) read(to *T, v value, in form) error {
	if s, ok := v.text(); ok && v.kind() == text { // a flag, or one that stands alone
		list, err := job.NormalPools([]string{s})
		*k.field(to) = list
		return err
	}
	err := k.list().read(to, v, in)
	if err == nil {
		field := k.field(to)
		*field, err = job.NormalPools(*field)
	}
	return err
}

func (k needs[T]) write(w *objectWriter, name string, from *T, always bool) {
	k.list().write(w, name, from, always)
}

func (k needs[T]) schema(in form) *Schema {
	one := place.schema(in)
	one.Type = "string"
	return &Schema{AnyOf: []*Schema{one, {Type: "array", Items: one}}}
}

// jobDefaultKeys are the keys of a task for which a job may have a value that its tasks
// get if they do not say it themselves.
var jobDefaultKeys = []string{"timeout", "pools"}

// Defaults reads what EncodeDefaults has written; nothing of it is the zero Spec.
func Defaults(object []byte) (job.Spec, error) {
	var s job.Spec
	if len(object) == 0 {
		return s, nil
	}
	root, err := strictyaml.ParseValue("defaults", object)
	if err != nil || root == nil {
		return s, err
	}
	t := job.Task{}
	err = yamlValue{*root}.fields(func(name string, v value) error {
		i := taskKeys.find(name)
		if i < 0 || !slices.Contains(jobDefaultKeys, name) {
			return nil // a later version has written it
		}
		return taskKeys[i].is.read(&t, v, inLines)
	})
	return t.Spec, err
}

// EncodeDefaults writes what a task says, of what can be a default, as a JSON object;
// nil: it says nothing of that.
func EncodeDefaults(s job.Spec) []byte {
	t := job.Task{Spec: s}
	w := objectWriter{depth: 1}
	for _, name := range jobDefaultKeys {
		i := taskKeys.find(name)
		taskKeys[i].is.write(&w, name, &t, false)
	}
	if w.count == 0 {
		return nil
	}
	w.end()
	object := jsontext.Value(w.b)
	_ = object.Compact() // it is valid
	return object
}
