package db

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/air-executor/air-executor/job"
)

// Import stores a job with its tasks as they are. No task may be running: the caller
// must have changed that status. The state of the job follows from its tasks; only a
// job without tasks keeps the state of its file. Dependencies on tasks that do not
// exist are kept, because those may still come. Errors: ErrDuplicate (the job, or a
// task id twice), ErrCycle, or the first error of tasks.
func (d *DB) Import(ctx context.Context, j job.Job, tasks iter.Seq2[job.Task, error]) error {
	if err := job.CheckName(j.Name); err != nil {
		return err
	}
	return d.wakeAfter(d.write(ctx, func(t *tx) error {
		_, err := t.findJob(j.Name)
		if err == nil {
			return fmt.Errorf("job %q %w", j.Name, ErrDuplicate)
		}
		if !errors.Is(err, ErrNoJob) {
			return err
		}
		return t.importJob(j, tasks)
	}))
}

func (t *tx) importJob(j job.Job, tasks iter.Seq2[job.Task, error]) error {
	a, err := t.newAdder(j.Name, nil)
	if err != nil {
		return err
	}
	err = a.take(tasks, func(task job.Task) error {
		return fmt.Errorf("task %q %w in job %q", task.ID, ErrDuplicate, a.job.Name)
	})
	if err != nil {
		return err
	}
	if err := a.settings(&j); err != nil {
		return err
	}
	var state job.State // derived from the tasks
	if a.count == 0 {
		if state = j.State; state != job.StateCompleted && state != job.StateFailed {
			state = job.StateWaiting
		}
	}
	if err := a.tallyUp(state); err != nil {
		return err
	}
	if err := t.setHooks(a.job.ID, j.Hooks, false); err != nil {
		return err
	}
	if err := t.label(a.job.ID, 0, j.Labels); err != nil {
		return err
	}
	// The counters were written with the time of the import; the file has the right
	// time.
	created, updated := j.CreatedAt.UnixMicro(), j.UpdatedAt.UnixMicro()
	if j.CreatedAt.IsZero() {
		created = t.now
	}
	if j.UpdatedAt.IsZero() {
		updated = created
	}
	_, err = t.exec(`
UPDATE job
SET uuid = ?,
    created_at = ?,
    updated_at = ?,
    extra = ?
WHERE id = ?`, j.UUID, created, updated, text(string(j.Extra)), a.job.ID)
	return err
}

// Merged says what happened to the tasks of a file for an existing job.
type Merged struct {
	Added   int          // tasks stored
	Present []string     // ids of tasks that existed, and were not changed
	Differ  []Difference // those of them that differ in the file
}

// Difference is a task that differs between a file and the database.
type Difference struct {
	Task string
	What string // such as "the file has another command", for people
}

// Merge adds to a job the tasks that it does not have; the others are not changed. For
// statuses and dependencies the rules of Import apply. Errors: ErrNoJob, ErrCycle, or
// the first error of tasks.
func (d *DB) Merge(ctx context.Context, name string, tasks iter.Seq2[job.Task, error]) (Merged, error) {
	var m Merged
	err := d.write(ctx, func(t *tx) error {
		m = Merged{}
		if _, err := t.findJob(name); err != nil {
			return err
		}
		a, err := t.newAdder(name, nil)
		if err != nil {
			return err
		}
		err = a.take(tasks, func(task job.Task) error {
			m.Present = append(m.Present, task.ID)
			what, err := a.compare(task)
			if what != "" {
				m.Differ = append(m.Differ, Difference{task.ID, what})
			}
			return err
		})
		if m.Added = a.count; err != nil || a.count == 0 {
			return err
		}
		return a.tallyUp("")
	})
	return m, d.wakeAfter(err)
}

// Compare says how the tasks of a file differ from those of a job. Tasks that the job
// does not have are counted in Added, but nothing is stored.
func (d *DB) Compare(ctx context.Context, name string, tasks iter.Seq2[job.Task, error]) (Merged, error) {
	var m Merged
	err := d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		a := &adder{t: t, job: *j}
		for task, err := range tasks {
			if err != nil {
				return err
			}
			row, err := t.taskRow(name, j.ID, task.ID)
			if errors.Is(err, ErrNoTask) {
				m.Added++
				continue
			}
			if err != nil || row == nil {
				return err
			}
			m.Present = append(m.Present, task.ID)
			what, err := a.compare(task)
			if what != "" {
				m.Differ = append(m.Differ, Difference{task.ID, what})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return m, err
}

// compare says how an existing task differs from that of a file; empty: it does not.
func (a *adder) compare(task job.Task) (string, error) {
	var stored job.Task
	err := a.t.eachTask(func(t job.Task) error {
		stored = t
		return nil
	}, a.t.d.taskColumns()+`
WHERE t.job = ?
  AND t.name = ?
ORDER BY t.id, d.position`, a.job.ID, task.ID)
	switch {
	case err != nil:
		return "", err
	case stored.Command != task.Command:
		return "the file has another command", nil
	case !slices.Equal(stored.Args, task.Args):
		return "the file has other arguments", nil
	case !slices.Equal(stored.Dependencies, task.Dependencies):
		return "the file has other dependencies", nil
	case task.Status != job.Pending && stored.Status == job.Pending:
		return fmt.Sprintf("it is %s in the file, and pending here", task.Status), nil
	}
	return "", nil
}

// take stores the tasks of a file, their dependencies and their parents. A task whose
// id is taken is passed to taken, whose error ends it.
func (a *adder) take(tasks iter.Seq2[job.Task, error], taken func(job.Task) error) error {
	var parents []parentLink
	var places Places
	for task, err := range tasks {
		if err != nil {
			return err
		}
		places = Places{min(places.First, task.Place), max(places.Last, task.Place)}
		err := a.addStopped(task)
		if errors.Is(err, ErrDuplicate) {
			err = taken(task)
		} else if err == nil && task.Parent != "" {
			parents = append(parents, parentLink{a.last, task.Parent})
		}
		if err != nil {
			return err
		}
	}
	if err := a.requireAcyclic(); err != nil {
		return err
	}
	if places != (Places{}) {
		a.job.Places = Places{min(places.First, a.job.First), max(places.Last, a.job.Last)}
		if err := a.t.widen(&a.job); err != nil {
			return err
		}
	}
	return a.link(parents)
}

// addStopped stores a task that does not run. It returns plain ErrDuplicate if the id
// is taken.
func (a *adder) addStopped(task job.Task) error {
	if task.Status != job.Running {
		return a.add(task)
	}
	row, err := a.t.taskRow(a.job.Name, a.job.ID, task.ID)
	if err == nil && row != nil {
		return ErrDuplicate
	}
	return errors.Join(ignore(err, ErrNoTask), fmt.Errorf("task %q %w", task.ID, ErrNoRunner))
}

// parentLink is a task and its parent, which may come later in the file.
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

// settings gives an imported job what was set for it, before its tasks are counted.
func (a *adder) settings(j *job.Job) error {
	c := JobChange{RetryHolds: j.RetryHolds}
	if j.Parallel > 0 {
		c.Parallel = &j.Parallel
	}
	if j.Priority != 0 {
		c.Priority = &j.Priority
	}
	if len(j.Defaults) > 0 {
		c.Defaults = func([]byte) ([]byte, error) { return j.Defaults, nil }
	}
	if err := a.t.setJob(a.job.ID, c); err != nil || j.PausedAt.IsZero() {
		return err
	}
	_, err := a.t.exec(`UPDATE job SET paused_at = ?, holds = holds + 1 WHERE id = ?`, j.PausedAt.UnixMicro(), a.job.ID)
	return err
}
