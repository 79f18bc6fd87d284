package queue

import (
	"github.com/air-executor/air-executor/job"
)

// EnqueuedForm is a task that was queued, or was there.
type EnqueuedForm struct {
	Job   string `json:"job"`
	Task  string `json:"task"`
	Added bool   `json:"added"` // false: it was there
}

// CancelResult counts what was cancelled, and lists what was faster.
type CancelResult struct {
	Job       string        `json:"job"`
	Task      *string       `json:"task"`              // the one that was named
	Cancelled int           `json:"cancelled"`         // tasks, the sum of the next two
	Pending   int           `json:"cancelled_pending"` // had not started
	Running   int           `json:"cancelled_running"` // ran
	Otherwise []EndedResult `json:"ended_otherwise"`   // ran, and ended before they could be cancelled
}

// EndedResult is a task that ended in another way than it was asked to.
type EndedResult struct {
	Task    string      `json:"task"`
	Attempt int         `json:"attempt"`
	Status  job.Status  `json:"status"`
	Reason  *job.Reason `json:"reason"`
	Error   *string     `json:"error"`
}

// ResetResult counts the tasks that a reset has made pending again, and those that
// it has left alone.
type ResetResult struct {
	Job              string `json:"job"`
	Reset            int    `json:"reset"`
	SkippedCancelled int    `json:"skipped_cancelled"`
	SkippedDismissed int    `json:"skipped_dismissed"`
}

// DismissResult counts the failures that were dismissed.
type DismissResult struct {
	Job       string    `json:"job"`
	Dismissed int       `json:"dismissed"`
	State     job.State `json:"state"` // of the job, now
	Blocked   int       `json:"-"`     // tasks of it that depend on what has not completed
}

// RemoveResult counts the tasks that were removed.
type RemoveResult struct {
	Job     string `json:"job"`
	Removed int    `json:"removed"`
}

// ExportResult is a job that was exported.
type ExportResult struct {
	Job  string `json:"job"`
	Path string `json:"path"` // of its folder
}
