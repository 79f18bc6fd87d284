package taskfile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
)

// The kinds of keys that say when a task starts, and how it is tried again.

// clock tells the time to which times in files are relative.
var clock = time.Now

// orNone is a whole number from 0, where 0 is told from a key that is not there.
type orNone[T any] struct {
	field func(*T) *int
	none  int // what stands for 0
	high  int
}

func (k orNone[T]) read(to *T, v value, _ form) error {
	n, err := wholeOf(v, 0, k.high)
	if n == 0 {
		n = k.none
	}
	if err == nil {
		*k.field(to) = n
	}
	return err
}

func (k orNone[T]) write(w *objectWriter, name string, from *T, _ bool) {
	if n := *k.field(from); n > 0 {
		w.whole(name, n)
	} else if n == k.none {
		w.whole(name, 0)
	}
}

func (k orNone[T]) schema(in form) *Schema { return wholeSchema(in, 0, k.high) }

// factors is a number from 1.
type factors[T any] struct {
	field func(*T) *float64
	high  float64
}

func (k factors[T]) read(to *T, v value, _ form) error {
	f, err := strconv.ParseFloat(v.raw(), 64)
	if v.kind() != number && v.kind() != text || err != nil || !(f >= 1 && f <= k.high) {
		return notThis(v, fmt.Sprintf("a number from 1 to %g", k.high))
	}
	*k.field(to) = f
	return nil
}

func (k factors[T]) write(w *objectWriter, name string, from *T, _ bool) {
	if f := *k.field(from); f != 0 {
		w.key(name)
		w.b = strconv.AppendFloat(w.b, f, 'f', -1, 64)
	}
}

