package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/schedule"
	"github.com/air-executor/air-executor/taskfile"
)

// Forms of package queue.
type (
	Schedule     = queue.ScheduleForm
	ScheduleFile = queue.ScheduleFileForm
	Fired        = queue.FiredForm
)

// ScheduleChange is what is to hold for a schedule; what is not given stays, and is as
// usual for a new one.
type ScheduleChange struct {
	Cron     *string           `json:"cron"`
	TimeZone *string           `json:"timezone"`
	Overlap  string            `json:"overlap"`
	Missed   string            `json:"missed"`
	CatchUp  *float64          `json:"catch_up"`
	Job      *string           `json:"job"`
	Runs     json.RawMessage   `json:"runs"`
	File     *NewScheduleFile  `json:"file"`
	Env      map[string]string `json:"env"`
}

// NewScheduleFile is a job file.
type NewScheduleFile struct {
	Text   string            `json:"text"`
	Params map[string]string `json:"params"`
	Dir    *string           `json:"working_directory"`
}

// NewSchedule is a schedule that is added.
type NewSchedule struct {
	Schedule string `json:"schedule"`
	Paused   bool   `json:"paused"`
	ScheduleChange
}

func listSchedules(c *call) (answer, error) {
	all, err := c.api.queue.DB.Schedules(c.Context())
	out := make([]Schedule, len(all))
	for i, s := range all {
		out[i] = queue.ToScheduleForm(s)
	}
	return ok(out, err)
}

func getSchedule(c *call) (answer, error) {
	s, err := c.api.queue.DB.Schedule(c.Context(), c.PathValue("schedule"))
	if err != nil {
		return answer{}, err
	}
	return ok(queue.ToScheduleForm(s), nil)
}

func addSchedule(c *call) (answer, error) {
	text, err := c.text()
	if err != nil {
		return answer{}, err
	}
	var body NewSchedule
	if err := decode(text, &body); err != nil {
		return answer{}, err
	}
	o := queue.ScheduleOrder{Name: body.Schedule, Paused: body.Paused}
	faults := body.apply(&o)
	if body.Cron == nil {
		faults = append(faults, Fault{Pointer: "/cron", Message: "is missing"})
	}
	if body.Runs == nil && body.File == nil {
		faults = append(faults, Fault{Message: "neither runs nor file says what it is for"})
	}
	if len(faults) == 0 {
		if err := queue.CheckSchedule(o); err != nil {
			faults = append(faults, Fault{Message: err.Error()})
		}
	}
	if len(faults) > 0 {
		return answer{}, wrongBody(faults...)
	}
	form := func(added any) any { return queue.ToScheduleForm(added.(db.Schedule)) }
	return c.add(sumOf(text), form, func(ctx context.Context) error {
		_, err := c.api.queue.AddSchedule(ctx, o)
		return err
	})
}

// apply changes an order, and returns all that is wrong with the change.
func (b *ScheduleChange) apply(o *queue.ScheduleOrder) (faults []Fault) {
	note := func(pointer string, err error) {
		if err != nil {
			faults = append(faults, Fault{Pointer: pointer, Message: err.Error()})
		}
	}
	if b.Cron != nil {
		o.Rules.Cron = *b.Cron
	}
	if b.TimeZone != nil {
		o.Rules.TimeZone = *b.TimeZone
	}
	if b.CatchUp != nil {
		if *b.CatchUp <= 0 || *b.CatchUp > 1e9 {
			note("/catch_up", errors.New("want seconds above zero"))
		}
		o.Rules.CatchUp = time.Duration(*b.CatchUp * float64(time.Second))
	}
	note("/overlap", o.Rules.Set(b.Overlap, ""))
	note("/missed", o.Rules.Set("", b.Missed))
	if b.Job != nil {
		o.Job = *b.Job
	}
	switch {
	case b.Runs != nil && b.File != nil:
		note("/file", errors.New("runs and file do not go together"))
	case b.Runs != nil:
		note("/runs", b.task(o))
	case b.File != nil:
		note("/file", b.File.apply(o))
	}
	if b.Env != nil {
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(b.Env)) {
			if key == "" || strings.ContainsAny(key, "=\x00") || strings.Contains(b.Env[key], "\x00") {
				note("/env/"+jsonPointer(key), errors.New("cannot be a variable"))
			}
			pairs = append(pairs, key+"="+b.Env[key])
		}
		o.Env = job.OnTop(pairs)
	}
	return faults
}

