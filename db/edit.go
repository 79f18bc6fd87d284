package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/air-executor/air-executor/job"
)

// Edit changes pending tasks of a job. The function change is called with each of them as it
// is stored, with its environment, and changes it; its id must stay. It must not use the
// database. Due is until when the task waits as somebody has asked for, and not that of a
// retry.
//
// All of it is one commit. Errors, after which nothing has changed: ErrNoJob, ErrNoTask, also
// about a new dependency, *NotPending, ErrCycle, *NoRoom, ErrKeyTaken, those of
// [job.Spec.Check], or that of change.
func (d *DB) Edit(ctx context.Context, name string, tasks []string, change func(*job.Spec) error) ([]Change, error) {
	var out []Change
	err := d.write(ctx, func(t *tx) error {
		out = nil
		j, err := t.lockJob(name)
		if err != nil {
			return err
		}
		rows, err := t.pendingRows(j, tasks)
		if err != nil || len(rows) == 0 {
			return err
		}
		e := editor{adder: adder{t: t, job: *j, recent: map[string]taskState{}}, envs: map[int64][]string{}}
		for _, r := range rows {
			changed, err := e.edit(r, change)
			if err != nil {
				return err
			}
			out = append(out, changed)
		}
		if err := t.eventOf(TasksChanged, j.ID, onlyOne(tasks), len(rows)); err != nil {
			return err
		}
		return e.settle()
	})
	return out, d.wakeAfter(err)
}

// Definitions returns what was asked for of pending tasks, as [DB.Edit] passes it. Errors:
// ErrNoJob, ErrNoTask, *NotPending.
func (d *DB) Definitions(ctx context.Context, name string, tasks []string) ([]job.Spec, error) {
	var out []job.Spec
	err := d.read(ctx, func(t *tx) error {
		out = nil
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		rows, err := t.pendingRows(j, tasks)
		e := editor{adder: adder{t: t, job: *j}, envs: map[int64][]string{}}
		for _, r := range rows {
			stored, err := e.stored(r)
			if err != nil {
				return err
			}
			out = append(out, stored.spec)
		}
		return err
	})
	return out, err
}

// editor carries out one Edit.
type editor struct {
	adder
	envs    map[int64][]string
	unused  []int64 // environments that tasks no longer use
	change  delta
	anew    bool    // what lets go of the tasks of the job is to be found out anew
	related []int64 // tasks whose dependencies have changed
}

// editedTask is a pending task as it is stored.
type editedTask struct {
	spec        job.Spec
	environment *int64
	tries       int
}

// stored reads a task.
func (e *editor) stored(r movedRow) (editedTask, error) {
	var out editedTask
	err := e.t.eachTask(func(task job.Task) error {
		out.spec, out.tries = task.Spec, task.Tries
		return nil
	}, e.t.d.taskColumns()+`
WHERE t.id = ?
ORDER BY d.position`, r.ID)
	if err != nil {
		return out, err
	}
	var row struct {
		Environment *int64
		Due         *int64
	}
	_, err = e.t.get(&row, `
SELECT t.environment, h.due
FROM task t
LEFT JOIN hold h ON h.task = t.id AND h.kind = ?
WHERE t.id = ?`, delayed, r.ID)
	out.environment, out.spec.Due = row.Environment, fromInstant(row.Due)
	if err != nil || row.Environment == nil {
		return out, err
	}
	out.spec.Env, err = e.t.environmentOf(*row.Environment, e.envs)
	return out, err
}

// edit changes one task.
func (e *editor) edit(r movedRow, change func(*job.Spec) error) (Change, error) {
	was, err := e.stored(r)
	if err != nil {
		return Change{}, err
	}
	is := was.spec
	if err = change(&is); err == nil {
		err = is.Check()
	}
	if err == nil && is.ID != was.spec.ID {
		err = fmt.Errorf("the id of task %q cannot be changed", was.spec.ID)
	}
	if err != nil {
		return Change{}, err
	}
	if is.Retries = max(0, is.Retries); is.Retries == 0 {
		is.Retry = job.Retry{}
	}
	for _, step := range []func(movedRow, *editedTask, *job.Spec) error{e.redefine, e.attachAnew, e.waitAnew, e.connect} {
		if err := step(r, &was, &is); err != nil {
			return Change{}, err
		}
	}
	return Change{job.Pending, was.spec, is}, nil
}

// redefine stores what is in the row of the task.
func (e *editor) redefine(r movedRow, was *editedTask, is *job.Spec) error {
	asked, err := appendSpec(nil, is)
	if err != nil {
		return err
	}
	env := was.environment
	if !slices.Equal(was.spec.Env, is.Env) {
		if env, err = e.environment(is.Env); err != nil {
			return err
		}
		if was.environment != nil && !slices.Contains(e.unused, *was.environment) {
			e.unused = append(e.unused, *was.environment)
		}
	}
	if err := e.t.needPools(e.job.ID, is, job.Pending); err != nil {
		return err
	}
	// The attempt that comes is the last one if there are fewer retries now.
	tries := min(was.tries, is.Retries)
	_, err = e.t.exec(`UPDATE task SET tries = ?,`+e.t.d.specSet()+`,
    environment = ?
WHERE id = ?`, append(append([]any{tries}, asked...), env, r.ID)...)
	if err == nil {
		err = e.t.holdForPools(r.ID, was.spec.Pools, is.Pools)
	}
	return err
}

