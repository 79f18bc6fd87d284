package db

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
)

// The kinds of events. docs/events.md says what each means. Those of what runners do are
// written by triggers (see migrations/sqlite/00004_events.sql), the others here.
const (
	JobCreated = "job.created" // State
	JobChanged = "job.changed" // State, or something else of it
	JobPaused  = "job.paused"
	JobResumed = "job.resumed"
	JobRemoved = "job.removed" // with all of its tasks

	TasksAdded     = "tasks.added"     // Count, First, Last
	TasksChanged   = "tasks.changed"   // Count: something of them
	TasksReady     = "tasks.ready"     // Count: the time that they waited for has come
	TasksReset     = "tasks.reset"     // Count: pending again
	TasksCancelled = "tasks.cancelled" // Count: had not started
	TasksDismissed = "tasks.dismissed" // Count
	TasksRemoved   = "tasks.removed"   // Count

	TaskStarted    = "task.started"
	TaskChanged    = "task.changed" // of the running attempt: stopped, continued, parked, stuck
	TaskCancelling = "task.cancelling"
	TaskEnded      = "task.ended"    // Result; without an attempt: it was skipped
	TaskRetrying   = "task.retrying" // Due: pending again after the end of the attempt

	QueuePaused     = "queue.paused" // all jobs
	QueueResumed    = "queue.resumed"
	PoolChanged     = "pool.changed"     // Name: made, changed or removed
	ScheduleChanged = "schedule.changed" // Name: made, changed, paused, skipped, or removed
	ScheduleFired   = "schedule.fired"   // Name
	ManagerStarted  = "manager.started"  // Name: its instance
	ManagerStopped  = "manager.stopped"  // Name: its instance
)

// EventTypes are all kinds of events.
var EventTypes = []string{
	JobCreated, JobChanged, JobPaused, JobResumed, JobRemoved,
	TasksAdded, TasksChanged, TasksReady, TasksReset, TasksCancelled, TasksDismissed, TasksRemoved,
	TaskStarted, TaskChanged, TaskCancelling, TaskEnded, TaskRetrying,
	QueuePaused, QueueResumed, PoolChanged, ScheduleChanged, ScheduleFired, ManagerStarted, ManagerStopped,
}

// Event is something that has happened. The fields that its type does not have are zero.
type Event struct {
	Cursor Cursor // its place
	At     time.Time
	Type   string
	Job    string // name, also of a job that was removed since; empty: it is about no job

	TaskKey int64  // the task's row; 0: it is about no task, or about several
	Task    string // its id; empty: it was removed since
	Attempt int    // 0: none

	State       job.State
	Count       int   // of tasks
	First, Last int64 // rows of the tasks that were added: all of the job from one to the other
	Result      *job.Result
	Ran         time.Duration // of an attempt that has ended
	Due         time.Time     // of the next attempt
	Name        string        // of a pool or schedule, or the instance of a manager
}

// event writes an event. Ids of 0 are none, and data are the words of its kind. With a
// schema that has no events, it does nothing.
func (t *tx) event(kind string, jobID, task int64, attempt int, data ...any) error {
	if !t.d.hasEvents() {
		return nil
	}
	_, err := t.exec(`INSERT INTO event (at, kind, job, task, attempt, data) VALUES (?, ?, ?, ?, ?, ?)`,
		t.now, kind, number(jobID), number(task), number(int64(attempt)), text(strings.TrimSuffix(fmt.Sprintln(data...), "\n")))
	return err
}

// eventOf writes an event about one task of a job, if that is named, or so many; and
// none for no task.
func (t *tx) eventOf(kind string, jobID int64, task string, count int) error {
	if count == 0 {
		return nil
	}
	row, _, err := t.findTask(jobID, task)
	if err == nil {
		err = t.event(kind, jobID, row.ID, 0, count)
	}
	return err
}

