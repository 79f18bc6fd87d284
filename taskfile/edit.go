package taskfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// fixedKeys are the keys of a task to be queued that cannot be changed afterwards.
var fixedKeys = []string{"id", "status", "foreach"}

// editKeys is every key of a pending task that can be changed.
func editKeys() (t table[job.Task]) {
	for _, k := range taskKeys {
		if k.in.has(inLines) && !slices.Contains(fixedKeys, k.name) {
			k.in, k.must = inJobFile|inFlags, k.must&inJobFile
			t = append(t, k)
		}
	}
	return t
}

// EditKeys are the names of the keys of a pending task that can be changed.
func EditKeys() []string { return editKeys().names(inFlags) }

// Editing is a change of tasks by their keys. The zero value changes nothing.
type Editing struct {
	steps []func(*job.Task) error
	given map[string]bool // keys that get a value
}

// Set adds the change in a text KEY=VALUE. A list or an object is written as in YAML,
// such as [a, b]; a list of one element may be the element alone. An empty value takes the key
// away. labels.NAME and env.NAME are one label and one variable, whose value may be empty.
func (e *Editing) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("want KEY=VALUE, got %s; an example: priority=5", words.Quote(text))
	}
	if of, key, dotted := strings.Cut(name, "."); dotted && (of == "labels" || of == "env") {
		return e.setOne(of, key, value)
	}
	if value == "" {
		return e.Unset(name)
	}
	k, err := editKey(name)
	if err != nil {
		return err
	}
	v, err := editValue(k, value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	in := inFlags
	if v.kind() == object {
		in = inLines
	}
	if err := k.is.read(new(job.Task), v, in); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if e.given == nil {
		e.given = map[string]bool{}
	}
	e.given[name] = true
	e.add(func(t *job.Task) error {
		if name == "env" {
			return setEnv(t, func() error { return k.is.read(t, v, in) })
		}
		k.is.(clears[job.Task]).clear(t)
		return k.is.read(t, v, in)
	})
	return nil
}

// Unset adds that a key is taken away.
func (e *Editing) Unset(name string) error {
	if of, key, dotted := strings.Cut(name, "."); dotted && (of == "labels" || of == "env") {
		if key == "" {
			return fmt.Errorf("%s: want a name after the point", name)
		}
		e.add(func(t *job.Task) error {
			list := pairsOf(t, of)
			*list = slices.DeleteFunc(slices.Clone(*list), func(pair string) bool { return strings.HasPrefix(pair, key+"=") })
			return nil
		})
		return nil
	}
	k, err := editKey(name)
	switch {
	case err != nil:
		return err
	case k.must != 0:
		return fmt.Errorf("%s cannot be taken away: a task needs one", name)
	case name == "env":
		return errors.New("env cannot be taken away as a whole; env.NAME is one variable")
	}
	e.add(func(t *job.Task) error {
		k.is.(clears[job.Task]).clear(t)
		return nil
	})
	return nil
}

func (e *Editing) add(step func(*job.Task) error) { e.steps = append(e.steps, step) }

// Empty reports whether nothing is to be changed.
func (e *Editing) Empty() bool { return len(e.steps) == 0 }

// setOne sets a label or a variable.
func (e *Editing) setOne(of, key, value string) error {
	if of == "labels" {
		if _, err := job.ParseLabels([]string{key + "=" + value}); err != nil {
			return fmt.Errorf("labels: %w", err)
		}
	} else if key == "" || strings.ContainsAny(key+value, "\x00") {
		return fmt.Errorf("env: %s cannot be the name of a variable", words.Quote(key))
	}
	e.add(func(t *job.Task) error {
		set := func() error {
			*pairsOf(t, of) = []string{key + "=" + value}
			return nil
		}
		if of == "env" {
			return setEnv(t, set)
		}
		before := t.Labels
		_ = set() // it cannot fail
		t.Labels = job.SortLabels(overlaid(before, t.Labels))
		return nil
	})
	return nil
}

// pairsOf is the labels or the variables of a task.
func pairsOf(t *job.Task, of string) *[]string {
	if of == "env" {
		return &t.Env
	}
	return &t.Labels
}

