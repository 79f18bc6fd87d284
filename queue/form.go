package queue

import (
	"cmp"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// The forms define the JSON output. docs/json.md describes all of them. The rules:
//
//   - a job's name is job, a task's id is task, the number of an attempt is
//     attempt, everywhere;
//   - a key is always there; what has no value is null, and a list without
//     elements is [];
//   - numbers are numbers, times are RFC 3339 in UTC with microseconds.
//
// A test of the command line walks over every command and compares the keys with
// a list of names.

// StatusForm is the form of a Status, for every query.
type StatusForm struct {
	Manager  *ManagerForm `json:"manager"`   // null: none serves
	PausedAt *string      `json:"paused_at"` // since when all jobs are paused; null: they are not
	Jobs     []JobForm    `json:"jobs"`
	Tasks    []TaskForm   `json:"tasks"` // empty if only jobs were asked for; last, because there may be many
}

// ManagerForm is the form of the manager that serves.
type ManagerForm struct {
	PID       int     `json:"pid"`
	Host      string  `json:"host"`
	StartedAt string  `json:"started_at"`
	Stop      *string `json:"stop"`    // how it was asked to stop
	Trouble   *string `json:"trouble"` // why it starts nothing
}

// JobForm is the form of a job.
type JobForm struct {
	UUID      string     `json:"uuid"`
	Job       string     `json:"job"`
	State     job.State  `json:"state"`
	PausedAt  *string    `json:"paused_at"` // by itself or with all jobs; null: it is not
	Counts    CountsForm `json:"counts"`
	CreatedAt string     `json:"created_at"`
	UpdatedAt string     `json:"updated_at"`

	Labels map[string]string `json:"labels"`
}

// CountsForm counts the tasks of a job. The total is the sum of pending,
// running, completed, failed and dismissed; cancelled ones are a part of the
// failed, and blocked ones of the pending.
type CountsForm struct {
	Total     int `json:"total"`
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
	Dismissed int `json:"dismissed"`
	Blocked   int `json:"blocked"`
}

func toCountsForm(j job.Job, cancelled int) CountsForm {
	c := j.Tasks
	return CountsForm{
		Total: c.Total(), Pending: c.Pending, Running: c.Running, Completed: c.Completed, Failed: c.Failed,
		Cancelled: cancelled, Dismissed: c.Dismissed, Blocked: j.Blocked,
	}
}

// toJobForm needs the number of cancelled tasks, which a job does not count, and since
// when it is paused.
func toJobForm(j job.Job, cancelled int, paused time.Time) JobForm {
	return JobForm{
		UUID: j.UUID, Job: j.Name, State: j.State, PausedAt: instant(paused), Counts: toCountsForm(j, cancelled),
		CreatedAt: job.FormatTime(j.CreatedAt), UpdatedAt: job.FormatTime(j.UpdatedAt), Labels: pairsForm(j.Labels),
	}
}

// TaskForm is the form of a task.
type TaskForm struct {
	Job              string        `json:"job"`
	Task             string        `json:"task"`
	Status           job.Status    `json:"status"`
	Reason           *job.Reason   `json:"reason"`
	Command          string        `json:"command"`
	Args             []string      `json:"args"`
	WorkingDirectory *string       `json:"working_directory"` // null: the folder that holds the base path
	Priority         int           `json:"priority"`
	Place            int64         `json:"place"`           // order among tasks of the same priority, lower first
	Timeout          *float64      `json:"timeout"`         // seconds; null: none
	TimeoutDefault   bool          `json:"timeout_default"` // Timeout is that of the configuration
	Pools            []string      `json:"pools"`           // places that it needs, as gpu:2
	Dependencies     []string      `json:"dependencies"`
	AfterAny         []string      `json:"after_any"`
	RunIf            job.RunIf     `json:"run_if"` // which ends of the dependencies let it run
	BlockedBy        []BlockerForm `json:"blocked_by"`
	WaitsFor         *WaitsFor     `json:"waits_for"`
	Parent           *string       `json:"parent"`
	Attempts         int           `json:"attempts"`
	Hooks            HooksForm     `json:"hooks"`
	Retries          int           `json:"retries"` // attempts that may follow a failed one
	Tries            int           `json:"tries"`   // failed attempts that count against them
	DueAt            *string       `json:"due_at"`  // a pending task waits until then; null: for no time
	ExitCode         *int          `json:"exit_code"`
	Signal           *string       `json:"signal"`
	Error            *string       `json:"error"`
	CreatedAt        string        `json:"created_at"`
	StartedAt        *string       `json:"started_at"`
	CompletedAt      *string       `json:"completed_at"`
	DismissedAt      *string       `json:"dismissed_at"` // null: a failure counts
	FrozenAt         *string       `json:"frozen_at"`    // since when its processes are stopped; null: they are not
	Stuck            *string       `json:"stuck"`        // why it does not end although it should, while it runs
	LogPath          *string       `json:"log_path"`     // of the newest attempt
	EnvNames         []string      `json:"env_names"`    // null: none is stored, or not asked for
	History          []AttemptForm `json:"history"`      // null: not asked for

	Labels    map[string]string `json:"labels"`
	Unique    *string           `json:"unique"`     // the key that keeps others out of the job
	UniqueFor *string           `json:"unique_for"` // null, as the key is: running, pending, or a time
}

// BlockerForm is the form of a task that another one waits for.
type BlockerForm struct {
	Task   string     `json:"task"`
	Status job.Status `json:"status"` // "missing" if there is no such task yet
}

// toTaskForm needs the default time limit and the base path.
func toTaskForm(l db.Listed, waits WaitsFor, limit time.Duration, base string) TaskForm {
	t := l.Task
	out := TaskForm{
		Job: t.Job, Task: t.ID, Status: t.Status, Reason: OrNull(t.Reason), Command: t.Command, Args: list(t.Args),
		WorkingDirectory: OrNull(t.Dir), Priority: t.Priority, Place: t.Place, TimeoutDefault: t.Timeout == 0,
		Pools: list(t.Pools), Dependencies: list(t.Dependencies), AfterAny: list(t.AfterAny), RunIf: cmp.Or(t.RunIf, job.RunOnSuccess), BlockedBy: []BlockerForm{}, WaitsFor: OrNull(waits), Parent: OrNull(t.Parent),
		Hooks: HooksForm(t.Hooks), Attempts: t.Attempts, Retries: t.Retries, Tries: t.Tries, DueAt: instant(t.Due),
		ExitCode: t.ExitCode, Signal: OrNull(t.Signal), Error: OrNull(t.Error),
		CreatedAt: job.FormatTime(t.CreatedAt), StartedAt: instant(t.StartedAt), CompletedAt: instant(t.CompletedAt),
		DismissedAt: instant(t.DismissedAt), Stuck: OrNull(t.Stuck),
	}
	out.Labels = pairsForm(t.Labels)
	if t.Unique != "" {
		out.Unique, out.UniqueFor = &t.Unique, OrNull(t.UniqueFor.String())
	}
	if t.Timeout > 0 {
		limit = t.Timeout
	}
	if limit < job.NoTimeout {
		out.Timeout = OrNull(limit.Seconds())
	}
	if t.Attempts > 0 {
		out.LogPath = OrNull(runner.LogPath(base, t.Job, t.ID))
	}
	for _, b := range l.Blockers {
		status := b.Status
		if status == "" {
			status = "missing"
		}
		out.BlockedBy = append(out.BlockedBy, BlockerForm{b.Needs, status})
	}
	return out
}

// AttemptForm is the form of an attempt.
type AttemptForm struct {
	Job     string `json:"job"`
	Task    string `json:"task"`
	Attempt int    `json:"attempt"`
	EndForm
	StartedAt   string  `json:"started_at"`
	CompletedAt *string `json:"completed_at"`
	RunnerPID   int     `json:"runner_pid"`
	UsageForm           // null while it runs
	LogPath     string  `json:"log_path"`
}

// EndForm is how an attempt has ended, or that it runs.
type EndForm struct {
	Status   job.Status  `json:"status"`
	Reason   *job.Reason `json:"reason"`
	ExitCode *int        `json:"exit_code"`
	Signal   *string     `json:"signal"`
	Error    *string     `json:"error"`
}

func toEndForm(a *job.Attempt) EndForm {
	return EndForm{a.Status, OrNull(a.Reason), a.ExitCode, OrNull(a.Signal), OrNull(a.Error)}
}

// UsageForm is what an attempt has used.
type UsageForm struct {
	UserSeconds   *float64 `json:"user_seconds"`
	SystemSeconds *float64 `json:"system_seconds"`
	MaxRSSBytes   *int64   `json:"max_rss_bytes"`
}

func toUsageForm(a *job.Attempt) UsageForm {
	return UsageForm{new(a.UserTime.Seconds()), new(a.SystemTime.Seconds()), new(a.MaxRSS)}
}

// logPath is the path of the log of an attempt, which may be the newest of its task.
func logPath(base string, a *job.Attempt, newest bool) string {
	if newest {
		return runner.LogPath(base, a.Job, a.Task)
	}
	return runner.OldLogPath(base, a.Job, a.Task, a.Number)
}

// toAttemptForm needs the number of the newest attempt and the base path.
func toAttemptForm(a job.Attempt, newest int, base string) AttemptForm {
	out := AttemptForm{
		Job: a.Job, Task: a.Task, Attempt: a.Number, EndForm: toEndForm(&a), StartedAt: job.FormatTime(a.StartedAt),
		CompletedAt: instant(a.EndedAt), RunnerPID: a.RunnerPID, LogPath: logPath(base, &a, a.Number == newest),
	}
	if a.Status != job.Running {
		out.UsageForm = toUsageForm(&a)
	}
	return out
}

// OrNull returns v for a form, or nil, which becomes null, if v is the zero value. It
// is not for numbers that may be zero.
func OrNull[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

// list returns s, but never nil, which would be null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// instant returns a time in its JSON form, or null.
func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := job.FormatTime(t)
	return &s
}
