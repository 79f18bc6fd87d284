package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/schedule"
	"github.com/air-executor/air-executor/taskfile"
)

// ScheduleOrder is a schedule that somebody adds.
type ScheduleOrder struct {
	Name   string
	Rules  schedule.Rules // what is not said gets its default
	Job    string         // of its tasks; empty: the name of the schedule. A job file makes jobs of its own
	What   taskfile.Scheduled
	Env    []string // what its tasks get; nil: the environment of the manager
	Paused bool
}

// ScheduleForm is the form of a schedule.
type ScheduleForm struct {
	Schedule  string            `json:"schedule"`
	Cron      string            `json:"cron"`
	TimeZone  *string           `json:"timezone"` // null: that of the machine
	Overlap   string            `json:"overlap"`
	Missed    string            `json:"missed"`
	CatchUp   float64           `json:"catch_up"`
	Job       *string           `json:"job"`  // null: each firing makes a job
	Runs      json.RawMessage   `json:"runs"` // the task, as a line of enqueue --from-file; null: a job file
	File      *ScheduleFileForm `json:"file"`
	Source    *string           `json:"source"` // the file in schedules_dir; null: it was added by hand
	FileGone  bool              `json:"file_gone"`
	PausedAt  *string           `json:"paused_at"`
	NextAt    *string           `json:"next_at"`
	Next      []string          `json:"next"` // the next five times
	LastAt    *string           `json:"last_at"`
	LastJob   *string           `json:"last_job"`
	LastTask  *string           `json:"last_task"`
	SkippedAt *string           `json:"skipped_at"`
	Skipped   *string           `json:"skipped"`
	Error     *string           `json:"error"`
	CreatedAt string            `json:"created_at"`
	UpdatedAt string            `json:"updated_at"`
}

// ScheduleFileForm is the form of the job file of a schedule.
type ScheduleFileForm struct {
	Path   string            `json:"path"`
	Text   string            `json:"text"`
	Params map[string]string `json:"params"`            // values of its parameters
	Dir    *string           `json:"working_directory"` // of tasks that do not say it
}

// FiredForm is the form of a firing by hand.
type FiredForm struct {
	Schedule string  `json:"schedule"`
	Job      string  `json:"job"`
	Task     *string `json:"task"`
	Added    bool    `json:"added"` // false: it was there
}

// NextTimes are the next times of a schedule, in its time zone, not more than n. A
// paused one has none.
func NextTimes(s db.Schedule, n int) []time.Time {
	times, err := manager.TimesOf(s)
	if err != nil || s.NextAt.IsZero() || !s.PausedAt.IsZero() {
		return nil
	}
	return append([]time.Time{s.NextAt.In(times.Zone)}, times.NextTimes(s.NextAt, n-1)...)
}

// NextShown is how many of the next times of a schedule are shown.
const NextShown = 5

// ToScheduleForm is the form of a schedule.
func ToScheduleForm(s db.Schedule) ScheduleForm {
	form := ScheduleForm{
		Schedule: s.Name, Cron: s.Cron, TimeZone: OrNull(s.TimeZone), Overlap: s.Overlap, Missed: s.Missed,
		CatchUp: s.CatchUp.Seconds(), Job: OrNull(s.Job), Source: OrNull(s.Source), FileGone: s.FileGone,
		PausedAt: timeOrNull(s.PausedAt), NextAt: timeOrNull(s.NextAt), Next: []string{},
		LastAt: timeOrNull(s.LastAt), LastJob: OrNull(s.LastJob), LastTask: OrNull(s.LastTask),
		SkippedAt: timeOrNull(s.SkippedAt), Skipped: OrNull(s.Skipped), Error: OrNull(s.Error),
		CreatedAt: job.FormatTime(s.CreatedAt), UpdatedAt: job.FormatTime(s.UpdatedAt),
	}
	for _, t := range NextTimes(s, NextShown) {
		form.Next = append(form.Next, t.Format(time.RFC3339))
	}
	what, err := taskfile.ParseScheduled(s.Spec)
	switch {
	case err != nil:
	case what.File == "":
		form.Runs = taskfile.FormatSpec(&what.Task)
	default:
		form.File = &ScheduleFileForm{Path: what.Path, Text: what.File, Params: pairsForm(what.Params), Dir: OrNull(what.Dir)}
	}
	return form
}

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return OrNull(job.FormatTime(t))
}

// row is what is stored of an order that is new at an instant.
func (o *ScheduleOrder) row(now time.Time) (s db.Schedule, err error) {
	if err := schedule.CheckName(o.Name); err != nil {
		return s, err
	}
	r := o.Rules
	r.Fill()
	if err := r.Check(); err != nil {
		return s, err
	}
	s = db.Schedule{
		Name: o.Name, Cron: r.Cron, TimeZone: r.TimeZone, Overlap: string(r.Overlap), Missed: string(r.Missed), CatchUp: r.CatchUp,
		Job: o.Job, Env: o.Env, CreatedAt: now, Boot: manager.ThisBoot(),
	}
	if s.Job == "" && o.What.File == "" {
		s.Job = o.Name
	}
	if s.Job != "" {
		if err := job.CheckName(s.Job); err != nil {
			return s, err
		}
	}
	if o.Paused {
		s.PausedAt = now
	}
	if s.Spec, err = o.What.Encode(); err != nil {
		return s, err
	}
	if _, err := o.What.Tasks("", nil, nil); err != nil {
		return s, err
	}
	times, err := manager.TimesOf(s)
	if err == nil && times.Line.Reboot && s.Boot == "" {
		err = errors.New("@reboot cannot be had here: the system does not tell one start from another")
	}
	if err == nil {
		s.NextAt = times.Next(now)
	}
	return s, err
}

