package taskfile

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// The kinds of keys of state.json and tasks.json that only this program writes.

// places is where a task was moved.
type places struct{}

func (places) read(to *job.Task, v value, _ form) error {
	n, err := wholeOf(v, math.MinInt, math.MaxInt)
	to.Place = int64(n)
	return err
}

func (places) write(w *objectWriter, name string, from *job.Task, _ bool) {
	if from.Place != 0 {
		w.key(name)
		w.b = strconv.AppendInt(w.b, from.Place, 10)
	}
}

func (places) schema(form) *Schema { return &Schema{Type: "integer"} }

// pausedSince is since when a job is paused.
type pausedSince struct{ instants[job.Job] }

func (k pausedSince) write(w *objectWriter, name string, from *job.Job, _ bool) {
	if !from.PausedAt.IsZero() {
		w.instant(name, from.PausedAt)
	}
}

// storedDefaults is what the tasks of a job are queued with.
type storedDefaults struct{}

func (storedDefaults) read(to *job.Job, v value, _ form) error {
	if v.kind() != object {
		return not(v, "an object of keys of a task")
	}
	var t job.Task
	err := v.fields(func(name string, v value) error {
		keys := jobDefaults()
		i := keys.find(name)
		if i < 0 {
			return nil // a later version has written it
		}
		err := keys[i].is.read(&t, v, inLines)
		if m := (*mistake)(nil); errors.As(err, &m) {
			err = m.err
		}
		if err != nil {
			return &mistake{on: v.line(), err: fmt.Errorf("%s: %w", words.Quote(name), err)}
		}
		return nil
	})
	to.Defaults = EncodeDefaults(t.Spec)
	return err
}

func (storedDefaults) write(w *objectWriter, name string, from *job.Job, _ bool) {
	if len(from.Defaults) > 0 {
		w.key(name)
		w.b = append(w.b, from.Defaults...)
	}
}

func (storedDefaults) schema(form) *Schema {
	s := objectSchema(jobDefaults(), inLines)
	s.AdditionalProperties = nil
	return s
}
