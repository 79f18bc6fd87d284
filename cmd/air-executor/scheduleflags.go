package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/schedule"
	"github.com/air-executor/air-executor/taskfile"
)

// empty reports whether no flag is given.
func (f *scheduleFlags) empty() bool { return reflect.ValueOf(*f).IsZero() }

// commandGiven reports whether a command is given, after --. Its words are then all that is
// given beside the name.
func commandGiven(args arguments, given []string) (bool, error) {
	i := slices.Index(args, "--")
	if i >= 0 && len(args)-i-1 != len(given) {
		return true, usage(errors.New("want the name of the schedule before --, and only the command after it"), "")
	}
	return i >= 0, nil
}

// commandFlag is a flag that was given and makes sense for a command only.
func (f *scheduleFlags) commandFlag() string {
	flag := firstGiven(
		givenFlag{"--job", f.Job != ""}, givenFlag{"--priority", f.Priority != 0}, givenFlag{"--timeout", f.Timeout != 0},
		givenFlag{"--set", len(f.Set) > 0})
	return cmp.Or(flag, f.retryFlags.given())
}

// file reads a job file, and takes from it when it runs.
func (f *scheduleFlags) file(o *queue.ScheduleOrder, path, dir string) error {
	data, err := taskfile.ReadText(path)
	if err != nil {
		return err
	}
	at := path
	if path != taskfile.Stdin {
		if at, err = filepath.Abs(path); err != nil {
			return err
		}
	} else {
		at = filepath.Join(dir, "job")
	}
	options := taskfile.JobOptions{As: o.Name, Params: f.Param, Dir: dir}
	if _, err := taskfile.ParseJobWith(path, data, options); err != nil {
		return err // which names the file as it was given
	}
	parsed, err := taskfile.ParseJobWith(at, data, options)
	if err != nil {
		return err
	}
	if parsed.Schedule != nil {
		o.Rules = *parsed.Schedule
	}
	o.What = taskfile.Scheduled{File: string(data), Path: at, Dir: dir, Params: f.Param}
	o.What.Hooks, err = f.hooks()
	return err
}

// set sets the keys of the retry flags and of --set.
func (f *scheduleFlags) set(t *job.Spec) error {
	if err := f.retryFlags.set(t); err != nil {
		return err
	}
	hooks, err := f.hooks()
	if err != nil {
		return err
	}
	t.Hooks = hooks.Over(t.Hooks)
	said := f.said()
	for _, kv := range f.Set {
		key, value, ok := strings.Cut(kv, "=")
		switch {
		case !ok:
			return usage(fmt.Errorf("--set %q is not KEY=VALUE", kv), "")
		case slices.Contains([]string{"id", "dependencies", "after_any", "command", "args"}, key):
			return usage(fmt.Errorf("--set %s: a schedule sets that itself", key), "")
		case key == "at":
			return usage(errors.New("--set at: --cron says when"), "to start the task later than that: --set delay=10m")
		case !taskfile.HasFlag(key):
			return usage(fmt.Errorf("--set %s: a task has no such key", key), "air-executor schema enqueue prints the keys")
		case said[key] != "" && key != "labels" && key != "pools":
			return usage(fmt.Errorf("--set %s: is said twice, also by %s", key, said[key]), "")
		case said[key] == "" && key == "labels":
			t.Labels = nil
		case said[key] == "" && key == "pools":
			t.Pools = nil
		}
		said[key] = "--set"
		if err := setKey(key, value, t); err != nil {
			return usage(fmt.Errorf("--set %s: %w", key, err), "")
		}
	}
	return nil
}

// setKey sets a key of a task.
func setKey(key, value string, t *job.Spec) error {
	if err := taskfile.Flag(key, value, t); err != nil {
		return err
	}
	labels, err := job.ParseLabels(t.Labels) // none is given twice
	t.Labels = labels
	return cmp.Or(err, t.Retry.Check())
}

// said are the keys of a task that flags of their own set, with these flags.
func (f *scheduleFlags) said() map[string]string {
	said := map[string]string{}
	for _, one := range append(f.retryFlags.all(), f.hookFlags.all()...) {
		if one.text != "" {
			said[one.key] = one.flag
		}
	}
	if f.Priority != 0 {
		said["priority"] = "--priority"
	}
	if f.Timeout != 0 {
		said["timeout"] = "--timeout"
	}
	if f.Dir != "" {
		said["working_directory"] = "--working-directory"
	}
	return said
}

// task changes the task of a schedule as the flags say.
func (f *scheduleFlags) task(s *taskfile.Scheduled, env *[]string) error {
	if flag := f.commandFlag(); s.File != "" && flag != "" {
		return usage(fmt.Errorf("%s is for a command; in a job file, each task has its own", flag), "")
	}
	if err := (fromShell{env: f.Env}).check(); err != nil {
		return usage(err, "")
	}
	if f.NoEnv && len(f.Env) > 0 {
		return usage(errors.New("--env and --no-env do not go together"), "")
	}
	if f.Priority != 0 {
		s.Task.Priority = int(f.Priority)
	}
	if f.Timeout != 0 {
		s.Task.Timeout = time.Duration(f.Timeout)
	}
	if f.NoEnv {
		*env = nil
	}
	if len(f.Env) > 0 {
		if *env == nil {
			return usage(errors.New("--env: the schedule has no environment to set variables in"), "give the command, too")
		}
		*env = append(*env, f.Env...)
	}
	if f.Dir != "" {
		dir, err := taskDir(f.Dir)
		if err != nil {
			return err
		}
		if s.Task.Dir = dir; s.File != "" {
			s.Task.Dir, s.Dir = "", dir
		}
	}
	switch {
	case s.File != "":
		s.Params = withParams(s.Params, f.Param)
		hooks, err := f.hooks()
		s.Hooks = hooks.Over(s.Hooks)
		return err
	case len(f.Param) > 0:
		return usage(errors.New("--param goes with a job file"), "")
	}
	return f.set(&s.Task)
}