// attachAnew stores the labels and the unique key of the task.
func (e *editor) attachAnew(r movedRow, was *editedTask, is *job.Spec) error {
	if !slices.Equal(was.spec.Labels, is.Labels) {
		if err := e.t.relabel(e.job.ID, r.ID, is.Labels); err != nil {
			return err
		}
	}
	if was.spec.Unique == is.Unique && was.spec.UniqueFor == is.UniqueFor {
		return nil
	}
	if was.spec.Unique != is.Unique {
		if _, err := e.t.exec(`UPDATE task SET unique_key = NULL, unique_for = NULL WHERE id = ?`, r.ID); err != nil {
			return err
		}
		by, err := e.holder(is.Unique)
		if err == nil && by != "" {
			err = fmt.Errorf("%w: task %q of job %q has %q", ErrKeyTaken, by, e.job.Name, is.Unique)
		}
		if err != nil || is.Unique == "" {
			return err
		}
	}
	_, err := e.t.exec(`UPDATE task SET unique_key = ?, unique_for = ? WHERE id = ?`, is.Unique, uniqueFor(is.UniqueFor), r.ID)
	return err
}

// waitAnew has the task wait until another time than before.
func (e *editor) waitAnew(r movedRow, was *editedTask, is *job.Spec) error {
	if is.Delay == 0 && is.Due.Equal(was.spec.Due) {
		return nil
	}
	n, err := e.t.exec(`DELETE FROM hold WHERE task = ? AND kind = ?`, r.ID, delayed)
	if err == nil && n > 0 {
		_, err = e.t.exec(`UPDATE task SET blockers = blockers - 1, holds = holds - 1 WHERE id = ?`, r.ID)
	}
	if err != nil {
		return err
	}
	due := e.t.dueAt(is)
	if is.Delay, is.Due = 0, due; due.IsZero() {
		return nil
	}
	is.Due = time.UnixMicro(due.UnixMicro()).UTC()
	return e.t.holdUntil(r.ID, due)
}

// connect stores other dependencies, and counts whether the task is ready now.
func (e *editor) connect(r movedRow, was *editedTask, is *job.Spec) error {
	if !slices.Equal(edgesOf(&was.spec), edgesOf(is)) || was.spec.RunIf != is.RunIf {
		if _, err := e.t.exec(`DELETE FROM dependency WHERE task = ?`, r.ID); err != nil {
			return err
		}
		// If there are none now, depend leaves the count alone.
		if _, err := e.t.exec(`UPDATE task SET blockers = holds + ? WHERE id = ?`, len(edgesOf(is)), r.ID); err != nil {
			return err
		}
		if _, err := e.depend(r.ID, is); err != nil {
			return err
		}
		if err := e.requireThere(r.ID, &was.spec); err != nil {
			return err
		}
		needed, err := e.neededInAnyCase(r.ID)
		if err != nil {
			return err
		}
		e.anew = e.anew || needed || e.unsettled
		e.related = append(e.related, r.ID)
	}
	var blockers int
	_, err := e.t.get(&blockers, `SELECT blockers FROM task WHERE id = ?`, r.ID)
	switch {
	case r.Blockers == 0 && blockers > 0:
		e.change.blocked++
	case r.Blockers > 0 && blockers == 0:
		e.change.blocked--
	}
	return err
}

// neededInAnyCase reports whether another task needs this one, in a job in which it may
// matter whether this one can still run.
func (e *editor) neededInAnyCase(id int64) (bool, error) {
	return e.t.get(new(int), `
SELECT 1
FROM job j
JOIN dependency d ON d.needs = ?
WHERE j.id = ?
  AND j.conditional = 1
LIMIT 1`, id, e.job.ID)
}

// requireThere returns ErrNoTask for a new dependency on a task that does not exist.
func (e *editor) requireThere(id int64, was *job.Spec) error {
	var missing []string
	if err := e.t.all(&missing, `SELECT missing FROM dependency WHERE task = ? AND missing IS NOT NULL`, id); err != nil {
		return err
	}
	for _, m := range missing {
		if !slices.Contains(was.Dependencies, m) && !slices.Contains(was.AfterAny, m) {
			return &Missing{Job: e.job.Name, Task: m, By: was.ID}
		}
	}
	return nil
}

// settle does what is left to do once all tasks are changed.
func (e *editor) settle() error {
	for _, id := range e.related {
		cycle, err := e.t.reaches(id, id)
		if err != nil {
			return err
		}
		if cycle {
			e.tied = true
			return e.requireAcyclic() // which names the tasks
		}
	}
	if e.anew {
		var err error
		if e.change, err = e.t.reconsider(e.job.ID); err != nil {
			return err
		}
	}
	e.change.linked = len(e.related) > 0
	if _, err := e.t.updateJob(e.job.ID, e.change); err != nil {
		return err
	}
	_, err := e.t.forgetEnvironments(e.unused)
	return err
}
