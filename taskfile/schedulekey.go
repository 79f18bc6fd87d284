package taskfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/schedule"
)

// scheduleKeys is every key of the schedule of a job file.
var scheduleKeys = table[schedule.Rules]{
	{name: "cron", in: inJobFile, must: inJobFile,
		is:   texts[schedule.Rules]{func(r *schedule.Rules) *string { return &r.Cron }, cronLine, false},
		help: "When it runs: minute, hour, day of the month, month, day of the week; or six fields with seconds in front; or @every 10m, @hourly, @daily, @weekly, @monthly, @yearly, @reboot."},
	{name: "timezone", in: inJobFile,
		is:   texts[schedule.Rules]{func(r *schedule.Rules) *string { return &r.TimeZone }, zoneName, false},
		help: "Time zone of the line, such as Europe/Berlin; the default is that of the machine."},
	{name: "overlap", in: inJobFile,
		is:   oneOf[schedule.Rules, schedule.Overlap]{func(r *schedule.Rules) *schedule.Overlap { return &r.Overlap }, "overlap", schedule.Overlaps, false},
		help: "If the run before has not ended: skip, or queue; the default is skip, or queue with missed: all."},
	{name: "missed", in: inJobFile,
		is:   oneOf[schedule.Rules, schedule.Missed]{func(r *schedule.Rules) *schedule.Missed { return &r.Missed }, "missed", schedule.Misseds, false},
		help: "Which of the times run that no manager was there for: one (the last), none or all; the default is one."},
	{name: "catch_up", in: inJobFile,
		is:   spans{func(r *schedule.Rules) *time.Duration { return &r.CatchUp }},
		help: "How old a missed time may be that still runs, such as 90m or 24h, or a number of seconds; the default is 24h."},
}

var (
	cronLine = rule{check: func(s string) error { _, err := schedule.Parse(s); return err }, pattern: `^[^\x00]+$`, min: 1}
	zoneName = rule{check: func(s string) error { _, err := schedule.LoadZone(s); return err }, pattern: `^[^\x00]+$`, min: 1}
)

// scheduleRules is the schedule of a job file: a cron line, or an object.
type scheduleRules struct{}

func (scheduleRules) read(to *jobHead, v value, in form) error {
	rules := &schedule.Rules{}
	to.schedule = rules
	if v.kind() == text {
		line, err := cronLine.of(v)
		rules.Cron = line
		rules.Fill()
		return err
	}
	if v.kind() != object {
		return notThis(v, "a cron line, or an object with cron")
	}
	r := reading[schedule.Rules]{table: scheduleKeys, in: in, to: rules}
	err := v.fields(func(name string, v value) error { return r.refuseUnknown(name, v.line()) })
	if err == nil {
		err = v.fields(func(name string, v value) error {
			_, err := r.key([]byte(name), v, 0)
			return err
		})
	}
	if err == nil {
		err = r.end(nil) // every key is known
	}
	if m := (*mistake)(nil); errors.As(err, &m) {
		return &mistake{on: m.on, err: fmt.Errorf("%s: %w", words.Quote(m.key), m.err)}
	}
	if err != nil {
		return err
	}
	rules.Fill()
	return rules.Check()
}

func (scheduleRules) write(*objectWriter, string, *jobHead, bool) {}

func (scheduleRules) schema(in form) *Schema {
	return &Schema{AnyOf: []*Schema{cronLine.schema(in), objectSchema(scheduleKeys, in)}}
}

// spans is a time above zero, with a unit or in seconds.
type spans struct {
	field func(*schedule.Rules) *time.Duration
}

func (k spans) read(to *schedule.Rules, v value, _ form) (err error) {
	if v.kind() != text && v.kind() != number {
		return notThis(v, "a time above zero such as 90m or 24h")
	}
	*k.field(to), err = job.ParseDuration(v.raw())
	return err
}

func (k spans) write(*objectWriter, string, *schedule.Rules, bool) {}

func (k spans) schema(in form) *Schema {
	s := limitSchema(in)
	for _, one := range s.AnyOf {
		one.Pattern = strings.Replace(one.Pattern, "(none|", "(", 1)
	}
	return s
}

// FormatSpec writes a task as an object, with the keys that flags can set, but for its id
// and its dependencies. ParseSpec reads it.
func FormatSpec(s *job.Spec) []byte {
	w := objectWriter{depth: 1}
	t := job.Task{Spec: *s}
	for i := range taskKeys {
		k := &taskKeys[i]
		if k.in.has(inFlags) && !slices.Contains([]string{"id", "dependencies"}, k.name) {
			k.is.write(&w, k.name, &t, false)
		}
	}
	w.end()
	return w.b
}

// ParseSpec reads one task, as a line of enqueue --from-file has it. Errors are of type
// *Error.
func ParseSpec(file string, data []byte) (job.Spec, error) {
	r := NewSpecReader(file, bytes.NewReader(data))
	s, err := r.Next()
	if err != nil {
		return s, err
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		return s, &Error{File: file, Index: -1, Msg: "want one task"}
	}
	return s, nil
}
