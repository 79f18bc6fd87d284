package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/air-executor/air-executor/job"
)

// Rerun stores a new job with the tasks of another one, all pending: with their
// commands, environments, dependencies, and the settings of the job. Tasks that other
// tasks have queued are left out, for those will queue them again. Without a name for
// it, the new job gets the old one's with the lowest number from 2 on that is free.
// Errors: ErrNoJob, ErrJobExists, ErrEmpty.
func (d *DB) Rerun(ctx context.Context, name, as string) (Added, error) {
	if as != "" {
		if err := job.CheckNewName(as); err != nil {
			return Added{}, err
		}
	}
	var out Added
	err := d.write(ctx, func(t *tx) error {
		old, err := t.lockJob(name)
		if err != nil {
			return err
		}
		b := Batch{Job: as, NewJob: true, AllowMissing: true}
		if as == "" {
			if b.Job, err = t.freeName(name); err != nil {
				return err
			}
		}
		specs, err := t.specsOf(old)
		if err != nil {
			return err
		}
		b.FromFile, err = t.get(new(int), `SELECT 1 FROM task WHERE job = ? AND from_file = 1 LIMIT 1`, old.ID)
		if err != nil {
			return err
		}
		b.Tasks = func(yield func(job.Spec, error) bool) {
			for _, s := range specs {
				if !yield(s, nil) {
					return
				}
			}
		}
		if out, err = t.enqueue(b); err != nil {
			return err
		}
		t.added = out
		if err := t.copySettings(old.ID, b.Job); err != nil {
			return err
		}
		return t.copyInput(old.ID, b.Job)
	})
	return out, d.wakeAfter(err)
}

// freeName returns name-2, or the first number after it that no job has.
func (t *tx) freeName(name string) (string, error) {
	for n := 2; ; n++ {
		as := fmt.Sprintf("%s-%d", name, n)
		if err := job.CheckName(as); err != nil {
			return "", err
		}
		_, err := t.findJob(as)
		if errors.Is(err, ErrNoJob) {
			return as, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// specsOf reads what was asked for of each task of a job that no other task has queued,
// oldest first.
func (t *tx) specsOf(j *jobRow) ([]job.Spec, error) {
	var rows []struct {
		Name        string
		Environment *int64
	}
	err := t.all(&rows, `SELECT name, environment FROM task WHERE job = ? AND parent IS NULL`, j.ID)
	if err != nil {
		return nil, err
	}
	environments, envs := make(map[string]*int64, len(rows)), map[int64][]string{}
	for _, r := range rows {
		environments[r.Name] = r.Environment
	}
	var specs []job.Spec
	err = t.eachTask(func(task job.Task) error {
		if _, ok := environments[task.ID]; ok {
			s := task.Spec
			s.Extra = nil
			specs = append(specs, s)
		}
		return nil
	}, t.d.taskColumns()+`
WHERE t.job = ?
ORDER BY t.id, d.position`, j.ID)
	if err != nil {
		return nil, err
	}
	for i := range specs {
		id := environments[specs[i].ID]
		if id == nil {
			continue
		}
		if specs[i].Env, err = t.environmentOf(*id, envs); err != nil {
			return nil, err
		}
	}
	return specs, nil
}

// copySettings gives a new job what was set for another one.
func (t *tx) copySettings(from int64, name string) error {
	j, err := t.findJob(name)
	if err != nil {
		return err
	}
	_, err = t.exec(`
UPDATE job
SET (parallel, priority, retry_holds, defaults, hooks) = (
    SELECT o.parallel, o.priority, o.retry_holds, o.defaults, o.hooks
    FROM job o
    WHERE o.id = ?)
WHERE id = ?`, from, j.ID)
	if err != nil {
		return err
	}
	_, err = t.exec(`
INSERT INTO label (job, task, key, value)
SELECT ?, 0, key, value
FROM label
WHERE job = ?
  AND task = 0
ON CONFLICT (job, task, key) DO NOTHING`, j.ID, from)
	if err != nil {
		return err
	}
	_, err = t.updateJob(j.ID, delta{})
	return err
}