// withParams are the values of parameters, some of them given anew.
func withParams(before, given []string) []string {
	anew := func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.ContainsFunc(given, func(g string) bool { return strings.HasPrefix(g, name+"=") })
	}
	return append(slices.DeleteFunc(slices.Clone(before), anew), given...)
}

// rules sets what the flags say of when it fires.
func (f *scheduleFlags) rules(o *queue.ScheduleOrder) error {
	r := &o.Rules
	if f.Cron != "" {
		r.Cron = f.Cron
	}
	if f.TimeZone != "" {
		r.TimeZone = f.TimeZone
	}
	if f.CatchUp != 0 {
		r.CatchUp = time.Duration(f.CatchUp)
	}
	if f.Job != "" {
		if err := job.CheckNewName(f.Job); err != nil {
			return usage(err, "")
		}
		o.Job = f.Job
	}
	if f.Overlap == "" && f.Missed != "" {
		r.Overlap = "" // what goes with it
	}
	if err := r.Set(f.Overlap, f.Missed); err != nil {
		return usage(err, "")
	}
	return nil
}

// changeSchedule changes a schedule, and says so.
func changeSchedule(ui *ui, ws *workspace, change func(*queue.Queue) (db.Schedule, string, error)) error {
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	s, said, err := change(q)
	if err != nil {
		return noSchedule(err)
	}
	if ui.json() {
		return ui.printJSON(queue.ToScheduleForm(s))
	}
	if said != "" {
		ui.printf("%s", said)
	}
	return nil
}

// noSchedule adds to an error what to do about it.
func noSchedule(err error) error {
	of := (*queue.OfFile)(nil)
	switch {
	case errors.Is(err, db.ErrNoSchedule):
		return fail(exitNoSuch, err, "air-executor schedule list lists the schedules")
	case errors.As(err, &of):
		return fail(exitError, err, "change or remove that file; schedule pause works")
	case errors.Is(err, db.ErrNotDue):
		return fail(exitError, err, "try again")
	}
	return explainEnqueue(err)
}

// inZone is a time of a schedule in its time zone.
func inZone(s db.Schedule, t time.Time, shown bool) string {
	if t.IsZero() || !shown {
		return "-"
	}
	zone, err := schedule.LoadZone(s.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02 15:04:05 -07:00")
}

// scheduleNote is what there is to say of a schedule in a few words.
func scheduleNote(s db.Schedule) string {
	switch {
	case s.FileGone:
		return "paused, its file is gone"
	case !s.PausedAt.IsZero():
		return "paused"
	case s.Error != "":
		return "did not fire: " + s.Error
	case s.SkippedAt.After(s.LastAt) && s.Skipped == db.SkippedOverlap:
		return "skipped the last time, as a run had not ended"
	case s.SkippedAt.After(s.LastAt):
		return "missed the last time"
	}
	return ""
}

// printNext says when a schedule fires.
func printNext(ui *ui, s db.Schedule) {
	next := queue.NextTimes(s, 1)
	if len(next) == 0 {
		ui.printf("%s\n", s.Name)
		return
	}
	ui.printf("%s, next at %s\n", s.Name, inZone(s, next[0], true))
}

// printSchedule prints a schedule with its next times.
func printSchedule(ui *ui, s db.Schedule) error {
	if ui.json() {
		return ui.printJSON(queue.ToScheduleForm(s))
	}
	row := func(name, value string) {
		if value != "" && value != "-" {
			ui.printf("%-14s%s\n", name+":", value)
		}
	}
	zone := s.TimeZone
	if zone == "" {
		zone = "of the machine"
		if tz := os.Getenv("TZ"); tz != "" {
			zone = "of the machine; here, TZ is " + tz
		}
	}
	row("Schedule", s.Name)
	row("When", s.Cron)
	row("Time zone", zone)
	row("Overlap", s.Overlap)
	row("Missed", fmt.Sprintf("%s, up to %s old", s.Missed, strings.TrimSuffix(strings.TrimSuffix(s.CatchUp.String(), "0s"), "0m")))
	what, err := taskfile.ParseScheduled(s.Spec)
	switch {
	case err != nil:
		row("Runs", err.Error())
	case what.File != "":
		row("Runs", "job file "+what.Path+", as job "+s.Name+"-DATE")
		row("Parameters", strings.Join(what.Params, ", "))
	default:
		row("Runs", shellLine(append([]string{what.Task.Command}, what.Task.Args...)))
		row("In job", s.Job)
	}
	shownHooks(what.Hooks.Over(what.Task.Hooks), row)
	row("Declared in", s.Source)
	row("Last", strings.TrimSpace(inZone(s, s.LastAt, true)+" "+s.LastJob+" "+s.LastTask))
	if !s.SkippedAt.IsZero() {
		row("Left out", inZone(s, s.SkippedAt, true)+" ("+s.Skipped+")")
	}
	row("Error", s.Error)
	if !s.PausedAt.IsZero() {
		row("Paused since", inZone(s, s.PausedAt, true))
	}
	for i, t := range queue.NextTimes(s, queue.NextShown) {
		name := ""
		if i == 0 {
			name = "Next:"
		}
		ui.printf("%-14s%s\n", name, inZone(s, t, true))
	}
	return ui.unprinted
}
