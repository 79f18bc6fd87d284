package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/air-executor/air-executor/schedule"
	"github.com/air-executor/air-executor/taskfile"
)

// ReadSchedules reads what schedule list --json and schedule show --json print: an array,
// or objects. Those that files in schedules_dir declare are left out, and counted. Name is that of the
// input, for errors. env is what their tasks get, as environments are not printed.
func ReadSchedules(name string, in io.Reader, env []string) (orders []ScheduleOrder, ofFiles int, err error) {
	d := json.NewDecoder(in)
	for n := 1; ; {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return orders, ofFiles, nil
		} else if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", name, err)
		}
		list := []json.RawMessage{raw}
		if raw[0] == '[' {
			if err := json.Unmarshal(raw, &list); err != nil {
				return nil, 0, fmt.Errorf("%s: %w", name, err)
			}
		}
		for _, one := range list {
			o, ofFile, err := readSchedule(one)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: schedule %d: %w", name, n, err)
			}
			if n++; ofFile {
				ofFiles++
				continue
			}
			o.Env = env
			if err := CheckSchedule(o); err != nil {
				return nil, 0, fmt.Errorf("%s: schedule %q: %w", name, o.Name, err)
			}
			orders = append(orders, o)
		}
	}
}

func readSchedule(raw []byte) (o ScheduleOrder, ofFile bool, err error) {
	var form ScheduleForm
	if err := json.Unmarshal(raw, &form); err != nil {
		return o, false, err
	}
	if form.CatchUp < 0 || form.CatchUp > math.MaxInt64/1e9 {
		return o, false, fmt.Errorf("catch_up %v: want seconds above zero", form.CatchUp)
	}
	o = ScheduleOrder{Name: form.Schedule, Job: or(form.Job), Paused: form.PausedAt != nil, Rules: schedule.Rules{
		Cron: form.Cron, TimeZone: or(form.TimeZone), CatchUp: time.Duration(form.CatchUp * float64(time.Second)),
	}}
	if err := o.Rules.Set(form.Overlap, form.Missed); err != nil {
		return o, false, err
	}
	if form.File != nil && form.File.Text != "" {
		o.What = taskfile.Scheduled{File: form.File.Text, Path: form.File.Path, Dir: or(form.File.Dir)}
		for _, name := range slices.Sorted(maps.Keys(form.File.Params)) {
			o.What.Params = append(o.What.Params, name+"="+form.File.Params[name])
		}
		return o, form.Source != nil, nil
	}
	if len(form.Runs) == 0 || string(form.Runs) == "null" {
		return o, false, errors.New("neither runs nor file says what it is for")
	}
	o.What.Task, err = taskfile.ParseSpec("runs", form.Runs)
	return o, form.Source != nil, err
}

func or(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
