package taskfile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// joiners are the zero width joiners that scripts and emoji need.
const joiners = "\u200c\u200d"

// rule restricts a string.
type rule struct {
	check    func(string) error
	pattern  string // the rule as a regular expression, as far as possible
	min, max int    // characters; max 0: unlimited
}

// The rules for strings. An id is at most 255 bytes, so at most as many characters.
var (
	anyText = rule{pattern: `^[^\x00]*$`}
	command = rule{check: checkCommand, pattern: `^[^\x00]+$`, min: 1}
	taskID  = rule{check: job.CheckID, pattern: `^[\p{L}\p{M}\p{N}\p{P}\p{S} ` + joiners + `]+$`, min: 1, max: job.MaxIDBytes}
	jobName = rule{check: job.CheckName, pattern: `^[\p{L}\p{N}_-]+$`, min: 1, max: job.MaxNameRunes}
	// A label may be empty, and so has no least length.
	labelValue = rule{check: job.CheckLabelValue, pattern: `^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$`, max: job.MaxLabelValue}
	uniqueKey  = rule{check: job.CheckUniqueKey, pattern: `^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$`, min: 1, max: job.MaxUniqueKey}

	jobUUID = rule{check: checkUUID, pattern: `^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$`, min: 1, max: maxUUID}
)

// of returns the string of a value, if it obeys the rule.
func (r rule) of(v value) (string, error) {
	s, ok := v.text()
	switch {
	case !ok:
		return "", not(v, "a string")
	case !utf8.ValidString(s):
		return "", errNotUTF8
	}
	if err := job.CheckText("the string", s); err != nil {
		return "", err
	}
	if r.check != nil {
		return s, r.check(s)
	}
	return s, nil
}

func checkCommand(s string) error {
	if s == "" {
		return fmt.Errorf("command is empty")
	}
	return nil
}

// texts is a string.
type texts[T any] struct {
	field func(*T) *string
	rule  rule
	empty bool // "" is allowed, and means unset
}

func (k texts[T]) read(to *T, v value, _ form) (err error) {
	if k.empty {
		if s, ok := v.text(); ok && s == "" {
			return nil
		}
	}
	*k.field(to), err = k.rule.of(v)
	return err
}

func (k texts[T]) write(w *objectWriter, name string, from *T, always bool) {
	switch s := *k.field(from); {
	case s != "" || always && !k.empty:
		w.text(name, s)
	case always:
		w.null(name)
	}
}

func (k texts[T]) schema(in form) *Schema {
	s := k.rule.schema(in)
	if k.empty {
		s.MinLength = 0
		s.Pattern = strings.Replace(s.Pattern, "+$", "*$", 1)
	}
	return s
}

// ids is the id of a task. If the task is to be queued, the id must be valid for a new
// task.
type ids struct{ texts[job.Task] }

func (k ids) read(to *job.Task, v value, in form) error {
	if in != inTasks {
		k.rule.check = job.CheckNewID
	}
	return k.texts.read(to, v, in)
}

// lists is a list of strings.
type lists[T any] struct {
	field func(*T) *[]string
	noun  string // for one of them
	rule  rule
	once  form // forms in which none may occur twice
}

func (k lists[T]) read(to *T, v value, in form) error {
	if v.kind() != array {
		return not(v, "an array of strings")
	}
	var list []string
	err := v.items(func(item value) error {
		s, err := k.rule.of(item)
		if err != nil {
			return &mistake{on: item.line(), err: fmt.Errorf("%s %d: %w", k.noun, len(list)+1, err)}
		}
		list = append(list, s)
		return nil
	})
	if err == nil && k.once.has(in) {
		err = unique(list)
	}
	*k.field(to) = list
	return err
}

func unique(list []string) error {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if seen[s] {
			return fmt.Errorf("names %s twice", words.Quote(s))
		}
		seen[s] = true
	}
	return nil
}

func (k lists[T]) write(w *objectWriter, name string, from *T, always bool) {
	if list := *k.field(from); always || len(list) > 0 {
		w.texts(name, list)
	}
}

func (k lists[T]) schema(in form) *Schema {
	return &Schema{Type: "array", Items: k.rule.schema(in), UniqueItems: k.once.has(in)}
}

// wholes is a whole number.
type wholes[T any] struct {
	field     func(*T) *int
	low, high int
}

func (k wholes[T]) read(to *T, v value, _ form) (err error) {
	*k.field(to), err = wholeOf(v, k.low, k.high)
	return err
}

