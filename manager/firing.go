package manager

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
	"github.com/air-executor/air-executor/schedule"
	"github.com/air-executor/air-executor/taskfile"
)

// ThisBoot names this start of the machine; empty: the system does not tell, and
// @reboot cannot be had.
func ThisBoot() string {
	id, err := process.BootID()
	if err != nil {
		return ""
	}
	return id
}

// TimesOf are the times at which a schedule fires.
func TimesOf(s db.Schedule) (schedule.Times, error) {
	return schedule.NewTimes(s.Cron, s.TimeZone, s.CreatedAt)
}

// FireNow fires a schedule because somebody asks for it: whether it is due, paused
// or has a run that has not ended. Its next time stays. retries are of tasks that say
// none. Errors are those of DB.Fire.
func FireNow(ctx context.Context, d *db.DB, s db.Schedule, retries job.Spec, now time.Time) (db.Fired, error) {
	f := db.Firing{Schedule: s, At: now.Truncate(time.Second), ByHand: true}
	if err := setBatch(&f); err != nil {
		return db.Fired{}, err
	}
	f.Batch.Defaults = retries
	return d.Fire(ctx, f)
}

// setBatch says what a firing stores.
func setBatch(f *db.Firing) error {
	s := f.Schedule
	zone, err := schedule.LoadZone(s.TimeZone)
	if err != nil {
		return err
	}
	what, err := taskfile.ParseScheduled(s.Spec)
	if err != nil {
		return err
	}
	at := f.At.In(zone)
	tasks, err := what.Tasks(schedule.TaskID(s.Name, at), runner.Untraced(s.Env), runner.Untraced(runner.Inheritable(os.Environ())))
	if err != nil {
		return err
	}
	f.Batch = db.Batch{Job: s.Job, Tasks: each(tasks), JobDefaults: taskfile.WithDefaults}
	if s.Job != "" {
		return nil
	}
	file, err := what.JobFile()
	if err != nil {
		return err
	}
	f.Batch.Job, f.Batch.NewJob, f.Batch.FromFile = schedule.JobName(s.Name, at), true, true
	f.Batch.Labels, f.Batch.RetryHolds = file.Labels, file.RetryHolds
	f.Batch.Settings = &db.JobChange{Parallel: file.Parallel, Priority: file.Priority, Hooks: file.Hooks}
	return nil
}

// each yields tasks that are in memory.
func each(tasks []job.Spec) func(yield func(job.Spec, error) bool) {
	return func(yield func(job.Spec, error) bool) {
		for _, s := range tasks {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// decided is the firing of a schedule that is due. What is wrong with the schedule itself
// is told in it: nobody may read the log.
func decided(s db.Schedule, now time.Time) db.Firing {
	f := db.Firing{Schedule: s}
	times, err := TimesOf(s)
	if err != nil { // there is no next time either
		f.Error = err.Error()
		return f
	}
	d := times.Decide(s.NextAt, now, schedule.Missed(s.Missed), s.CatchUp)
	f.At, f.Next, f.Lost = d.Fire, d.Next, d.Lost
	if f.At.IsZero() {
		return f
	}
	if err := setBatch(&f); err != nil {
		f.Error = err.Error()
	}
	return f
}

// carryOut fires. If what is to be stored is refused, that is written down, and the
// schedule goes on to its next time.
func carryOut(ctx context.Context, d *db.DB, f db.Firing) (db.Fired, error) {
	out, err := d.Fire(ctx, f)
	if err == nil || errors.Is(err, db.ErrNotDue) || ctx.Err() != nil || ofTheStore(err) {
		return out, err
	}
	f.Error = err.Error()
	if _, e := d.Fire(ctx, f); e != nil {
		return db.Fired{}, fmt.Errorf("%w; and that is not written down: %w", err, e)
	}
	return db.Fired{}, nil
}

// ofTheStore reports whether an error is the database's, and another try may do.
func ofTheStore(err error) bool {
	for _, e := range []error{db.ErrFull, db.ErrBusy, db.ErrStuck, db.ErrInDoubt, db.ErrReadOnly, db.ErrCorrupt, db.ErrReplaced, db.ErrOlder} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
