package main

import (
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// The shapes that --json prints. Names and times are those of state.json and
// tasks.json; a key without a value is null or left out.

type jobJSON struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	State     job.State  `json:"state"`
	Pending   int        `json:"pending"`
	Running   int        `json:"running"`
	Completed int        `json:"completed"`
	Failed    int        `json:"failed"`
	Blocked   int        `json:"blocked"`
	CreatedAt string     `json:"created_at"`
	UpdatedAt string     `json:"updated_at"`
	Tasks     []taskJSON `json:"tasks,omitempty"`
}

func toJobJSON(j job.Job) jobJSON {
	return jobJSON{
		ID: j.UUID, Name: j.Name, State: j.State,
		Pending: j.Tasks.Pending, Running: j.Tasks.Running, Completed: j.Tasks.Completed, Failed: j.Tasks.Failed,
		Blocked: j.Blocked, CreatedAt: job.FormatTime(j.CreatedAt), UpdatedAt: job.FormatTime(j.UpdatedAt),
	}
}

type taskJSON struct {
	ID           string        `json:"id"`
	Status       job.Status    `json:"status"`
	Reason       job.Reason    `json:"reason,omitempty"`
	Command      string        `json:"command"`
	Args         []string      `json:"args"`
	Dependencies []string      `json:"dependencies"`
	BlockedBy    []blockerJSON `json:"blocked_by,omitempty"`
	Parent       string        `json:"parent,omitempty"`
	Priority     int           `json:"priority"`
	Attempts     int           `json:"attempts"`
	ExitCode     *int          `json:"exit_code"`
	Signal       string        `json:"signal,omitempty"`
	Error        *string       `json:"error"`
	CreatedAt    string        `json:"created_at"`
	StartedAt    *string       `json:"started_at"`
	CompletedAt  *string       `json:"completed_at"`
	History      []attemptJSON `json:"history,omitempty"`
}

type blockerJSON struct {
	Task   string     `json:"task"`
	Status job.Status `json:"status"` // "missing" if there is no such task yet
}

func toTaskJSON(t job.Task, blockers []db.Blocker) taskJSON {
	out := taskJSON{
		ID: t.ID, Status: t.Status, Reason: t.Reason, Command: t.Command, Args: list(t.Args), Dependencies: list(t.Dependencies),
		Parent: t.Parent, Priority: t.Priority, Attempts: t.Attempts, ExitCode: t.ExitCode, Signal: t.Signal,
		CreatedAt: job.FormatTime(t.CreatedAt), StartedAt: instant(t.StartedAt), CompletedAt: instant(t.CompletedAt),
	}
	if t.Error != "" {
		out.Error = &t.Error
	}
	for _, b := range blockers {
		status := b.Status
		if status == "" {
			status = "missing"
		}
		out.BlockedBy = append(out.BlockedBy, blockerJSON{b.Needs, status})
	}
	return out
}

type attemptJSON struct {
	Attempt       int        `json:"attempt"`
	Status        job.Status `json:"status"`
	Reason        job.Reason `json:"reason,omitempty"`
	ExitCode      *int       `json:"exit_code"`
	Signal        string     `json:"signal,omitempty"`
	Error         string     `json:"error,omitempty"`
	StartedAt     string     `json:"started_at"`
	EndedAt       *string    `json:"ended_at"`
	RunnerPID     int        `json:"runner_pid"`
	UserSeconds   float64    `json:"user_seconds"`
	SystemSeconds float64    `json:"system_seconds"`
	MaxRSSBytes   int64      `json:"max_rss_bytes"`
}

func toAttemptJSON(a job.Attempt) attemptJSON {
	return attemptJSON{
		Attempt: a.Number, Status: a.Status, Reason: a.Reason, ExitCode: a.ExitCode, Signal: a.Signal, Error: a.Error,
		StartedAt: job.FormatTime(a.StartedAt), EndedAt: instant(a.EndedAt), RunnerPID: a.RunnerPID,
		UserSeconds: a.UserTime.Seconds(), SystemSeconds: a.SystemTime.Seconds(), MaxRSSBytes: a.MaxRSS,
	}
}

// countsJSON counts the tasks of a job. The total is the sum of pending,
// running, completed, failed and dismissed; cancelled ones are a part of the
// failed, and blocked ones of the pending.
type countsJSON struct {
	Total     int `json:"total"`
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
	Dismissed int `json:"dismissed"`
	Blocked   int `json:"blocked"`
}

func toCountsJSON(j job.Job, cancelled int) countsJSON {
	c := j.Tasks
	return countsJSON{
		Total: c.Total(), Pending: c.Pending, Running: c.Running, Completed: c.Completed, Failed: c.Failed,
		Cancelled: cancelled, Dismissed: c.Dismissed, Blocked: j.Blocked,
	}
}

// outcomeJSON is how that which run or wait waited for has ended. For a job, the
// task's keys are null, and for a task those of the job; run fills both for its
// single command.
type outcomeJSON struct {
	Job      string      `json:"job"`
	Task     *string     `json:"task"`
	State    *job.State  `json:"state"`
	Status   *job.Status `json:"status"`
	Reason   *job.Reason `json:"reason"`
	ExitCode *int        `json:"exit_code"` // of the command
	Signal   *string     `json:"signal"`
	Error    *string     `json:"error"`
	Counts   *countsJSON `json:"counts"`
}

// form is the outcome as JSON.
func (o outcome) form() outcomeJSON {
	out := outcomeJSON{Job: o.Job}
	if t := o.Task; t != nil {
		out.Task, out.Status, out.Reason, out.ExitCode = &t.ID, &t.Status, value(t.Reason), t.ExitCode
		out.Signal, out.Error = value(t.Signal), value(t.Error)
	}
	if o.State != "" {
		out.State, out.Counts = &o.State, value(toCountsJSON(o.job, o.cancelled))
	}
	return out
}

// value is v, or null where v is nothing. Numbers that may be zero do not go
// through it.
func value[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

// list is s, but never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// instant is the time in its JSON form, or null.
func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := job.FormatTime(t)
	return &s
}