// setEnv puts the variables that set sets on top of those that the task has.
func setEnv(t *job.Task, set func() error) error {
	before := t.Env
	if err := set(); err != nil {
		return err
	}
	if before == nil && len(t.Env) > 0 {
		return &mistake{key: "env", err: errors.New("no environment is stored with the task, which runs with that of the manager")}
	}
	t.Env = overlaid(before, t.Env)
	return nil
}

// overlaid is pairs with others in their place, or after them.
func overlaid(pairs, over []string) []string {
	out := slices.Clone(pairs)
	for _, pair := range over {
		key, _, _ := strings.Cut(pair, "=")
		i := slices.IndexFunc(out, func(p string) bool { return strings.HasPrefix(p, key+"=") })
		if i < 0 {
			out = append(out, pair)
		} else {
			out[i] = pair
		}
	}
	return out
}

// editKey finds a key that can be changed.
func editKey(name string) (*key[job.Task], error) {
	keys := editKeys()
	if i := keys.find(name); i >= 0 {
		return &keys[i], nil
	}
	if slices.Contains(fixedKeys, name) {
		return nil, fmt.Errorf("%s cannot be changed", name)
	}
	r := reading[job.Task]{table: keys, in: inFlags}
	err := r.refuseUnknown(name, 0)
	return nil, fmt.Errorf("%s: %w", words.Quote(name), err)
}

// editValue is the value of a flag for a key.
func editValue(k *key[job.Task], text string) (value, error) {
	s := k.is.schema(inLines)
	open := strings.TrimLeft(text, " ")
	switch {
	case s.Type == "object" && !strings.HasPrefix(open, "{"):
		return nil, fmt.Errorf("want an object such as {NAME: VALUE}, or one with %s.NAME=VALUE, got %s", k.name, words.Quote(text))
	case s.Type == "array" && !strings.HasPrefix(open, "["):
		return oneItem(text), nil
	case s.Type != "object" && !strings.HasPrefix(open, "["), s.Type == "string":
		return flagValue(text), nil
	}
	root, err := strictyaml.ParseValue("", []byte(text))
	if y := (*strictyaml.Error)(nil); errors.As(err, &y) {
		err = errors.New(y.Msg)
	}
	if err != nil || root == nil {
		return nil, err
	}
	return yamlValue{*root}, nil
}

// oneItem is the only element of a list.
type oneItem string

func (oneItem) kind() kind                             { return array }
func (oneItem) line() int                              { return 0 }
func (v oneItem) raw() string                          { return string(v) }
func (oneItem) text() (string, bool)                   { return "", false }
func (oneItem) whole(int, int) (int, bool)             { return 0, false }
func (v oneItem) items(yield func(value) error) error  { return yield(flagValue(v)) }
func (oneItem) fields(func(string, value) error) error { return nil }

// Apply changes a task. Errors are about what it is now, and name the key.
func (e *Editing) Apply(s *job.Spec) error {
	t := job.Task{Spec: *s}
	for _, step := range e.steps {
		if err := step(&t); err != nil {
			return placeless(err)
		}
	}
	if e.given["delay"] && !e.given["at"] {
		t.Due = time.Time{}
	}
	*s = t.Spec
	return placeless(checkEdited(s))
}

// placeless is an error with its key, but without a file.
func placeless(err error) error {
	if m := (*mistake)(nil); errors.As(err, &m) {
		return fmt.Errorf("%s: %w", m.key, m.err)
	}
	return err
}

// checkEdited returns an error for keys that do not go together.
func checkEdited(s *job.Spec) error {
	switch {
	case s.UniqueFor != job.UniqueWhileUnfinished && s.Unique == "":
		return &mistake{key: "unique_for", err: errors.New("goes with unique")}
	case s.RunIf == job.RunOnFailure && len(s.Dependencies)+len(s.AfterAny) == 0:
		return &mistake{key: "run_if", err: errNoneToFail}
	}
	return checkSelf(s)
}