func (k factors[T]) schema(form) *Schema {
	return &Schema{AnyOf: []*Schema{
		{Type: "number", Minimum: "1", Maximum: numeral(int(k.high))},
		{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?$`},
	}}
}

// waits is a time with a unit, or a number of seconds.
type waits[T any] struct {
	field func(*T) *time.Duration
}

func (k waits[T]) read(to *T, v value, in form) error {
	return readTime(k.field(to), v, in, job.ParseDuration, aTime)
}

func (k waits[T]) write(w *objectWriter, name string, from *T, always bool) {
	limits[T](k).write(w, name, from, always)
}

func (k waits[T]) schema(in form) *Schema {
	s := limitSchema(in)
	s.AnyOf[0].Pattern = strings.Replace(s.AnyOf[0].Pattern, "none|", "", 1)
	return s
}

// failureLists is a list of failures, as one string with commas or as an array.
type failureLists[T any] struct {
	field func(*T) *[]string
	check func(string) error
}

func (k failureLists[T]) read(to *T, v value, _ form) error {
	var list []string
	add := func(s string) error {
		list = append(list, s)
		return k.check(s)
	}
	switch v.kind() {
	case text, number:
		for s := range strings.SplitSeq(v.raw(), ",") {
			if err := add(strings.TrimSpace(s)); err != nil {
				return err
			}
		}
	case array:
		err := v.items(func(item value) error {
			if item.kind() != text && item.kind() != number {
				return &mistake{on: item.line(), err: not(item, "a string or a number")}
			}
			if err := add(item.raw()); err != nil {
				return &mistake{on: item.line(), err: fmt.Errorf("failure %d: %w", len(list), err)}
			}
			return nil
		})
		if err != nil {
			return err
		}
	default:
		return not(v, "a list of exit codes and words")
	}
	*k.field(to) = list
	return nil
}

func (k failureLists[T]) write(w *objectWriter, name string, from *T, _ bool) {
	if list := *k.field(from); len(list) > 0 {
		w.texts(name, list)
	}
}

func (k failureLists[T]) schema(form) *Schema {
	return &Schema{AnyOf: []*Schema{
		{Type: "array", Items: &Schema{AnyOf: []*Schema{{Type: "string"}, {Type: "integer", Minimum: "1", Maximum: "255"}}}},
		{Type: "string", MinLength: 1},
		{Type: "integer", Minimum: "1", Maximum: "255"},
	}}
}

// starts is when a task is to start, as people say it, in the local time zone.
type starts struct{}

func (starts) read(to *job.Task, v value, _ form) (err error) {
	if v.kind() != text {
		return not(v, "a time in a string")
	}
	to.Due, to.DueNote, err = job.When(v.raw(), clock(), time.Local)
	return err
}

func (starts) write(*objectWriter, string, *job.Task, bool) {}

func (starts) schema(form) *Schema { return &Schema{Type: "string", MinLength: 1} }

// dues is until when a stored task waits.
type dues struct{ instants[job.Task] }

func (k dues) write(w *objectWriter, name string, from *job.Task, _ bool) {
	if !from.Due.IsZero() {
		w.instant(name, from.Due)
	}
}

// toggles is true or false.
type toggles[T any] struct {
	field func(*T) **bool
}

func (k toggles[T]) read(to *T, v value, _ form) error {
	if v.kind() != boolean {
		return notThis(v, "true or false")
	}
	on := strings.EqualFold(v.raw(), "true") // YAML has True and TRUE, too
	*k.field(to) = &on
	return nil
}

func (k toggles[T]) write(w *objectWriter, name string, from *T, _ bool) {
	if on := *k.field(from); on != nil {
		w.key(name)
		w.b = strconv.AppendBool(w.b, *on)
	}
}

func (k toggles[T]) schema(form) *Schema { return &Schema{Type: "boolean"} }

// againKeys are the keys of a task of these kinds.
var againKeys = table[job.Task]{
	{name: "retries", in: inTasks | inLines | inJobFile | inFlags,
		is:   orNone[job.Task]{func(t *job.Task) *int { return &t.Retries }, job.NoRetries, job.MaxRetries},
		help: "How many attempts may follow a failed one; the default is 0."},
	{name: "retry_delay", in: inTasks | inLines | inJobFile | inFlags,
		is:   waits[job.Task]{func(t *job.Task) *time.Duration { return &t.Retry.Delay }},
		help: "Time before the second attempt, such as 30s; the default is 10s."},
	{name: "retry_backoff", in: inTasks | inLines | inJobFile | inFlags,
		is:   factors[job.Task]{func(t *job.Task) *float64 { return &t.Retry.Backoff }, job.MaxRetryBackoff},
		help: "Each delay is so many times the one before; the default is 2, and 1 keeps it as it is."},
	{name: "retry_max_delay", in: inTasks | inLines | inJobFile | inFlags,
		is:   waits[job.Task]{func(t *job.Task) *time.Duration { return &t.Retry.MaxDelay }},
		help: "No delay is longer; the default is 1h, or retry_delay if that is longer."},
	{name: "retry_jitter", in: inTasks | inLines | inJobFile | inFlags,
		is:   orNone[job.Task]{func(t *job.Task) *int { return &t.Retry.Jitter }, job.NoJitter, 100},
		help: "Each delay is made longer or shorter at random, by at most so many percent; the default is 10."},
	{name: "retry_on", in: inTasks | inLines | inJobFile | inFlags,
		is:   failureLists[job.Task]{func(t *job.Task) *[]string { return &t.Retry.On }, job.CheckFailure},
		help: "Only these failures are tried again: exit codes, signal, timeout, lost, output, not-started; the default is all."},
	{name: "no_retry_on", in: inTasks | inLines | inJobFile | inFlags,
		is:   failureLists[job.Task]{func(t *job.Task) *[]string { return &t.Retry.NotOn }, job.CheckNoFailure},
		help: "These failures are not tried again; none: all are. The default is exit code 100."},
	{name: "tries", in: inTasks, skip: inLines,
		is:   wholes[job.Task]{func(t *job.Task) *int { return &t.Tries }, 0, math.MaxInt32},
		help: "How many failed attempts count against the retries."},
	{name: "delay", in: inLines | inJobFile | inFlags,
		is:   waits[job.Task]{func(t *job.Task) *time.Duration { return &t.Delay }},
		help: "Do not start the task before so much time has passed since it was queued, such as 10m."},
	{name: "at", in: inLines | inJobFile | inFlags,
		is:   starts{},
		help: "Do not start the task before: 2026-03-29T22:30:00+02:00, 22:30, tomorrow 09:00, friday 18:00 or +90m."},
	{name: "due_at", in: inTasks, skip: inLines,
		is:   dues{instants[job.Task]{func(t *job.Task) *time.Time { return &t.Due }}},
		help: "A pending task is not started before."},
}

// heldKeys are the keys of a job of these kinds.
var heldKeys = table[job.Job]{
	{name: "retry_holds", in: inState,
		is:   toggles[job.Job]{func(j *job.Job) **bool { return &j.RetryHolds }},
		help: "Whether the other tasks of the job wait while one waits for its retry; the default is true."},
	{name: "parallel", in: inState,
		is:   wholes[job.Job]{func(j *job.Job) *int { return &j.Parallel }, 1, job.MaxParallel},
		help: "How many of its tasks may run at once; the default is 1."},
	{name: "priority", in: inState,
		is:   wholes[job.Job]{func(j *job.Job) *int { return &j.Priority }, math.MinInt32, math.MaxInt32},
		help: "Added to the priority of each of its tasks; the default is 0."},
	{name: "defaults", in: inState,
		is:   storedDefaults{},
		help: "Keys of a task: what its tasks are queued with that do not say it themselves."},
	{name: "paused_at", in: inState,
		is:   pausedSince{instants[job.Job]{func(j *job.Job) *time.Time { return &j.PausedAt }}},
		help: "Since when none of its tasks may start."},
}
