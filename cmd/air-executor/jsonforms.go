package main

import (
	"os"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// The shapes that --json prints. All are in docs/json.md. The rules:
//
//   - a job's name is job, a task's id is task, the number of an attempt is
//     attempt, everywhere;
//   - a key is always there; what has no value is null, and a list without
//     elements is [];
//   - numbers are numbers, times are RFC 3339 in UTC with microseconds.
//
// A test walks over every command and compares the keys with a list of names.

// statusJSON is what status prints, whatever it was asked for.
type statusJSON struct {
	Manager *managerJSON `json:"manager"` // null: none serves
	Jobs    []jobJSON    `json:"jobs"`
	Tasks   []taskJSON   `json:"tasks"` // empty if only jobs were asked for
}

type managerJSON struct {
	PID       int     `json:"pid"`
	Host      string  `json:"host"`
	StartedAt string  `json:"started_at"`
	Stop      *string `json:"stop"`    // how it was asked to stop
	Trouble   *string `json:"trouble"` // why it starts nothing
}

type jobJSON struct {
	UUID      string     `json:"uuid"`
	Job       string     `json:"job"`
	State     job.State  `json:"state"`
	Counts    countsJSON `json:"counts"`
	CreatedAt string     `json:"created_at"`
	UpdatedAt string     `json:"updated_at"`
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

func toJobJSON(j job.Job, cancelled int) jobJSON {
	return jobJSON{
		UUID: j.UUID, Job: j.Name, State: j.State, Counts: toCountsJSON(j, cancelled),
		CreatedAt: job.FormatTime(j.CreatedAt), UpdatedAt: job.FormatTime(j.UpdatedAt),
	}
}

type taskJSON struct {
	Job              string        `json:"job"`
	Task             string        `json:"task"`
	Status           job.Status    `json:"status"`
	Reason           *job.Reason   `json:"reason"`
	Command          string        `json:"command"`
	Args             []string      `json:"args"`
	WorkingDirectory *string       `json:"working_directory"` // null: the folder that holds the base path
	Priority         int           `json:"priority"`
	Timeout          *float64      `json:"timeout"`         // seconds; null: none
	TimeoutDefault   bool          `json:"timeout_default"` // it is that of the configuration
	Dependencies     []string      `json:"dependencies"`
	BlockedBy        []blockerJSON `json:"blocked_by"`
	WaitsFor         *waitsFor     `json:"waits_for"`
	Parent           *string       `json:"parent"`
	Attempts         int           `json:"attempts"`
	ExitCode         *int          `json:"exit_code"`
	Signal           *string       `json:"signal"`
	Error            *string       `json:"error"`
	CreatedAt        string        `json:"created_at"`
	StartedAt        *string       `json:"started_at"`
	CompletedAt      *string       `json:"completed_at"`
	DismissedAt      *string       `json:"dismissed_at"` // null: a failure counts
	Stuck            *string       `json:"stuck"`        // what keeps it from its end, while it runs
	LogPath          *string       `json:"log_path"`     // of the newest attempt
	EnvNames         []string      `json:"env_names"`    // null: none is stored, or not asked for
	History          []attemptJSON `json:"history"`      // null: not asked for
}

type blockerJSON struct {
	Task   string     `json:"task"`
	Status job.Status `json:"status"` // "missing" if there is no such task yet
}

// toTaskJSON needs the default time limit and the base path.
func toTaskJSON(l db.Listed, waits waitsFor, limit time.Duration, base string) taskJSON {
	t := l.Task
	out := taskJSON{
		Job: t.Job, Task: t.ID, Status: t.Status, Reason: value(t.Reason), Command: t.Command, Args: list(t.Args),
		WorkingDirectory: value(t.Dir), Priority: t.Priority, TimeoutDefault: t.Timeout == 0,
		Dependencies: list(t.Dependencies), BlockedBy: []blockerJSON{}, WaitsFor: value(waits), Parent: value(t.Parent),
		Attempts: t.Attempts, ExitCode: t.ExitCode, Signal: value(t.Signal), Error: value(t.Error),
		CreatedAt: job.FormatTime(t.CreatedAt), StartedAt: instant(t.StartedAt), CompletedAt: instant(t.CompletedAt),
		DismissedAt: instant(t.DismissedAt), Stuck: value(t.Stuck),
	}
	if t.Timeout > 0 {
		limit = t.Timeout
	}
	if limit < job.NoTimeout {
		out.Timeout = value(limit.Seconds())
	}
	if t.Attempts > 0 {
		out.LogPath = value(runner.LogPath(base, t.Job, t.ID))
	}
	for _, b := range l.Blockers {
		status := b.Status
		if status == "" {
			status = "missing"
		}
		out.BlockedBy = append(out.BlockedBy, blockerJSON{b.Needs, status})
	}
	return out
}

type attemptJSON struct {
	Job           string      `json:"job"`
	Task          string      `json:"task"`
	Attempt       int         `json:"attempt"`
	Status        job.Status  `json:"status"`
	Reason        *job.Reason `json:"reason"`
	ExitCode      *int        `json:"exit_code"`
	Signal        *string     `json:"signal"`
	Error         *string     `json:"error"`
	StartedAt     string      `json:"started_at"`
	CompletedAt   *string     `json:"completed_at"`
	RunnerPID     int         `json:"runner_pid"`
	UserSeconds   *float64    `json:"user_seconds"` // null, like the next two, while it runs
	SystemSeconds *float64    `json:"system_seconds"`
	MaxRSSBytes   *int64      `json:"max_rss_bytes"`
	LogPath       string      `json:"log_path"`
}

// toAttemptJSON needs the number of the newest attempt and the base path.
func toAttemptJSON(a job.Attempt, newest int, base string) attemptJSON {
	path := runner.LogPath(base, a.Job, a.Task)
	if a.Number != newest {
		path = runner.OldLogPath(base, a.Job, a.Task, a.Number)
	}
	out := attemptJSON{
		Job: a.Job, Task: a.Task, Attempt: a.Number, Status: a.Status, Reason: value(a.Reason), ExitCode: a.ExitCode,
		Signal: value(a.Signal), Error: value(a.Error), StartedAt: job.FormatTime(a.StartedAt), CompletedAt: instant(a.EndedAt),
		RunnerPID: a.RunnerPID, LogPath: path,
	}
	if a.Status != job.Running {
		user, system, most := a.UserTime.Seconds(), a.SystemTime.Seconds(), a.MaxRSS
		out.UserSeconds, out.SystemSeconds, out.MaxRSSBytes = &user, &system, &most
	}
	return out
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

// enqueuedJSON is a task that enqueue has stored, or found.
type enqueuedJSON struct {
	Job   string `json:"job"`
	Task  string `json:"task"`
	Added bool   `json:"added"` // false: it was there
}

// cancelledJSON counts what cancel has cancelled, and lists what was faster.
type cancelledJSON struct {
	Job       string      `json:"job"`
	Task      *string     `json:"task"`              // the one that was named
	Cancelled int         `json:"cancelled"`         // tasks, the sum of the next two
	Pending   int         `json:"cancelled_pending"` // had not started
	Running   int         `json:"cancelled_running"` // ran
	Otherwise []endedJSON `json:"ended_otherwise"`   // ran, and ended before they could be cancelled
}

// endedJSON is a task that ended in another way than it was asked to.
type endedJSON struct {
	Task    string      `json:"task"`
	Attempt int         `json:"attempt"`
	Status  job.Status  `json:"status"`
	Reason  *job.Reason `json:"reason"`
	Error   *string     `json:"error"`
}

// resetJSON counts what reset has made pending again, and what it has left alone.
type resetJSON struct {
	Job              string `json:"job"`
	Reset            int    `json:"reset"`
	SkippedCancelled int    `json:"skipped_cancelled"`
	SkippedDismissed int    `json:"skipped_dismissed"`
}

// dismissedJSON counts the failures that dismiss has dismissed.
type dismissedJSON struct {
	Job       string    `json:"job"`
	Dismissed int       `json:"dismissed"`
	State     job.State `json:"state"` // of the job, now
}

// removedJSON counts the tasks that remove has removed.
type removedJSON struct {
	Job     string `json:"job"`
	Removed int    `json:"removed"`
}

// exportedJSON is a job that export has written.
type exportedJSON struct {
	Job  string `json:"job"`
	Path string `json:"path"` // of its folder
}

// startedJSON is a manager that serves, and stoppedJSON one that does no more.
type (
	startedJSON struct {
		PID      int    `json:"pid"`
		BasePath string `json:"base_path"`
	}
	stoppedJSON struct {
		PID     int     `json:"pid"`
		Stopped bool    `json:"stopped"`
		How     db.Stop `json:"how"`
		Running int     `json:"running"` // tasks that still run
	}
)

// upgradedJSON tells of the versions of a database's schema.
type upgradedJSON struct {
	Database string  `json:"database"`
	From     int     `json:"from"`
	To       int     `json:"to"`
	Copy     *string `json:"copy"` // path; null: none was needed
}

// settingJSON is a key of the configuration, with values as YAML reads them.
type settingJSON struct {
	Key     string `json:"key"`
	Value   any    `json:"value"`
	Default any    `json:"default"`
	Source  string `json:"source"`
}

// typed is a YAML scalar as a number, a boolean or a string.
func typed(text string) any {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	if b, err := strconv.ParseBool(text); err == nil && (text == "true" || text == "false") {
		return b
	}
	if s, err := strconv.Unquote(text); err == nil {
		return s
	}
	return text
}

// configCheckedJSON is what config check found, and configFileJSON what config
// init wrote.
type (
	configCheckedJSON struct {
		File *string `json:"file"` // null: there is none
		OK   bool    `json:"ok"`
	}
	configFileJSON struct {
		File string `json:"file"`
	}
)

// doctorJSON is what doctor found.
type doctorJSON struct {
	Database            string       `json:"database"`
	Findings            []db.Finding `json:"findings"`
	SchemaVersion       int          `json:"schema_version"`
	LatestSchemaVersion int          `json:"latest_schema_version"`
}

type versionJSON struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// completionJSON is a script for a shell.
type completionJSON struct {
	Shell  string `json:"shell"`
	Script string `json:"script"`
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

// envJSON is the variable that asks for JSON.
const envJSON = "AIR_EXECUTOR_JSON"

// wantsJSONByEnv reads it. What is neither yes nor no is refused.
func wantsJSONByEnv() (bool, error) {
	v := os.Getenv(envJSON)
	if v == "" {
		return false, nil
	}
	return strconv.ParseBool(v)
}
