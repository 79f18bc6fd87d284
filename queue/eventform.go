package queue

import (
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// EventHead is what every event has. docs/events.md describes all of them.
type EventHead struct {
	Cursor db.Cursor `json:"cursor"`
	At     string    `json:"at"`
	Type   string    `json:"type"`
	Job    *string   `json:"job"` // null: it is about no job
}

// TaskRef names a task in an event.
type TaskRef struct {
	Key int64   `json:"key"`
	ID  *string `json:"id"` // null: the task was removed since
}

// JobEvent is about the state of a job, or another change of it.
type JobEvent struct {
	EventHead
	State job.State `json:"state"`
}

// AddedEvent is about tasks that were queued: all of the job with these keys, and those
// between.
type AddedEvent struct {
	EventHead
	Count int   `json:"count"`
	First int64 `json:"first"`
	Last  int64 `json:"last"`
}

// TasksEvent is about one task of a job, or several.
type TasksEvent struct {
	EventHead
	Count int      `json:"count"`
	Task  *TaskRef `json:"task"` // null: they are several, or were named together
}

// AttemptEvent is about the attempt of a task.
type AttemptEvent struct {
	EventHead
	Task    *TaskRef `json:"task"`
	Attempt *int     `json:"attempt"`
}

// EndedEvent is about the end of an attempt.
type EndedEvent struct {
	AttemptEvent             // attempt is null if the task was skipped
	Status       job.Status  `json:"status"`
	Reason       *job.Reason `json:"reason"`
	ExitCode     *int        `json:"exit_code"`
	Signal       *string     `json:"signal"`
	Seconds      *float64    `json:"seconds"`
}

// RetryEvent is about a task that is pending again after the end of its attempt.
type RetryEvent struct {
	AttemptEvent
	DueAt string `json:"due_at"`
}

// InstanceEvent is about a manager.
type InstanceEvent struct {
	EventHead
	Instance string `json:"instance"`
}

// NameEvent is about a pool or a schedule.
type NameEvent struct {
	EventHead
	Name string `json:"name"`
}

// EventForm is an event as JSON: one of the forms above, by its type.
func EventForm(e db.Event) any {
	head := EventHead{Cursor: e.Cursor, At: job.FormatTime(e.At), Type: e.Type, Job: OrNull(e.Job)}
	attempt := AttemptEvent{EventHead: head, Task: taskRef(e), Attempt: OrNull(e.Attempt)}
	switch {
	case e.Type == db.JobCreated || e.Type == db.JobChanged:
		return JobEvent{head, e.State}
	case e.Type == db.TasksAdded:
		return AddedEvent{head, e.Count, e.First, e.Last}
	case strings.HasPrefix(e.Type, "tasks."):
		return TasksEvent{head, e.Count, taskRef(e)}
	case e.Type == db.TaskEnded && e.Result != nil:
		out := EndedEvent{
			AttemptEvent: attempt, Status: e.Result.Status, Reason: OrNull(e.Result.Reason),
			ExitCode: e.Result.ExitCode, Signal: OrNull(e.Result.Signal),
		}
		if e.Attempt > 0 {
			ran := e.Ran.Seconds()
			out.Seconds = &ran
		}
		return out
	case e.Type == db.TaskRetrying:
		return RetryEvent{attempt, job.FormatTime(e.Due)}
	case strings.HasPrefix(e.Type, "task."):
		return attempt
	case strings.HasPrefix(e.Type, "manager."):
		return InstanceEvent{head, e.Name}
	case strings.HasPrefix(e.Type, "pool.") || strings.HasPrefix(e.Type, "schedule."):
		return NameEvent{head, e.Name}
	}
	return head
}

// taskRef is the task that an event is about; nil: none, or several.
func taskRef(e db.Event) *TaskRef {
	if e.TaskKey == 0 {
		return nil
	}
	return &TaskRef{e.TaskKey, OrNull(e.Task)}
}
