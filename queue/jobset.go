package queue

import (
	"context"
	"encoding/json"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// JobSettingsForm is the form of what is set for a whole job.
type JobSettingsForm struct {
	Job        string          `json:"job"`
	State      job.State       `json:"state"`
	Parallel   int             `json:"parallel"`
	Priority   int             `json:"priority"`
	RetryHolds bool            `json:"retry_holds"`
	Defaults   json.RawMessage `json:"defaults"`  // keys of a task
	PausedAt   *string         `json:"paused_at"` // since when it is paused by its name; null: it is not
	Hooks      HooksForm       `json:"hooks"`     // of the job
	Running    int             `json:"running"`
	Pending    int             `json:"pending"`

	Labels map[string]string `json:"labels"`
}

// JobChange is a change of the settings of a job; what is nil stays as it is.
type JobChange struct {
	Parallel, Priority *int
	RetryHolds         *bool
	Hooks              job.Hooks // what they do not say stays
	NoHooks            bool      // forget the hooks that there are
	Defaults           job.Spec  // what its tasks get if they do not say it themselves; the zero value: as before
	NoDefaults         bool      // forget the defaults that there are

	Patch  *taskfile.DefaultsPatch // another change of the defaults, key by key; nil: none
	Labels map[string]*string      // of the job, by key; nil: it is removed
}

// SetJob changes the settings of a job. Errors: db.ErrNoJob, or what is wrong with the
// change.
func (q *Queue) SetJob(ctx context.Context, name string, c JobChange) (JobSettingsForm, error) {
	change := db.JobChange{Parallel: c.Parallel, Priority: c.Priority, RetryHolds: c.RetryHolds, Hooks: c.Hooks, NoHooks: c.NoHooks}
	if given := taskfile.EncodeDefaults(c.Defaults); given != nil || c.NoDefaults {
		change.Defaults = func(before []byte) ([]byte, error) {
			if c.NoDefaults {
				before = nil
			}
			old, err := taskfile.Defaults(before)
			s := c.Defaults
			taskfile.FillDefaults(&s, old)
			return taskfile.EncodeDefaults(s), err
		}
	}
	if c.Patch != nil {
		change.Defaults = c.Patch.Apply
	}
	if c.Labels != nil {
		change.Labels = func(before []string) ([]string, error) { return patchLabels(before, c.Labels), nil }
	}
	if _, err := q.DB.SetJob(ctx, name, change); err != nil {
		return JobSettingsForm{}, err
	}
	return q.JobSettings(ctx, name)
}

// JobSettings returns what is set for a job, or db.ErrNoJob.
func (q *Queue) JobSettings(ctx context.Context, name string) (JobSettingsForm, error) {
	s, err := q.DB.JobSettings(ctx, name)
	if err != nil {
		return JobSettingsForm{}, err
	}
	j, err := q.DB.Job(ctx, name)
	out := JobSettingsForm{
		Job: name, State: j.State, Parallel: s.Parallel, Priority: s.Priority, RetryHolds: s.RetryHolds,
		Defaults: s.Defaults, Hooks: HooksForm(s.Hooks), Running: j.Tasks.Running, Pending: j.Tasks.Pending,
		PausedAt: instant(j.PausedAt), Labels: pairsForm(j.Labels),
	}
	if out.Defaults == nil {
		out.Defaults = json.RawMessage("{}")
	}
	return out, err
}
