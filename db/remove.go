package db

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// Removed is a task that was removed.
type Removed struct {
	Task     string
	Attempts int // it may have this many logs
}

// RemoveTasks deletes tasks of a job, with their attempts. It refuses to if one of them
// is running, or if another task depends on it. The job stays, even without tasks.
// Errors, after which nothing has changed: ErrNoJob, ErrNoTask, ErrInUse.
//
// The caller deletes the files afterwards (see [DB.WhileGone]).
func (d *DB) RemoveTasks(ctx context.Context, name string, tasks []string) ([]Removed, error) {
	var out []Removed
	err := d.write(ctx, func(t *tx) error {
		j, err := t.lockToRemoveTasks(name, tasks)
		if err != nil {
			return err
		}
		r := remover{t: t, job: j}
		for _, id := range distinct(tasks) {
			if err := r.name(id); err != nil {
				return err
			}
		}
		if err := r.remove(); err != nil {
			return err
		}
		out = r.removed
		var only int64
		if len(r.rows) == 1 {
			only = r.rows[0].ID
		}
		if len(r.rows) > 0 {
			if err := t.event(TasksRemoved, j.ID, only, 0, len(r.rows)); err != nil {
				return err
			}
		}
		_, err = t.updateJob(j.ID, r.change)
		return err
	})
	return out, err
}

// RemovedJob is a job that was removed.
type RemovedJob struct {
	Name, UUID string
	Tasks      int
}

