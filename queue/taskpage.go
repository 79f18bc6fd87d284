package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// KeyedTask is a task with its key, which addresses it for as long as it exists.
type KeyedTask struct {
	Key int64 `json:"key"`
	TaskForm
}

// TaskPage is a page of the tasks of a job.
type TaskPage struct {
	Items      []KeyedTask
	Next, Prev int64  // keys; 0: there is no such page
	Total      *int   // of all pages; nil: counting would read too much
	AsOf       string // cursor of the events
}

// TaskPage reads a page of the tasks of a job. Errors: db.ErrNoJob.
func (q *Queue) TaskPage(ctx context.Context, query db.TaskPageQuery) (TaskPage, error) {
	p, err := q.DB.TaskPage(ctx, query)
	if err != nil {
		return TaskPage{}, err
	}
	out, counts, err := q.taskPage(ctx, query.Job, p)
	if err == nil && query.Reason == "" && query.Text == "" {
		out.Total = countOf(counts, query)
	}
	return out, err
}

// TasksNamed returns those of the tasks of a job that exist, in the order of the ids.
// Errors: db.ErrNoJob.
func (q *Queue) TasksNamed(ctx context.Context, name string, ids []string) (TaskPage, error) {
	p, err := q.DB.TasksNamed(ctx, name, ids)
	if err != nil {
		return TaskPage{}, err
	}
	out, _, err := q.taskPage(ctx, name, p)
	n := len(out.Items)
	out.Total = &n
	return out, err
}

func (q *Queue) taskPage(ctx context.Context, name string, p db.TaskPage) (TaskPage, job.Counts, error) {
	out := TaskPage{Items: []KeyedTask{}, Next: p.Next, Prev: p.Prev, AsOf: string(p.AsOf)}
	s, err := q.StatusHead(ctx, StatusQuery{Job: name})
	if err != nil {
		return out, job.Counts{}, err
	}
	for _, l := range p.Tasks {
		out.Items = append(out.Items, KeyedTask{l.Place.Row, s.TaskForm(l)})
	}
	return out, s.Totals.Tasks, nil
}

// countOf returns how many tasks a list has that is not narrowed down but by status.
func countOf(c job.Counts, query db.TaskPageQuery) *int {
	n := c.Total()
	switch {
	case query.Dismissed:
		n = c.Dismissed
	case query.Status != "":
		n = countTasks(c, []job.Status{query.Status})
	}
	return &n
}

// TaskAt returns the task with a key, with its attempts, and the cursor of the events.
// Errors: db.ErrNoTask.
func (q *Queue) TaskAt(ctx context.Context, key int64) (out KeyedTask, asOf string, err error) {
	at, err := q.AsOf(ctx, func(q *Queue) error {
		name, id, err := q.DB.TaskWithKey(ctx, key)
		if err != nil {
			return err
		}
		s, err := q.Status(ctx, StatusQuery{Job: name, Task: id})
		if err != nil {
			return err
		}
		if len(s.Tasks) == 0 {
			return &db.Missing{Job: name, Task: id}
		}
		out = KeyedTask{key, s.TaskForm(s.Tasks[0])}
		return nil
	})
	return out, string(at), err
}