// jobChanged writes the event of a change of a job.
func (t *tx) jobChanged(id int64) error {
	var state job.State
	found, err := t.get(&state, `SELECT state FROM job WHERE id = ?`, id)
	if err == nil && found {
		err = t.event(JobChanged, id, 0, 0, state)
	}
	return err
}

// jobRemoved is called before a job is deleted with its tasks.
func (t *tx) jobRemoved(id int64, name string) error {
	err := t.event(JobRemoved, id, 0, 0, name)
	if err == nil {
		err = t.markLast("job", t.d.dialect.nextJob)
	}
	if err == nil {
		err = t.markTasks()
	}
	return err
}

// changed is about so many changed rows of a running attempt.
func (t *tx) changed(rows int64, err error, jobID, task int64, attempt int) error {
	if err == nil && rows > 0 {
		err = t.event(TaskChanged, jobID, task, attempt)
	}
	return err
}

// changedWith is changed for the attempt with a token.
func (t *tx) changedWith(rows int64, err error, token string) error {
	if err != nil || rows == 0 {
		return err
	}
	var a struct {
		Job, Task int64
		Number    int
	}
	_, err = t.get(&a, `SELECT job, task, number FROM attempt WHERE slot IS NOT NULL AND token = ?`, token)
	return t.changed(rows, err, a.Job, a.Task, a.Number)
}

// Events name jobs and tasks by the numbers of their rows, which are not given twice:
// whatever deletes rows notes the highest before.

// markTasks is called before tasks are deleted.
func (t *tx) markTasks() error { return t.markLast("task", t.d.dialect.nextTask) }

// markLast notes the number before the next one.
func (t *tx) markLast(name, query string) error {
	if !t.d.hasEvents() {
		return nil
	}
	var next int64
	_, err := t.get(&next, query)
	if err == nil && next > 1 {
		err = t.mark(name, next-1)
	}
	return err
}

// hasEvents reports whether the schema has events. Without having looked at it, a
// runner takes it that it is the newest, see [Options.Runner].
func (d *DB) hasEvents() bool { return d.schema == 0 || d.schema >= 4 }

// eventRow is an event in the database, with the names of what it is about.
type eventRow struct {
	ID, At             int64
	Kind               string
	Job, Task, Attempt *int64
	Data               *string
	JobName            *string `db:"job_name"`
	TaskName           *string `db:"task_name"`
}

// event reads the data of a row. What it cannot read, it leaves out: it is from a later
// version.
func (r *eventRow) event(epoch string) Event {
	e := Event{
		Cursor: newCursor(epoch, r.ID, r.At), At: time.UnixMicro(r.At).UTC(), Type: r.Kind,
		Job: fromText(r.JobName), Task: fromText(r.TaskName),
	}
	if r.Task != nil {
		e.TaskKey = *r.Task
	}
	if r.Attempt != nil {
		e.Attempt = int(*r.Attempt)
	}
	data := fromText(r.Data)
	words := strings.Split(data, " ")
	switch number, _ := strconv.ParseInt(words[0], 10, 64); {
	case r.Kind == JobCreated || r.Kind == JobChanged:
		e.State = job.State(data)
	case r.Kind == TasksAdded && len(words) == 3:
		e.First, _ = strconv.ParseInt(words[1], 10, 64)
		e.Last, _ = strconv.ParseInt(words[2], 10, 64)
		e.Count = int(number)
	case strings.HasPrefix(r.Kind, "tasks."):
		e.Count = int(number)
	case r.Kind == TaskEnded && len(words) == 5:
		e.Result = &job.Result{Status: job.Status(words[0]), Reason: job.Reason(words[1]), Signal: words[3]}
		if code, err := strconv.Atoi(words[2]); err == nil {
			e.Result.ExitCode = &code
		}
		ran, _ := strconv.ParseInt(words[4], 10, 64)
		e.Ran = time.Duration(ran) * time.Microsecond
	case r.Kind == TaskRetrying:
		e.Due = time.UnixMicro(number).UTC()
	default:
		e.Name = data
	}
	return e
}