func wholeOf(v value, low, high int) (int, error) {
	n, ok := v.whole(low, high)
	if !ok {
		return 0, notThis(v, fmt.Sprintf("a whole number from %d to %d", low, high))
	}
	return n, nil
}

func (k wholes[T]) write(w *objectWriter, name string, from *T, always bool) {
	if n := *k.field(from); always || n != 0 {
		w.whole(name, n)
	}
}

func (k wholes[T]) schema(in form) *Schema { return wholeSchema(in, k.low, k.high) }

// perhaps is a whole number that may be unset.
type perhaps[T any] struct {
	field     func(*T) **int
	low, high int
}

func (k perhaps[T]) read(to *T, v value, _ form) error {
	n, err := wholeOf(v, k.low, k.high)
	*k.field(to) = &n
	return err
}

func (k perhaps[T]) write(w *objectWriter, name string, from *T, _ bool) {
	if n := *k.field(from); n != nil {
		w.whole(name, *n)
	}
}

func (k perhaps[T]) schema(in form) *Schema { return wholeSchema(in, k.low, k.high) }

// limits is a time limit: a time with a unit, seconds, or none. In files that people
// write, the seconds must be a whole number.
type limits[T any] struct {
	field func(*T) *time.Duration
}

const aTime = "a time above zero such as 90s or 5m"

func (k limits[T]) read(to *T, v value, in form) error {
	return readTime(k.field(to), v, in, job.ParseTimeout, aTime+" or none")
}

// readTime reads a time with a unit, or a number of seconds.
func readTime(field *time.Duration, v value, in form, parse func(string) (time.Duration, error), want string) (err error) {
	switch v.kind() {
	case text:
		*field, err = parse(v.raw())
		return err
	case number:
		n, whole := v.whole(1, math.MaxInt)
		switch seconds, ok := job.ParseSeconds(v.raw()); {
		case whole:
			*field, err = parse(strconv.Itoa(n))
			return err
		case in == inJobFile || ok && seconds <= 0 || strings.HasPrefix(v.raw(), "-"):
		case !ok:
			return fmt.Errorf("%s seconds are too long", words.Clip(v.raw()))
		case seconds < job.MinDuration:
			return fmt.Errorf("want at least %s, got %s", job.MinDuration, words.Clip(v.raw()))
		default:
			*field = min(seconds, job.NoTimeout)
			return nil
		}
	}
	return notThis(v, want)
}

func (k limits[T]) write(w *objectWriter, name string, from *T, _ bool) {
	if d := *k.field(from); d > 0 {
		w.seconds(name, d)
	}
}

func (k limits[T]) schema(in form) *Schema { return limitSchema(in) }

// instants is a point in time.
type instants[T any] struct {
	field func(*T) *time.Time
}

func (k instants[T]) read(to *T, v value, _ form) (err error) {
	field := k.field(to)
	switch v.kind() {
	case text:
		*field, err = job.ParseTime(v.raw())
		return err
	case number:
		*field, err = job.UnixTime(v.raw())
		return err
	}
	return not(v, "a time in a string, or a Unix time")
}

func (k instants[T]) write(w *objectWriter, name string, from *T, _ bool) {
	w.instant(name, *k.field(from))
}

func (k instants[T]) schema(form) *Schema { return instantSchema() }

// oneOf is one of a few words.
type oneOf[T any, S ~string] struct {
	field func(*T) *S
	noun  string
	list  []S
	empty bool // "" is allowed, and means unset
}

func (k oneOf[T, S]) read(to *T, v value, _ form) (err error) {
	s, err := anyText.of(v)
	if err == nil && (s != "" || !k.empty) {
		*k.field(to), err = words.OneOf(k.noun, s, k.list)
	}
	return err
}

func (k oneOf[T, S]) write(w *objectWriter, name string, from *T, always bool) {
	if s := *k.field(from); always || s != "" {
		w.text(name, string(s))
	}
}

func (k oneOf[T, S]) schema(form) *Schema {
	s := &Schema{}
	for _, word := range k.list {
		s.Enum = append(s.Enum, string(word))
	}
	if k.empty {
		s.Enum = append(s.Enum, "")
	}
	return s
}

// statuses is the status of a task. If the task is to be queued, it must be pending.
type statuses struct{ oneOf[job.Task, job.Status] }

func (k statuses) read(to *job.Task, v value, in form) error {
	err := k.oneOf.read(to, v, in)
	if err == nil && in == inLines && to.Status != job.Pending {
		err = fmt.Errorf("%s: only tasks that are pending can be queued; air-executor import reads tasks with their results",
			words.Quote(string(to.Status)))
	}
	return err
}