// task is what a schedule stores each time.
func (b *ScheduleChange) task(o *queue.ScheduleOrder) error {
	t, err := taskfile.ParseSpec("runs", b.Runs)
	var at *taskfile.Error
	switch {
	case errors.As(err, &at) && at.Key != "":
		return errors.New(at.Key + ": " + at.Msg)
	case errors.As(err, &at):
		return errors.New(at.Msg)
	case err != nil:
		return err
	case t.Dir != "" && !filepath.IsAbs(t.Dir):
		return errors.New("working_directory: " + taskfile.NotAbsolute(t.Dir).Error())
	case len(t.Env) > 0:
		return errors.New("env: is a key of the schedule")
	}
	o.What = taskfile.Scheduled{Task: t}
	return nil
}

func (f *NewScheduleFile) apply(o *queue.ScheduleOrder) error {
	dir := or(f.Dir, "")
	if dir != "" && !filepath.IsAbs(dir) {
		return errors.New("working_directory: " + taskfile.NotAbsolute(dir).Error())
	}
	if f.Text == "" {
		return errors.New("text: is missing")
	}
	// Its path makes the name of its jobs, if it says none.
	o.What = taskfile.Scheduled{File: f.Text, Path: filepath.Join("/", o.Name+".yaml"), Dir: dir}
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		o.What.Params = append(o.What.Params, name+"="+f.Params[name])
	}
	o.Job = ""
	return nil
}

func changeSchedule(c *call) (answer, error) {
	var body ScheduleChange
	if err := c.read(&body); err != nil {
		return answer{}, err
	}
	s, err := c.api.queue.EditSchedule(c.Context(), c.PathValue("schedule"), func(o *queue.ScheduleOrder) error {
		if faults := body.apply(o); len(faults) > 0 {
			return wrongBody(faults...)
		}
		if err := queue.CheckSchedule(*o); err != nil {
			return wrongBody(Fault{Message: err.Error()})
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return ok(queue.ToScheduleForm(s), nil)
}

func removeSchedule(c *call) (answer, error) {
	if err := c.api.queue.RemoveSchedule(c.Context(), c.PathValue("schedule")); err != nil {
		return answer{}, err
	}
	return empty()
}

func pauseSchedule(c *call) (answer, error) {
	s, _, err := c.api.queue.PauseSchedule(c.Context(), c.PathValue("schedule"))
	if err != nil {
		return answer{}, err
	}
	return ok(queue.ToScheduleForm(s), nil)
}

func resumeSchedule(c *call) (answer, error) {
	s, _, err := c.api.queue.ResumeSchedule(c.Context(), c.PathValue("schedule"))
	if err != nil {
		return answer{}, contradiction(err)
	}
	return ok(queue.ToScheduleForm(s), nil)
}

func runSchedule(c *call) (answer, error) {
	name := c.PathValue("schedule")
	if err := schedule.CheckName(name); err != nil {
		return answer{}, noSuchSchedule.of(err)
	}
	form := func(added any) any {
		f := added.(db.Fired)
		return Fired{Schedule: name, Job: f.Job, Task: orNull(f.Task), Added: f.Stored}
	}
	return c.add(nil, form, func(ctx context.Context) error {
		_, err := c.api.queue.RunSchedule(ctx, name)
		return contradiction(err)
	})
}
