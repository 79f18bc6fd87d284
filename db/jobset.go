package db

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/job"
)

// JobSettings are what a user has set for a whole job.
type JobSettings struct {
	Parallel   int    // tasks of it that may run at once, at least 1
	Priority   int    // added to that of each of its tasks
	RetryHolds bool   // its other tasks wait while one waits for its retry
	Defaults   []byte // JSON object of task keys: what its tasks are queued with; nil: nothing
	Hooks      job.Hooks
}

// JobChange is a change of JobSettings; what is nil stays as it is.
type JobChange struct {
	Parallel   *int
	Priority   *int
	RetryHolds *bool
	// Defaults returns the new object for the one that there is. Its error ends the
	// change.
	Defaults func(before []byte) ([]byte, error)
	// Hooks are those of the job; what they do not say stays as it is.
	Hooks job.Hooks
	// NoHooks forgets those that there are.
	NoHooks bool
	// Labels returns the new labels of the job for those that it has, all sorted "KEY=VALUE"
	// pairs. Its error ends the change.
	Labels func(before []string) ([]string, error)
}

// check returns an error for what no job can have.
func (c *JobChange) check() error {
	if c.Parallel != nil && (*c.Parallel < 1 || *c.Parallel > job.MaxParallel) {
		return fmt.Errorf("parallel: want 1 to %d, got %d", job.MaxParallel, *c.Parallel)
	}
	return nil
}

// settingsRow is where JobSettings are.
type settingsRow struct {
	Parallel, Priority int
	RetryHolds         bool `db:"retry_holds"`
	Defaults           *string
	Hooks              *string
}

func (r *settingsRow) settings() JobSettings {
	s := JobSettings{Parallel: r.Parallel, Priority: r.Priority, RetryHolds: r.RetryHolds, Hooks: hooksOf(r.Hooks)}
	if r.Defaults != nil {
		s.Defaults = []byte(*r.Defaults)
	}
	return s
}

// JobSettings returns the settings of a job, or ErrNoJob.
func (d *DB) JobSettings(ctx context.Context, name string) (JobSettings, error) {
	var out JobSettings
	err := d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err == nil {
			out, err = t.settings(j.ID)
		}
		return err
	})
	return out, err
}

func (t *tx) settings(jobID int64) (JobSettings, error) {
	var r settingsRow
	_, err := t.get(&r, `SELECT parallel, priority, retry_holds, defaults, hooks FROM job WHERE id = ?`, jobID)
	return r.settings(), err
}

// SetJob changes the settings of a job and returns them. What runs goes on: if there
// are fewer places than tasks that run, nothing starts until there is one. Errors:
// ErrNoJob; then nothing has changed.
func (d *DB) SetJob(ctx context.Context, name string, c JobChange) (JobSettings, error) {
	var out JobSettings
	err := d.write(ctx, func(t *tx) error {
		j, err := t.lockJob(name)
		if err == nil {
			err = t.setJob(j.ID, c)
		}
		if err == nil {
			_, err = t.updateJob(j.ID, delta{})
		}
		if err == nil {
			err = t.jobChanged(j.ID)
		}
		if err == nil {
			out, err = t.settings(j.ID)
		}
		return err
	})
	return out, d.wakeAfter(err)
}

// setJob stores a change. What follows from it is left to updateJob.
func (t *tx) setJob(jobID int64, c JobChange) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Defaults != nil {
		is, err := t.settings(jobID)
		if err != nil {
			return err
		}
		after, err := c.Defaults(is.Defaults)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE job SET defaults = ? WHERE id = ?`, text(string(after)), jobID); err != nil {
			return err
		}
	}
	if err := t.setHooks(jobID, c.Hooks, c.NoHooks); err != nil {
		return err
	}
	if c.Labels != nil {
		before, err := t.labelsOf(jobID, 0)
		if err != nil {
			return err
		}
		after, err := c.Labels(before)
		if err != nil {
			return err
		}
		if err := t.relabel(jobID, 0, after); err != nil {
			return err
		}
	}
	if c.Parallel == nil && c.Priority == nil && c.RetryHolds == nil {
		return nil
	}
	var holds *int
	if c.RetryHolds != nil {
		holds = new(int)
		if *c.RetryHolds {
			*holds = 1
		}
	}
	_, err := t.exec(`
UPDATE job
SET parallel = coalesce(?, parallel),
    priority = coalesce(?, priority),
    retry_holds = coalesce(?, retry_holds)
WHERE id = ?`, c.Parallel, c.Priority, holds, jobID)
	return err
}

// Jobs that are queued with settings have them from their first task on.

// set gives the job of a batch its settings.
func (a *adder) set(c *JobChange) error {
	if c == nil {
		return nil
	}
	return a.t.setJob(a.job.ID, *c)
}

// fill gives a task what its job has for tasks that do not say it themselves.
func (a *adder) fill(b *Batch, s *job.Spec) error {
	if a.job.Defaults == nil || b.JobDefaults == nil {
		return nil
	}
	return b.JobDefaults([]byte(*a.job.Defaults), s)
}
