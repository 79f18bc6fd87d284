package taskfile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// key is the complete definition of a key of an object.
type key[T any] struct {
	name   string
	in     form // forms in which it may occur
	must   form // forms in which it is required, and not null
	skip   form // forms in which it is ignored, because it is about an earlier run
	always bool // it is written even if it is empty
	is     is[T]
	help   string // a sentence for users who write files
}

// is is the type of a value: how it is read, written and described.
type is[T any] interface {
	// read checks a value and sets the field.
	read(to *T, v value, in form) error
	// write writes the field. Unless always is set, it omits an empty one.
	write(w *objectWriter, name string, from *T, always bool)
	// schema describes the values that read accepts, except null.
	schema(in form) *Schema
}

// table lists the keys of an object, in the order in which they are written.
type table[T any] []key[T]

func (t table[T]) find(name string) int { return t.findBytes([]byte(name)) }

func (t table[T]) findBytes(name []byte) int {
	for i := range t {
		if string(name) == t[i].name {
			return i
		}
	}
	return -1
}

// names returns the keys that a form may have.
func (t table[T]) names(in form) (list []string) {
	for i := range t {
		if t[i].in.has(in) {
			list = append(list, t[i].name)
		}
	}
	return list
}

// write writes the keys of a form.
func (t table[T]) write(w *objectWriter, in form, from *T) {
	for i := range t {
		if k := &t[i]; k.in.has(in) {
			k.is.write(w, k.name, from, k.always)
		}
	}
}

// reading is the state of reading an object.
type reading[T any] struct {
	table table[T]
	in    form
	to    *T
	given uint64 // bits of the keys that occurred, null or not
	set   uint64 // bits of the keys with a value
	typos []typo
}

// typo is an unknown key that looks like a known one.
type typo struct {
	name  string
	known int
	at    int // index of the key in its object
}

// key reads the key at an index of its object. It returns whether the key is known;
// others belong to other tools.
func (r *reading[T]) key(name []byte, v value, at int) (known bool, err error) {
	i := r.table.findBytes(name)
	if i >= 0 && r.table[i].in.has(r.in) {
		return true, r.known(i, v)
	}
	if i >= 0 && r.table[i].skip.has(r.in) {
		return true, nil
	}
	for k := range r.table {
		if i < 0 && r.table[k].in.has(r.in) && words.Mistyped(string(name), r.table[k].name) {
			r.typos = append(r.typos, typo{string(name), k, at})
		}
	}
	return false, nil
}

func (r *reading[T]) known(i int, v value) error {
	k := &r.table[i]
	r.given |= 1 << i
	if v.kind() == null && r.in.takesNull() {
		return nil
	}
	r.set |= 1 << i
	err := k.is.read(r.to, v, r.in)
	if m := (*mistake)(nil); errors.As(err, &m) { // the mistake is in a part of the value
		return &mistake{key: k.name, on: m.on, err: m.err}
	}
	if err != nil {
		return &mistake{key: k.name, on: v.line(), err: err}
	}
	return nil
}

// refuseUnknown returns an error for an unknown key in a form that allows no unknown
// keys.
func (r *reading[T]) refuseUnknown(name string, line int) error {
	known := r.table.names(r.in)
	if slices.Contains(known, name) {
		return nil
	}
	if near := r.meant(name, known); near != "" {
		return &mistake{key: name, on: line, err: didYouMean(near)}
	}
	return &mistake{key: name, on: line, err: fmt.Errorf("unknown key, want %s", words.List(known))}
}

// meant returns the known key that an unknown one was probably meant to be, or "". It
// does not return a key that the object has.
func (r *reading[T]) meant(name string, known []string) string {
	const short = 6 // for short keys, two typing errors are too many: tags is not args
	near := synonyms[plainKey(name)]
	if !slices.Contains(known, near) {
		near = words.Nearest(name, known)
		if len(near) <= short && !words.Mistyped(name, near) {
			return ""
		}
	}
	if i := r.table.find(near); i >= 0 && r.given&(1<<i) != 0 {
		return ""
	}
	return near
}

// end returns an error for a required key that is mistyped or missing. LineOf returns
// the line of a key by its index.
func (r *reading[T]) end(lineOf func(at int) int) error {
	for _, t := range r.typos {
		k := &r.table[t.known]
		lacks := r.given&(1<<t.known) == 0
		if lacks && k.must.has(r.in) {
			return &mistake{key: t.name, on: lineOf(t.at), err: didYouMean(k.name)}
		}
	}
	for i := range r.table {
		if k := &r.table[i]; k.must.has(r.in) && r.set&(1<<i) == 0 {
			return &mistake{key: k.name, err: errMissing}
		}
	}
	return nil
}

// object reads a JSON object. It returns the other tools' keys as an object.
func (t table[T]) object(o *members, in form, to *T) (extra []byte, err error) {
	r := reading[T]{table: t, in: in, to: to}
	unknown := -1
	for i := range o.list {
		known, err := r.key(o.list[i].key, o.value(i), i)
		if err != nil {
			return nil, err
		}
		if known {
			continue
		}
		if !in.keepsUnknown() {
			if unknown < 0 {
				unknown = i
			}
			continue
		}
		if extra, err = o.keep(extra, i); err != nil {
			return nil, &mistake{key: string(o.list[i].key), err: err}
		}
	}
	if unknown >= 0 {
		return nil, r.refuseUnknown(string(o.list[unknown].key), o.lineOfKey(unknown))
	}
	return endExtra(extra), r.end(o.lineOfKey)
}

// inside adds to a mistake in which part of a value it is: at a key or, if index is not
// negative, at an element.
func inside(key, name string, index int) string {
	i := taskKeys.find(key)
	if i >= 0 && index >= 0 {
		if list, ok := taskKeys[i].is.(lists[job.Task]); ok {
			return fmt.Sprintf("%s %d: ", list.noun, index+1)
		}
	}
	switch {
	case index >= 0:
		return fmt.Sprintf("element %d: ", index+1)
	case key == "env":
		return "variable " + words.Quote(name) + ": "
	case key == "labels":
		return "label " + words.Quote(name) + ": "
	}
	return words.Quote(name) + ": "
}
