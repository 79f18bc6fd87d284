package api

import (
	"strconv"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// Task is a task as the API shows it.
type Task struct {
	queue.KeyedTask
	History []Attempt `json:"history"` // null in lists
	URL     string    `json:"url"`     // of its page
	Result  *string   `json:"result"`  // null: there are no results yet
}

// TaskAt is a task with the cursor of the events.
type TaskAt struct {
	Task
	AsOf *string `json:"as_of"`
}

// Attempt is an attempt as the API shows it.
type Attempt struct {
	queue.AttemptForm
	WaitSeconds *float64 `json:"wait_seconds"` // null: it is not measured yet
	RunSeconds  *float64 `json:"run_seconds"`  // null while it runs
	Log         LogState `json:"log"`
}

func (c *call) task(f queue.KeyedTask) Task {
	return Task{KeyedTask: f, URL: c.address("tasks", strconv.FormatInt(f.Key, 10))}
}

// withHistory adds the attempts.
func (c *call) withHistory(t *Task) error {
	t.History = []Attempt{}
	for _, f := range t.KeyedTask.History {
		a := Attempt{AttemptForm: f, RunSeconds: seconds(f)}
		log, err := c.api.queue.OpenLog(c.Context(), t.Key, f.Attempt)
		if err != nil {
			// The state is answered without it: the log may be a link, or be moved.
			c.api.log.Warn("a log cannot be read", "job", f.Job, "task", f.Task, "attempt", f.Attempt, "error", err)
			log = &queue.LogFile{Complete: f.CompletedAt != nil}
		}
		log.Close()
		a.Log = LogState{Size: log.Size, Complete: log.Complete, URL: c.address(
			"api", "v1", "tasks", strconv.FormatInt(t.Key, 10), "attempts", strconv.Itoa(f.Attempt), "log")}
		t.History = append(t.History, a)
	}
	return nil
}

// seconds is how long an attempt has run.
func seconds(f queue.AttemptForm) *float64 {
	if f.CompletedAt == nil {
		return nil
	}
	from, err := time.Parse(time.RFC3339Nano, f.StartedAt)
	to, err2 := time.Parse(time.RFC3339Nano, *f.CompletedAt)
	if err != nil || err2 != nil {
		return nil
	}
	return new(max(to.Sub(from).Seconds(), 0))
}

func listTasks(c *call) (answer, error) {
	var p ListTasksParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	name := c.PathValue("job")
	if p.ID != nil {
		found, err := c.api.queue.TasksNamed(c.Context(), name, *p.ID)
		return ok(c.taskPage(found), err)
	}
	q := db.TaskPageQuery{Job: name, Reason: job.Reason(or(p.Reason, "")), Text: or(p.Q, ""), Limit: or(p.Limit, defaultLimit), At: p.At}
	switch s := or(p.Status, ""); s {
	case ListTasksParamsStatusDismissed:
		q.Dismissed = true
	default:
		q.Status = job.Status(s)
	}
	if p.Cursor != nil && p.At != nil {
		return answer{}, wrongParameter("at", "is not for a page that a cursor names")
	}
	if p.Cursor != nil {
		at, err := readCursor(*p.Cursor, "")
		if err != nil {
			return answer{}, err
		}
		q.From, q.Back = at.Key, at.Back
	}
	found, err := c.api.queue.TaskPage(c.Context(), q)
	return ok(c.taskPage(found), err)
}

func (c *call) taskPage(p queue.TaskPage) TaskPage {
	out := TaskPage{Items: []Task{}, Total: p.Total, AsOf: orNull(p.AsOf)}
	for _, f := range p.Items {
		out.Items = append(out.Items, c.task(f))
	}
	if p.Next != 0 {
		out.Next = place{Key: p.Next}.cursor()
	}
	if p.Prev != 0 {
		out.Prev = place{Key: p.Prev, Back: true}.cursor()
	}
	return out
}

func getTask(c *call) (answer, error) {
	key, err := c.number("key", noSuchTask)
	if err != nil {
		return answer{}, err
	}
	f, asOf, err := c.api.queue.TaskAt(c.Context(), key)
	if err != nil {
		return answer{}, err
	}
	t := c.task(f)
	err = c.withHistory(&t)
	return ok(TaskAt{t, orNull(asOf)}, err)
}
