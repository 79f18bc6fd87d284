package db

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/air-executor/air-executor/job"
)

// Import stores a job with its tasks as they are, in any state but running:
// the caller has turned that into another. Dependencies on tasks that are not
// there are kept, for they may still come. Errors: ErrDuplicate (the job, or a
// task id twice), ErrCycle, or the first error of tasks.
func (d *DB) Import(ctx context.Context, j job.Job, tasks iter.Seq2[job.Task, error]) error {
	if err := job.CheckName(j.Name); err != nil {
		return err
	}
	return d.wakeAfter(d.write(ctx, func(t *tx) error {
		var id int64
		found, err := t.get(&id, `SELECT id FROM job WHERE name = ?`, j.Name)
		if err != nil {
			return err
		}
		if found {
			return fmt.Errorf("job %q %w", j.Name, ErrDuplicate)
		}
		return t.importJob(j, tasks)
	}))
}

func (t *tx) importJob(j job.Job, tasks iter.Seq2[job.Task, error]) error {
	a, err := t.newAdder(j.Name)
	if err != nil {
		return err
	}
	var parents []parentLink
	for task, err := range tasks {
		if err != nil {
			return err
		}
		if task.Status == job.Running {
			return fmt.Errorf("task %q is running, and cannot be without a runner", task.ID)
		}
		if err := a.add(task); errors.Is(err, ErrDuplicate) {
			return fmt.Errorf("task %q %w in job %q", task.ID, ErrDuplicate, a.job.Name)
		} else if err != nil {
			return err
		}
		if task.Parent != "" {
			parents = append(parents, parentLink{a.last, task.Parent})
		}
	}
	if err := a.requireAcyclic(); err != nil {
		return err
	}
	if err := a.link(parents); err != nil {
		return err
	}
	if err := a.tallyUp(j.State); err != nil {
		return err
	}
	// The counters have been written at the time of the import; the file knows better.
	_, err = t.exec(`
UPDATE job
SET uuid = ?,
    created_at = ?,
    updated_at = ?,
    extra = ?
WHERE id = ?`, j.UUID, j.CreatedAt.UnixMicro(), j.UpdatedAt.UnixMicro(), text(string(j.Extra)), a.job.ID)
	return err
}

// parentLink is a task that another has queued, which may come later in the file.
type parentLink struct {
	task   int64
	parent string
}

func (a *adder) link(parents []parentLink) error {
	for _, p := range parents {
		_, err := a.t.exec(`
UPDATE task
SET parent = (SELECT p.id FROM task p WHERE p.job = ? AND p.name = ?)
WHERE id = ?`, a.job.ID, p.parent, p.task)
		if err != nil {
			return err
		}
	}
	return nil
}
