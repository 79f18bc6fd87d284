package taskfile

import (
	"bytes"
	"errors"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
)

// jobDefaultKeys are the keys of a task for which a job may have a value that its tasks
// get if they do not say it themselves.
var jobDefaultKeys = []string{
	"timeout", "pools", "retries", "retry_delay", "retry_backoff", "retry_max_delay", "retry_jitter", "retry_on", "no_retry_on",
}

// jobDefaults is the table of these keys.
func jobDefaults() (t table[job.Task]) {
	for _, name := range jobDefaultKeys {
		k := taskKeys[taskKeys.find(name)]
		t = append(t, k)
	}
	return t
}

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

// FillDefaults gives a task what it does not say itself, of what can be a default of a
// job.
func FillDefaults(s *job.Spec, defaults job.Spec) {
	if s.Timeout == 0 {
		s.Timeout = defaults.Timeout
	}
	if len(s.Pools) == 0 {
		s.Pools = defaults.Pools
	}
	s.DefaultRetries(defaults)
}

// WithDefaults gives a task the defaults of its job, as they are stored.
func WithDefaults(stored []byte, s *job.Spec) error {
	defaults, err := Defaults(stored)
	FillDefaults(s, defaults)
	return err
}

// DefaultLines are the defaults of a job as a job file has them, such as "timeout: 2m0s".
func DefaultLines(defaults job.Spec) (lines []string) {
	t := job.Task{Spec: defaults}
	for _, k := range jobDefaults() {
		if text := written(&k, &t); text != "" {
			lines = append(lines, k.name+": "+text)
		}
	}
	return lines
}

// DefaultsPatch changes some of the defaults of a job.
type DefaultsPatch struct {
	set   job.Spec
	clear []string // keys that are taken away
}

// ParseDefaultsPatch reads a JSON object with the defaults that are to be otherwise;
// null takes one away. The error is an AllFaults.
func ParseDefaultsPatch(object []byte) (*DefaultsPatch, error) {
	s := newStream("defaults", bytes.NewReader(object), inSequence, "an object")
	if err := s.next(); err != nil {
		msg := "want an object with keys of a task"
		if m := (*Error)(nil); errors.As(err, &m) && m.Key != "" {
			msg = m.Msg
		}
		return nil, AllFaults{&Error{File: s.file, Index: -1, Msg: msg, Err: err}}
	}
	keys := jobDefaults()
	for i := range keys {
		keys[i].in, keys[i].must = keys[i].in|inLines, 0
	}
	var t job.Task
	var faults AllFaults
	for _, m := range keys.mistakes(&s.o, inLines, &t) {
		faults = append(faults, &Error{File: s.file, Index: -1, Key: m.key, Msg: m.err.Error(), Err: m.err})
	}
	if len(faults) > 0 {
		return nil, faults
	}
	p := &DefaultsPatch{set: t.Spec}
	for i := range s.o.list {
		if s.o.value(i).kind() == null {
			p.clear = append(p.clear, string(s.o.list[i].key))
		}
	}
	return p, nil
}

// Apply returns the defaults as they are stored, with the change.
func (p *DefaultsPatch) Apply(before []byte) ([]byte, error) {
	old, err := Defaults(before)
	if err != nil {
		return nil, err
	}
	t := job.Task{Spec: old}
	for _, name := range p.clear {
		taskKeys[taskKeys.find(name)].is.(clears[job.Task]).clear(&t)
	}
	s := p.set
	FillDefaults(&s, t.Spec)
	return EncodeDefaults(s), nil
}