// EditText is a pending task as a YAML file to be edited, below some lines of comment. Its
// variables are not in it, for they may be secret.
func EditText(s job.Spec, comment ...string) []byte {
	var b, unset strings.Builder
	for _, line := range comment {
		b.WriteString("# " + line + "\n")
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	t := job.Task{Spec: s}
	for _, k := range editKeys() {
		if text := written(&k, &t); text != "" {
			b.WriteString(k.name + ": " + text + "\n")
		} else {
			unset.WriteString("# " + k.name + ": " + k.help + "\n")
		}
	}
	if unset.Len() > 0 {
		b.WriteString("\n" + unset.String())
	}
	return []byte(b.String())
}

// written is the value of a key as it stands in the file, or nothing if it has none.
func written(k *key[job.Task], t *job.Task) string {
	switch is := k.is.(type) {
	case starts:
		if t.Due.IsZero() {
			return ""
		}
		return `"` + t.Due.In(time.Local).Format(time.RFC3339Nano) + `"`
	case limits[job.Task]:
		return writtenTime(*is.field(t))
	case waits[job.Task]:
		return writtenTime(*is.field(t))
	}
	w := objectWriter{depth: 1}
	k.is.write(&w, k.name, t, k.always)
	if w.count == 0 {
		return ""
	}
	w.end()
	object := jsontext.Value(w.b)
	if err := object.Format(jsontext.Multiline(false), jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true)); err != nil {
		return ""
	}
	_, text, _ := strings.Cut(strings.TrimSuffix(string(object), "}"), ": ")
	return foldable.Replace(text)
}

// writtenTime is a time as people write it, or nothing.
func writtenTime(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return job.TimeoutText(d)
}

// foldable are characters inside strings that YAML reads as the end of a line.
var foldable = strings.NewReplacer("\u0085", `\u0085`, "\u2028", `\u2028`, "\u2029", `\u2029`, "\ufeff", `\ufeff`, "\x7f", `\u007f`)

// ParseEdit reads what EditText has written and somebody has changed. A key that is left
// out is taken away; of env, only what is there is set. It reports false if the file has
// nothing but comments, and then s stays as it is. Errors are of type *Error.
func ParseEdit(file string, data []byte, s *job.Spec) (given bool, err error) {
	r := &jobReader{shown: file, index: -1}
	root, err := strictyaml.ParseValue(file, data)
	if err != nil {
		return false, r.convert(err)
	}
	if root == nil {
		return false, nil
	}
	t := job.Task{Spec: job.Spec{ID: s.ID, Extra: s.Extra}}
	lines, err := readEdit(yamlValue{*root}, &t, r)
	if err == nil {
		env := t.Env
		t.Env = s.Env
		err = setEnv(&t, func() error { t.Env = env; return nil })
	}
	if err == nil {
		err = checkEdited(&t.Spec)
	}
	if err != nil {
		return false, r.convert(r.onKnown(lines, err))
	}
	*s = t.Spec
	return true, nil
}

// readEdit reads the keys of an edited task.
func readEdit(v value, t *job.Task, r *jobReader) (map[string]int, error) {
	if v.kind() == object {
		err := v.fields(func(name string, v value) error {
			if slices.Contains(fixedKeys, name) {
				return &mistake{key: name, on: v.line(), err: errors.New("cannot be changed")}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return readObject(editKeys(), v, t, r)
}

// onKnown is on for mistakes whose line is not known yet.
func (r *jobReader) onKnown(lines map[string]int, err error) error {
	if m := (*mistake)(nil); errors.As(err, &m) && m.on == 0 {
		return r.on(lines, err)
	}
	return err
}

// EditedKeys are the names of the keys in which two definitions of a task differ.
func EditedKeys(a, b job.Spec) []string {
	out := []string{}
	x, y := job.Task{Spec: a}, job.Task{Spec: b}
	for _, k := range editKeys() {
		differ := written(&k, &x) != written(&k, &y)
		if k.name == "env" {
			differ = !slices.Equal(a.Env, b.Env)
		}
		if differ {
			out = append(out, k.name)
		}
	}
	return out
}