// RemoveJobs deletes whole jobs that have no running task. Errors, after which nothing
// has changed: ErrNoJob, ErrInUse.
func (d *DB) RemoveJobs(ctx context.Context, names []string) ([]RemovedJob, error) {
	var out []RemovedJob
	err := d.write(ctx, func(t *tx) error {
		out = nil
		jobs, err := t.lockToRemove(distinct(names)...)
		if err != nil {
			return err
		}
		if err := t.requireUnlinked(jobs); err != nil {
			return err
		}
		for _, j := range jobs {
			r, err := t.removeJob(j)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

func (t *tx) removeJob(j *jobRow) (RemovedJob, error) {
	var is struct {
		UUID    string
		Running int
	}
	if _, err := t.get(&is, `SELECT uuid, running FROM job WHERE id = ?`, j.ID); err != nil {
		return RemovedJob{}, err
	}
	if is.Running > 0 {
		return RemovedJob{}, fmt.Errorf("job %q %w: a task of it runs", j.Name, ErrInUse)
	}
	out := RemovedJob{Name: j.Name, UUID: is.UUID}
	if err := t.jobRemoved(j.ID, j.Name); err != nil {
		return out, err
	}
	unused, err := t.environmentsOf(`WHERE job = ?`, j.ID)
	if err != nil {
		return out, err
	}
	for _, statement := range t.known(forgetJob) {
		n, err := t.exec(statement, j.ID)
		if err != nil {
			return out, fmt.Errorf("remove job %q: %w", j.Name, err)
		}
		out.Tasks = int(n) // the tasks are deleted last
	}
	if _, err := t.exec(`DELETE FROM job WHERE id = ?`, j.ID); err != nil {
		return out, err
	}
	_, err = t.forgetEnvironments(unused)
	return out, err
}

// forgetJob deletes everything that belongs to a job, the tasks last. Tasks that they
// queued in other jobs lose their parent.
var forgetJob = []string{
	`UPDATE task SET parent = NULL WHERE parent IN (SELECT id FROM task WHERE job = ?)`,
	`UPDATE task SET root = NULL WHERE root IN (SELECT id FROM task WHERE job = ?)`,
	`DELETE FROM lane WHERE job = ?`,
	`DELETE FROM dependency WHERE task IN (SELECT id FROM task WHERE job = ?)`,
	`DELETE FROM hold WHERE task IN (SELECT id FROM task WHERE job = ?)`,
	`DELETE FROM attempt WHERE task IN (SELECT id FROM task WHERE job = ?)`,
	`DELETE FROM label WHERE job = ?`,
	`DELETE FROM task_input WHERE task IN (SELECT id FROM task WHERE job = ?)`,
	`DELETE FROM task WHERE job = ?`,
}

// remover deletes some tasks of a job.
type remover struct {
	t       *tx
	job     *jobRow
	rows    []removedRow
	removed []Removed
	change  delta // of the job's counters
}

// removedRow is a task to be deleted.
type removedRow struct {
	ID          int64
	Name        string
	Status      job.Status
	Blockers    int
	Attempts    int
	Environment *int64
	Dismissed   bool
}

// name adds the task with this id to those to be deleted.
func (r *remover) name(id string) error {
	var row removedRow
	ok, err := r.t.get(&row, `
SELECT id, name, status, blockers, attempts, environment, dismissed_at IS NOT NULL AS dismissed
FROM task
WHERE job = ?
  AND name = ?`, r.job.ID, id)
	switch {
	case err != nil:
		return err
	case !ok:
		return noTask(r.job.Name, id)
	case row.Status == job.Running:
		return fmt.Errorf("task %q of job %q %w: it runs", id, r.job.Name, ErrInUse)
	}
	r.rows = append(r.rows, row)
	return nil
}

// remove deletes the named tasks. The caller updates the counters of the job.
func (r *remover) remove() error {
	going := make(map[int64]bool, len(r.rows))
	envs := map[int64]bool{}
	for _, row := range r.rows {
		going[row.ID] = true
		if row.Environment != nil {
			envs[*row.Environment] = true
		}
	}
	for _, row := range r.rows {
		if err := r.needed(row, going); err != nil {
			return err
		}
	}
	for _, row := range r.rows {
		if err := r.t.forgetHolds(r.job.ID, row.Name); err != nil {
			return err
		}
		for _, statement := range r.t.known(forgetTask) {
			if _, err := r.t.exec(statement, row.ID); err != nil {
				return fmt.Errorf("remove task %q: %w", row.Name, err)
			}
		}
	}
	if err := r.t.markTasks(); err != nil {
		return err
	}
	// First the dependencies between them, which would prevent the deletion.
	for _, row := range r.rows {
		if _, err := r.t.exec(`DELETE FROM task WHERE id = ?`, row.ID); err != nil {
			return fmt.Errorf("remove task %q: %w", row.Name, err)
		}
		r.removed = append(r.removed, Removed{row.Name, row.Attempts})
		r.change.without(row)
	}
	var unused []int64
	for id := range envs {
		unused = append(unused, id)
	}
	_, err := r.t.forgetEnvironments(unused)
	return err
}

// needed returns ErrInUse if a task that stays depends on this one.
func (r *remover) needed(row removedRow, going map[int64]bool) error {
	var dependents []struct {
		ID   int64
		Name string
	}
	err := r.t.all(&dependents, `
SELECT t.id, CASE WHEN d.missing_job IS NULL THEN t.name ELSE j.name || ':' || t.name END AS name
FROM dependency d
JOIN task t ON t.id = d.task
JOIN job j ON j.id = t.job
WHERE d.needs = ?`, row.ID)
	if err != nil {
		return err
	}
	const most = 5 // names in a message
	var names []string
	for _, d := range dependents {
		if !going[d.ID] && len(names) < most {
			names = append(names, strconv.Quote(d.Name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("task %q of job %q %w: needed by %s", row.Name, r.job.Name, ErrInUse, strings.Join(names, ", "))
}

// without removes one task from the counters.
func (d *delta) without(row removedRow) {
	switch {
	case row.Status == job.Pending:
		d.Pending--
		if row.Blockers > 0 {
			d.blocked--
		}
	case row.Status == job.Completed:
		d.Completed--
	case row.Dismissed:
		d.Dismissed--
	default:
		d.Failed--
	}
}

// forgetTask deletes everything that belongs to a task.
var forgetTask = []string{
	`UPDATE task SET parent = NULL WHERE parent = ?`,
	`UPDATE task SET root = NULL WHERE root = ?`,
	`DELETE FROM dependency WHERE task = ?`,
	`DELETE FROM attempt WHERE task = ?`,
	`DELETE FROM label WHERE (job, task) IN (SELECT job, id FROM task WHERE id = ?)`,
	`DELETE FROM task_input WHERE task = ?`,
}

// environmentsOf returns the distinct environments of some tasks.
func (t *tx) environmentsOf(where string, args ...any) (ids []int64, err error) {
	err = t.all(&ids, `
SELECT DISTINCT environment
FROM task
`+where+`
  AND environment IS NOT NULL`, args...)
	return ids, err
}

// WhileGone calls fn, while no task can be queued or claimed, with those of the tasks
// that are not in the job; without tasks, it calls fn if there is no such job. So fn
// can delete their files and be sure that they do not belong to later tasks. It must be
// quick.
func (d *DB) WhileGone(ctx context.Context, name string, tasks []Removed, fn func(gone []Removed) error) error {
	return d.writeResult(ctx, func(t *tx) error {
		j, err := t.lockJob(name)
		found := err == nil
		if err := ignore(err, ErrNoJob); err != nil || found && len(tasks) == 0 {
			return err
		}
		gone := tasks
		if found {
			gone = nil
			for _, r := range tasks {
				_, there, err := t.findTask(j.ID, r.Task)
				if err != nil {
					return err
				}
				if !there {
					gone = append(gone, r)
				}
			}
		}
		return fn(gone)
	})
}
