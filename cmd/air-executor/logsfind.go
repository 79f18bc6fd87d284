package main

import (
	"context"
	"errors"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// find lists the logs to print, in the order in which the tasks were queued. It
// remarks on tasks that have none yet.
func (c *logsCmd) find(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, jobs []string) (logs []*queue.Log, err error) {
	for _, name := range jobs {
		ids, named, err := c.pick(ctx, q, name, "shown", job.Statuses...)
		if err != nil {
			return nil, noJobButTask(ctx, ws, q, jobs, err)
		}
		if named && len(ids) == 0 {
			ui.notef("no task of job %q is %s", name, either(c.selection().Statuses))
			continue
		}
		found, pending, err := q.Logs(ctx, name, c.query(ids))
		if err != nil {
			return nil, noJobButTask(ctx, ws, q, jobs, err)
		}
		switch {
		case len(found) > 0 || c.Failed || c.AllJobs || !c.Since.IsZero():
		case len(ids) == 1:
			ui.notef("task %q of job %q has not started yet", ids[0], name)
		case pending > 0:
			ui.notef("no task of job %q has started yet", name)
		}
		logs = append(logs, found...)
	}
	return logs, nil
}

// ofAll are the jobs that may have such logs.
func (c *logsCmd) ofAll(ctx context.Context, ui *ui, q *queue.Queue) (jobs []string, err error) {
	what := "no task has failed"
	if c.Failed {
		jobs, err = q.WithFailures(ctx)
	} else {
		what = "nothing has run"
		jobs, err = q.WithLogs(ctx, c.Since.Time)
	}
	if err == nil && len(jobs) == 0 {
		ui.notef("%s", what)
	}
	return jobs, err
}

// noJobButTask adds a hint if a task was given as if it were a job.
func noJobButTask(ctx context.Context, ws *workspace, q *queue.Queue, jobs []string, err error) error {
	if len(jobs) == 2 && errors.Is(err, db.ErrNoJob) {
		if _, e := q.DB.Task(ctx, jobs[0], jobs[1]); e == nil {
			return fail(exitNoSuch, err, "for one task: air-executor logs "+shellLine([]string{jobs[0], "--task", jobs[1]}))
		}
	}
	return ws.suggestTask(err, jobs)
}

// query selects the logs, of these tasks, or of all if there are none.
func (c *logsCmd) query(ids []string) queue.LogQuery {
	query := queue.LogQuery{Tasks: ids, Failed: c.Failed, Since: c.Since.Time}
	if len(ids) == 1 {
		query = queue.LogQuery{Task: ids[0], Failed: c.Failed, Since: c.Since.Time}
	}
	if c.Attempt != nil {
		query.Attempt = int(*c.Attempt)
	}
	return query
}