// CheckSchedule returns what is wrong with an order, or nil.
func CheckSchedule(o ScheduleOrder) error {
	_, err := o.row(time.Now())
	return err
}

// AddSchedule stores a schedule. db.ErrDuplicate if there is one of the name.
func (q *Queue) AddSchedule(ctx context.Context, o ScheduleOrder) (db.Schedule, error) {
	s, err := o.row(time.Now())
	if err != nil {
		return s, err
	}
	if err := q.DB.AddSchedule(ctx, s); err != nil {
		return s, err
	}
	return q.DB.Schedule(ctx, s.Name)
}

// PauseSchedule keeps a schedule from firing. It reports whether it was not paused
// before. db.ErrNoSchedule if there is none.
func (q *Queue) PauseSchedule(ctx context.Context, name string) (s db.Schedule, changed bool, err error) {
	s, err = q.DB.ChangeSchedule(ctx, name, func(s *db.Schedule) error {
		if changed = s.PausedAt.IsZero(); changed {
			s.PausedAt = time.Now()
		}
		return nil
	})
	return s, changed, err
}

// ResumeSchedule lets a schedule fire again, from its next time on. It reports whether
// it was paused. db.ErrNoSchedule if there is none.
func (q *Queue) ResumeSchedule(ctx context.Context, name string) (s db.Schedule, changed bool, err error) {
	s, err = q.DB.ChangeSchedule(ctx, name, func(s *db.Schedule) error {
		changed = !s.PausedAt.IsZero()
		if !changed {
			return nil
		}
		if s.FileGone {
			return fmt.Errorf("schedule %q is paused as its file %s is gone", name, s.Source)
		}
		s.PausedAt, s.Boot = time.Time{}, manager.ThisBoot()
		return manager.Retime(s, time.Now())
	})
	return s, changed, err
}

// RunSchedule stores now what a schedule stores when it fires. Its next time stays.
// db.ErrNoSchedule if there is none; others are those of Enqueue.
func (q *Queue) RunSchedule(ctx context.Context, name string) (FiredForm, error) {
	s, err := q.DB.Schedule(ctx, name)
	if err != nil {
		return FiredForm{}, err
	}
	fired, err := manager.FireNow(ctx, q.DB, s, manager.Retries(q.conf), time.Now())
	return FiredForm{Schedule: name, Job: fired.Job, Task: OrNull(fired.Task), Added: fired.Stored}, err
}

// OfFile is the error about a schedule that a file declares, where it cannot be changed
// otherwise.
type OfFile struct{ Name, File string }

// Error names the file.
func (e *OfFile) Error() string {
	return fmt.Sprintf("schedule %q is declared in %s", e.Name, e.File)
}

// EditSchedule changes a schedule: edit gets it as an order, and says what is to be
// otherwise. The next time is found anew if the line or the zone has changed. *OfFile for
// one that a file declares; db.ErrNoSchedule if there is none; *db.NoRoom.
func (q *Queue) EditSchedule(ctx context.Context, name string, edit func(*ScheduleOrder) error) (db.Schedule, error) {
	pools, err := q.DB.Pools(ctx, false)
	if err != nil {
		return db.Schedule{}, err
	}
	return q.DB.ChangeSchedule(ctx, name, func(s *db.Schedule) error {
		if s.Source != "" {
			return &OfFile{name, s.Source}
		}
		o, err := orderOf(*s)
		if err != nil {
			return err
		}
		if err := edit(&o); err != nil {
			return err
		}
		now := time.Now()
		next, err := o.row(now)
		if err == nil && next.Spec != s.Spec {
			err = roomFor(o.What, pools)
		}
		if err != nil {
			return err
		}
		retime := s.Cron != next.Cron || s.TimeZone != next.TimeZone
		s.Cron, s.TimeZone, s.Overlap, s.Missed, s.CatchUp = next.Cron, next.TimeZone, next.Overlap, next.Missed, next.CatchUp
		s.Job, s.Spec, s.Env = next.Job, next.Spec, next.Env
		if retime {
			s.Boot = next.Boot
			return manager.Retime(s, now)
		}
		return nil
	})
}

// Become takes over what another order runs, with its environment and, if it says when, its rules.
func (o *ScheduleOrder) Become(other ScheduleOrder) {
	o.What, o.Env = other.What, other.Env
	if o.What.File != "" {
		o.Job = ""
	}
	if other.Rules.Cron != "" {
		o.Rules = other.Rules
	}
}

// orderOf is the order that makes a schedule as it is.
func orderOf(s db.Schedule) (ScheduleOrder, error) {
	what, err := taskfile.ParseScheduled(s.Spec)
	if err != nil {
		return ScheduleOrder{}, err
	}
	return ScheduleOrder{
		Name: s.Name, Job: s.Job, What: *what, Env: s.Env, Paused: !s.PausedAt.IsZero(),
		Rules: schedule.Rules{Cron: s.Cron, TimeZone: s.TimeZone, Overlap: schedule.Overlap(s.Overlap), Missed: schedule.Missed(s.Missed), CatchUp: s.CatchUp},
	}, nil
}

// RemoveSchedule deletes a schedule. What it has stored stays. *OfFile while a file
// declares it; db.ErrNoSchedule if there is none.
func (q *Queue) RemoveSchedule(ctx context.Context, name string) error {
	s, err := q.DB.Schedule(ctx, name)
	if err != nil {
		return err
	}
	if s.Source != "" && q.conf.SchedulesDir != "" {
		if _, err := os.Stat(s.Source); err == nil {
			return &OfFile{name, s.Source}
		}
	}
	return q.DB.RemoveSchedule(ctx, name)
}

// SchedulesRemovedForm names the schedules that were removed.
type SchedulesRemovedForm struct {
	Removed []string `json:"removed"`
}