func (k statuses) schema(in form) *Schema {
	if in == inLines {
		return &Schema{Enum: []any{string(job.Pending)}}
	}
	return k.oneOf.schema(in)
}

// folders is the path of a folder. A leading ~ is refused, because only shells expand
// it.
type folders[T any] struct {
	field func(*T) *string
}

func (k folders[T]) read(to *T, v value, in form) error {
	s, err := anyText.of(v)
	field := k.field(to)
	switch {
	case err != nil:
		return err
	case v.kind() != text:
		return not(v, "a string")
	case s == "" && in == inJobFile:
		return fmt.Errorf("must not be empty")
	case in != inTasks && (s == "~" || strings.HasPrefix(s, "~/")):
		return fmt.Errorf("~ does not stand for the home folder here; write %s in full", words.Quote(s))
	}
	*field = s
	return nil
}

func (k folders[T]) write(w *objectWriter, name string, from *T, always bool) {
	if s := *k.field(from); always || s != "" {
		w.text(name, s)
	}
}

func (k folders[T]) schema(in form) *Schema {
	s := &Schema{Type: "string", Pattern: anyText.pattern}
	if in == inJobFile {
		s.MinLength = 1
	}
	if in != inTasks {
		s.Not = &Schema{Type: "string", Pattern: `^~(/|$)`}
	}
	return s
}

// variables is an object of strings, as "KEY=VALUE" pairs.
type variables[T any] struct {
	field func(*T) *[]string
}

func (k variables[T]) read(to *T, v value, _ form) error {
	if v.kind() != object {
		return not(v, "an object of strings")
	}
	var env []string
	err := v.fields(func(name string, v value) error {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return fmt.Errorf("%s cannot be the name of a variable", words.Quote(name))
		}
		s, err := anyText.of(v)
		if err != nil {
			return &mistake{key: name, on: v.line(), err: err}
		}
		env = append(env, name+"="+s)
		return nil
	})
	*k.field(to) = env
	if m := (*mistake)(nil); errors.As(err, &m) {
		return &mistake{on: m.on, err: fmt.Errorf("variable %s: %w", words.Quote(m.key), m.err)}
	}
	return err
}

func (k variables[T]) write(*objectWriter, string, *T, bool) {}

func (k variables[T]) schema(in form) *Schema {
	return &Schema{Type: "object", PropertyNames: &Schema{Pattern: `^[^=\x00]+$`}, AdditionalProperties: anyText.schema(in)}
}

// labels is an object of labels, as sorted "KEY=VALUE" pairs.
type labels[T any] struct {
	field func(*T) *[]string
}

func (k labels[T]) read(to *T, v value, in form) error {
	if in == inFlags {
		pairs, err := job.ParseLabels([]string{v.raw()})
		*k.field(to) = append(*k.field(to), pairs...)
		return err
	}
	if v.kind() != object {
		return not(v, "an object of strings")
	}
	var list []string
	err := v.fields(func(name string, v value) error {
		if err := job.CheckLabelKey(name); err != nil {
			return &mistake{on: v.line(), err: err}
		}
		s, err := labelValue.of(v)
		if err != nil {
			return &mistake{on: v.line(), err: fmt.Errorf("label %s: %w", words.Quote(name), err)}
		}
		list = append(list, name+"="+s)
		return nil
	})
	*k.field(to) = job.SortLabels(list)
	return err
}

func (k labels[T]) write(w *objectWriter, name string, from *T, always bool) {
	if list := *k.field(from); len(list) > 0 {
		w.pairs(name, list)
	}
}

func (k labels[T]) schema(in form) *Schema {
	return &Schema{
		Type: "object", PropertyNames: &Schema{Pattern: `^[\p{L}\p{N}_./-]+$`, MinLength: 1, MaxLength: job.MaxLabelKey},
		AdditionalProperties: labelValue.schema(in),
	}
}

// uniqueFors is how long a unique key is kept.
type uniqueFors[T any] struct {
	field func(*T) *job.UniqueFor
}

func (k uniqueFors[T]) read(to *T, v value, _ form) (err error) {
	if v.kind() != text {
		return not(v, "running, pending, or a time in a string, such as 10m")
	}
	*k.field(to), err = job.ParseUniqueFor(v.raw())
	return err
}

func (k uniqueFors[T]) write(w *objectWriter, name string, from *T, _ bool) {
	if u := *k.field(from); u != job.UniqueWhileUnfinished {
		w.text(name, u.String())
	}
}

func (k uniqueFors[T]) schema(form) *Schema {
	return &Schema{Type: "string", Pattern: "^(running|pending|" + countPattern + "|" + unitsPattern + ")$"}
}
