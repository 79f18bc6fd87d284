package manager

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/schedule"
	"github.com/air-executor/air-executor/taskfile"
)

// scheduleFolder keeps the schedules in step with the job files of schedules_dir. A
// file that is taken away leaves its schedule paused, and one that is wrong leaves
// it as it was.
type scheduleFolder struct {
	db   *db.DB
	log  *slog.Logger
	path string // empty: there is none
	boot string
	now  func() time.Time
	seen string // names, sizes and times of the files when they were read; empty: they were not
}

// read reads the folder if it has changed.
func (f *scheduleFolder) read(ctx context.Context) {
	names, state, err := f.look()
	if err == nil && state == f.seen {
		return
	}
	if err == nil {
		err = f.apply(ctx, names)
	}
	if err != nil {
		if again := "error " + err.Error(); again != f.seen && ctx.Err() == nil {
			f.seen = again
			f.log.Error("schedules_dir cannot be read; its schedules stay as they are", "error", err)
		}
		return
	}
	f.seen = state
}

// look returns the job files of the folder, and what tells whether one has changed.
func (f *scheduleFolder) look() (names []string, state string, err error) {
	if f.path == "" {
		return nil, "none", nil
	}
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, "", err
	}
	var b strings.Builder
	fmt.Fprintln(&b, f.path)
	for _, e := range entries {
		name := filepath.Join(f.path, e.Name())
		ext := strings.ToLower(filepath.Ext(name))
		if strings.HasPrefix(e.Name(), ".") || !slices.Contains([]string{".yaml", ".yml", ".json"}, ext) {
			continue
		}
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue // taken away meanwhile
		}
		names = append(names, name)
		fmt.Fprintln(&b, e.Name(), info.Size(), info.ModTime().UnixNano())
	}
	return names, b.String(), nil
}

// apply stores what the files declare, and pauses what none declares any more.
func (f *scheduleFolder) apply(ctx context.Context, files []string) error {
	all, err := f.db.Schedules(ctx)
	if err != nil {
		return err
	}
	stored := map[string]db.Schedule{}
	for _, s := range all {
		stored[s.Name] = s
	}
	from := map[string]string{} // by name, the file that declares it
	for _, file := range files {
		want, err := declared(file)
		if err != nil {
			f.log.Error("a file of schedules_dir is wrong; its schedule stays as it was", "error", err)
		}
		if err != nil || want == nil {
			continue
		}
		was, there := stored[want.Name]
		switch other := from[want.Name]; {
		case other != "":
			f.log.Error("two files of schedules_dir declare one schedule; the first counts", "schedule", want.Name, "file", other, "ignored", file)
			continue
		case there && was.Source == "":
			f.log.Error("a schedule of schedules_dir has the name of one that was added by hand, and is ignored", "schedule", want.Name, "file", file)
			continue
		}
		from[want.Name] = file
		if err := f.store(ctx, *want, was, there); err != nil {
			return err
		}
	}
	return f.pauseRest(ctx, all, from, files)
}

// store adds a schedule, or changes the one that is there.
func (f *scheduleFolder) store(ctx context.Context, want, was db.Schedule, there bool) error {
	if there && same(want, was) && !was.FileGone {
		return nil
	}
	now := f.now()
	if !there {
		want.Boot, want.CreatedAt = f.boot, now
		times, err := TimesOf(want)
		if err == nil {
			want.NextAt = times.Next(now)
			err = f.db.AddSchedule(ctx, want)
		}
		if err == nil {
			f.log.Info("schedule added", "schedule", want.Name, "file", want.Source)
		}
		return err
	}
	_, err := f.db.ChangeSchedule(ctx, want.Name, func(s *db.Schedule) error {
		again := s.FileGone
		if again {
			s.PausedAt, s.FileGone, s.Boot = time.Time{}, false, f.boot
		}
		retime := again || s.Cron != want.Cron || s.TimeZone != want.TimeZone
		s.Cron, s.TimeZone, s.Overlap, s.Missed, s.CatchUp = want.Cron, want.TimeZone, want.Overlap, want.Missed, want.CatchUp
		s.Spec, s.Source, s.Job, s.Env = want.Spec, want.Source, want.Job, nil
		if retime {
			return Retime(s, now)
		}
		return nil
	})
	if err == nil {
		f.log.Info("schedule changed", "schedule", want.Name, "file", want.Source)
	}
	return err
}

// Retime sets when a schedule fires next, seen from now. A time that has fired is not
// in front of it again, although the clock may have been set back.
func Retime(s *db.Schedule, now time.Time) error {
	times, err := TimesOf(*s)
	if err != nil {
		return err
	}
	if s.LastAt.After(now) {
		now = s.LastAt
	}
	s.NextAt = times.Next(now)
	return nil
}

// same reports whether a file says what is stored.
func same(a, b db.Schedule) bool {
	return a.Cron == b.Cron && a.TimeZone == b.TimeZone && a.Overlap == b.Overlap && a.Missed == b.Missed &&
		a.CatchUp == b.CatchUp && a.Spec == b.Spec && a.Source == b.Source
}

// pauseRest pauses the schedules of files that are not there any more, or declare
// another one.
func (f *scheduleFolder) pauseRest(ctx context.Context, all []db.Schedule, from map[string]string, files []string) error {
	declares := map[string]bool{}
	for _, file := range from {
		declares[file] = true
	}
	for _, s := range all {
		wrong := slices.Contains(files, s.Source) && !declares[s.Source]
		if s.Source == "" || !s.PausedAt.IsZero() || from[s.Name] != "" || wrong && !f.noSchedule(s.Source) {
			continue
		}
		_, err := f.db.ChangeSchedule(ctx, s.Name, func(s *db.Schedule) error {
			s.PausedAt, s.FileGone = f.now(), true
			return nil
		})
		if err != nil {
			return err
		}
		f.log.Warn("schedule paused, as its file is gone", "schedule", s.Name, "file", s.Source)
	}
	return nil
}

// noSchedule reports whether a file is right, and has no schedule.
func (f *scheduleFolder) noSchedule(file string) bool {
	s, err := declared(file)
	return err == nil && s == nil
}

// declared is the schedule of a job file; nil: it has none.
func declared(path string) (*db.Schedule, error) {
	data, err := taskfile.ReadText(path)
	if err != nil {
		return nil, err
	}
	file, err := taskfile.ParseJob(path, data)
	if err != nil || file.Schedule == nil {
		return nil, err
	}
	if err := schedule.CheckName(file.Name); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	spec, err := (&taskfile.Scheduled{File: string(data), Path: path}).Encode()
	if err != nil {
		return nil, err
	}
	r := file.Schedule
	return &db.Schedule{
		Name: file.Name, Cron: r.Cron, TimeZone: r.TimeZone, Overlap: string(r.Overlap), Missed: string(r.Missed),
		CatchUp: r.CatchUp, Spec: spec, Source: path,
	}, nil
}
