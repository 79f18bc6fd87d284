package taskfile

import (
	"slices"

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
		var before []string
		if in == inFlags {
			before = *k.field(to)
		}
		list, err := job.NormalPools(append(slices.Clone(before), s))
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
