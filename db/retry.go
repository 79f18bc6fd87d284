package db

import (
	"context"
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/job"
)

// Retry says which ended tasks of a job [DB.Retry] takes.
type Retry struct {
	Which
	Completed  bool // the completed ones too; without ids: all that have ended
	Downstream bool // and all that depends on them and has ended, however, and so on
}

// Retry makes ended tasks of a job pending again. Their attempts stay in the history.
// What is pending and depends on them waits for them again. Errors: ErrNoJob,
// ErrNoTask, that a named task has not ended or needs Completed, or that a running
// task depends on one of them; then nothing has changed.
func (d *DB) Retry(ctx context.Context, name string, r Retry) (Resetting, error) {
	var out Resetting
	err := d.write(ctx, func(t *tx) error {
		j, err := t.lockJob(name)
		if err != nil {
			return err
		}
		if !r.Completed && !r.Downstream {
			out, err = t.reset(j, r.Which)
			return err
		}
		out, err = t.retry(j, r)
		return err
	})
	return out, d.wakeAfter(err)
}

// ended is an ended task that is to run again.
type ended struct {
	ID        int64
	Name      string
	Status    job.Status
	Reason    *string
	Dismissed bool
}

const selectEnded = `
SELECT t.id, t.name, t.status, t.reason, t.dismissed_at IS NOT NULL AS dismissed
FROM task t
`

func (t *tx) retry(j *jobRow, r Retry) (Resetting, error) {
	var out Resetting
	tasks, err := t.retried(j, r, &out)
	if err != nil {
		return out, err
	}
	var change delta
	if r.Downstream {
		named := len(tasks)
		if tasks, err = t.downstream(tasks); err != nil {
			return out, err
		}
		for _, e := range tasks[named:] {
			out.taken(e, len(r.Tasks) == 0)
		}
	}
	for _, e := range tasks {
		if e.Status == job.Completed {
			if err := t.blockAgain(j, e, &change); err != nil {
				return out, err
			}
		}
	}
	for _, e := range tasks {
		var blockers int
		query, args := t.toPending(`
WHERE id = ?
RETURNING blockers`, e.ID)
		if _, err := t.get(&blockers, query, args...); err != nil {
			return out, err
		}
		if e.Status == job.Completed {
			change.Completed--
			change.Failed++ // which reset takes off
		}
		change.reset(blockers, e.Dismissed)
	}
	if out.Reset = len(tasks); out.Reset == 0 {
		return out, nil
	}
	one := ""
	if len(tasks) == 1 {
		one = tasks[0].Name
	}
	if err := t.eventOf(TasksReset, j.ID, one, len(tasks)); err != nil {
		return out, err
	}
	return out, t.putBack(j, change)
}

// taken is about a task that is taken after all, and was counted as left alone.
func (r *Resetting) taken(e ended, counted bool) {
	switch {
	case !counted:
	case e.Dismissed:
		r.Dismissed--
	case fromText(e.Reason) == string(job.Cancelled):
		r.Cancelled--
	}
}

// retried are the tasks that were named, or all that fit. It counts those left alone.
func (t *tx) retried(j *jobRow, r Retry, out *Resetting) (tasks []ended, err error) {
	for _, id := range distinct(r.Tasks) {
		var e ended
		there, err := t.get(&e, selectEnded+`
WHERE t.job = ?
  AND t.name = ?`, j.ID, id)
		switch {
		case err != nil:
			return nil, err
		case !there:
			return nil, noTask(j.Name, id)
		case !e.Status.Ended():
			return nil, fmt.Errorf("task %q of job %q is %s, only ended tasks can be retried", id, j.Name, e.Status)
		case e.Status == job.Completed && !r.Completed:
			return nil, fmt.Errorf("task %q of job %q has completed, and is retried only with --completed", id, j.Name)
		}
		tasks = append(tasks, e)
	}
	if len(r.Tasks) > 0 {
		return tasks, nil
	}
	var all []ended
	if err := t.all(&all, selectEnded+`
WHERE t.job = ?
  AND t.status IN ('completed', 'failed')
ORDER BY t.id`, j.ID); err != nil {
		return nil, err
	}
	for _, e := range all {
		switch {
		case e.Status == job.Completed && !r.Completed:
		case e.Dismissed:
			out.Dismissed++
		case fromText(e.Reason) == string(job.Cancelled) && !r.Cancelled:
			out.Cancelled++
		default:
			tasks = append(tasks, e)
		}
	}
	return tasks, nil
}

// downstream adds to the tasks all ended ones that depend on them, and so on.
func (t *tx) downstream(tasks []ended) ([]ended, error) {
	seen := map[int64]bool{}
	for _, e := range tasks {
		seen[e.ID] = true
	}
	open := slices.Clone(tasks)
	for len(open) > 0 {
		e := open[0]
		open = open[1:]
		var next []ended
		if err := t.all(&next, selectEnded+`
WHERE t.id IN (
    SELECT d.task
    FROM dependency d
    WHERE d.needs = ?
      AND d.missing_job IS NULL)
ORDER BY t.id`, e.ID); err != nil {
			return nil, err
		}
		for _, n := range next {
			if seen[n.ID] {
				continue
			}
			seen[n.ID] = true
			open = append(open, n)
			if n.Status.Ended() {
				tasks = append(tasks, n)
			}
		}
	}
	return tasks, nil
}

// blockAgain has what depends on a completed task wait for it again, before that is
// pending.
func (t *tx) blockAgain(j *jobRow, e ended, change *delta) error {
	var changed []struct {
		Name   string
		Status job.Status
		Before int
		Own    bool
	}
	err := t.all(&changed, `
SELECT name, status, blockers AS before, job = ? AS own
FROM task
WHERE id IN (
    SELECT d.task
    FROM dependency d
    WHERE d.needs = ?)`, j.ID, e.ID)
	if err != nil || len(changed) == 0 {
		return err
	}
	for _, c := range changed {
		switch {
		case c.Status == job.Running:
			return fmt.Errorf("task %q of job %q cannot be retried: %q depends on it, and runs", e.Name, j.Name, c.Name)
		case c.Own && c.Status == job.Pending && c.Before == 0:
			change.blocked++
		}
	}
	_, err = t.exec(`
UPDATE task
SET blockers = blockers + (
    SELECT COUNT(*)
    FROM dependency d
    WHERE d.needs = ?
      AND d.missing_job IS NULL
      AND d.task = task.id)
WHERE id IN (
    SELECT d.task
    FROM dependency d
    WHERE d.needs = ?
      AND d.missing_job IS NULL)`, e.ID, e.ID)
	return err
}
