package taskfile

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// commandHooks is a command that runs when something has ended: a line for a shell, or a
// program and its arguments.
type commandHooks[T any] struct {
	field func(*T) *job.Hook
}

func (k commandHooks[T]) read(to *T, v value, _ form) (err error) {
	field := k.field(to)
	switch v.kind() {
	case text:
		*field, err = job.ParseHook(v.raw())
		return err
	case array:
		var list []string
		err := v.items(func(item value) error {
			s, err := anyText.of(item)
			list = append(list, s)
			if err != nil {
				return &mistake{on: item.line(), err: fmt.Errorf("argument %d: %w", len(list), err)}
			}
			return nil
		})
		if err == nil && len(list) == 0 {
			err = errors.New("the list is empty; want a program and its arguments, or none")
		}
		*field = list
		if err == nil {
			err = field.Check()
		}
		return err
	}
	return not(v, "a command for a shell in a string, an array of a program and its arguments, or none")
}

func (k commandHooks[T]) write(w *objectWriter, name string, from *T, _ bool) {
	h := *k.field(from)
	if h == nil {
		return
	}
	if line, ok := h.Text(); ok {
		w.text(name, line)
	} else {
		w.texts(name, h)
	}
}

func (k commandHooks[T]) schema(in form) *Schema {
	line := &Schema{Type: "string", Pattern: anyText.pattern, MinLength: 1}
	list := &Schema{Type: "array", MinItems: 1, Items: anyText.schema(in)}
	return &Schema{AnyOf: []*Schema{line, list}}
}

// hookKeys are the hooks of a task, or of what else may have some.
func hookKeys[T any](in form, of string, hooks func(*T) *job.Hooks) table[T] {
	return table[T]{
		{name: job.OnSuccess, in: in,
			is:   commandHooks[T]{func(t *T) *job.Hook { return &hooks(t).OnSuccess }},
			help: "Runs when the " + of + " has completed: a line for a shell, or a list of a program and its arguments; none: nothing, whatever the configuration says."},
		{name: job.OnFailure, in: in,
			is:   commandHooks[T]{func(t *T) *job.Hook { return &hooks(t).OnFailure }},
			help: "Runs when the " + of + " has failed and is not tried again, unless somebody has cancelled it."},
		{name: job.OnEnd, in: in,
			is:   commandHooks[T]{func(t *T) *job.Hook { return &hooks(t).OnEnd }},
			help: "Runs when the " + of + " has ended, in whatever way."},
	}
}

// jobHooks is an object with the hooks of a job. In a job file, on_failure beside it
// says what a failure means for other tasks.
type jobHooks[T any] struct {
	field func(*T) *job.Hooks
}

var insideHooks = hookKeys(inJobFile|inState, "job", func(h *job.Hooks) *job.Hooks { return h })

func (k jobHooks[T]) read(to *T, v value, in form) error {
	if v.kind() != object {
		return not(v, "an object with on_success, on_failure or on_end")
	}
	r := reading[job.Hooks]{table: insideHooks, in: inJobFile, to: k.field(to)}
	err := v.fields(func(name string, v value) error { return r.refuseUnknown(name, v.line()) })
	if err == nil {
		err = v.fields(func(name string, v value) error {
			_, err := r.key([]byte(name), v, 0)
			return err
		})
	}
	if m := (*mistake)(nil); errors.As(err, &m) {
		return &mistake{on: m.on, err: fmt.Errorf("%s: %w", words.Quote(m.key), m.err)}
	}
	return err
}

func (k jobHooks[T]) write(w *objectWriter, name string, from *T, _ bool) {
	h := *k.field(from)
	if h.IsZero() {
		return
	}
	w.key(name)
	in := objectWriter{b: w.b, depth: w.depth + 1}
	insideHooks.write(&in, inState, &h)
	in.end()
	w.b = in.b
}

func (k jobHooks[T]) schema(in form) *Schema { return objectSchema(insideHooks, in) }

// ParseHooks reads a JSON object with hooks of a job. Errors name the key.
func ParseHooks(object []byte) (h job.Hooks, err error) {
	s := newStream("hooks", bytes.NewReader(object), inSequence, "an object")
	if err := s.next(); err != nil {
		return h, errors.New("want an object with on_success, on_failure or on_end")
	}
	v := &jsonValue{bytes: s.o.raw, at: s.o.at, in: &s}
	err = jobHooks[job.Hooks]{func(h *job.Hooks) *job.Hooks { return h }}.read(&h, v, inJobFile)
	if m := (*mistake)(nil); errors.As(err, &m) {
		err = m.err
	}
	return h, err
}
