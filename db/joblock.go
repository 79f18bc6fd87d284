package db

import (
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/job"
)

// Rows are locked in the same order everywhere, because two transactions could deadlock
// otherwise: first the rows of all jobs that a transaction needs, by ascending id, then
// the tasks and attempts of those jobs. SQLite has no row locks, and only one
// transaction writes at a time; there, the locks are only recorded.

// jobRow is what a transaction needs to know of a job.
type jobRow struct {
	ID    int64
	Name  string
	Added int64
	State job.State

	Defaults *string // see JobSettings
	Places           // see [DB.Move]
}

// selectJob finds a job by its name. Before there were places, none was moved.
func (d *DB) selectJob() string {
	places := "first_place, last_place"
	if d.Outdated() && d.schema < 3 {
		places = "0 AS first_place, 0 AS last_place"
	}
	return `SELECT id, name, added, state, defaults, ` + places + ` FROM job WHERE name = ?`
}

// findJob finds a job by its name, or returns ErrNoJob.
func (t *tx) findJob(name string) (*jobRow, error) { return t.jobBy(t.d.selectJob(), name) }

// lockJob finds a job by its name, as findJob does. No other transaction can change the
// job or its tasks until this one has ended.
func (t *tx) lockJob(name string) (*jobRow, error) {
	j, err := t.jobBy(t.d.selectJob()+t.d.dialect.lockRow, name)
	if err == nil {
		err = t.holdJob(j.ID)
	}
	return j, err
}

// lockOnly is lockJob for a name that may be empty, for every job; its number is 0.
func (t *tx) lockOnly(name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	j, err := t.lockJob(name)
	return j.ID, err
}

func (t *tx) jobBy(query, name string) (*jobRow, error) {
	var j jobRow
	ok, err := t.get(&j, query, name)
	if err == nil && !ok {
		err = noJob(name)
	}
	return &j, err
}

// lockJobs is lockJob for jobs whose row ids are known.
func (t *tx) lockJobs(ids ...int64) error {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if lock := t.d.dialect.lockRow; lock != "" && !slices.Contains(t.holds, id) {
			if _, err := t.get(new(int64), `SELECT id FROM job WHERE id = ?`+lock, id); err != nil {
				return err
			}
		}
		if err := t.holdJob(id); err != nil {
			return err
		}
	}
	return nil
}

// holdJob records that the row of a job is locked. Locking it while holding one with a
// higher id is a bug in this program.
func (t *tx) holdJob(id int64) error {
	if slices.Contains(t.holds, id) {
		return nil
	}
	if len(t.holds) > 0 && id < slices.Max(t.holds) {
		return fmt.Errorf("job %d was locked after job %d, against the order", id, slices.Max(t.holds))
	}
	t.holds = append(t.holds, id)
	return nil
}

// lockToQueue locks the job that tasks are added to and, if they have a parent, the job
// of the root task, which counts the descendants. It returns ErrNoJob if the first does
// not exist.
func (t *tx) lockToQueue(name string, p *parentTask) (*jobRow, error) {
	if p != nil && p.Root != p.ID || p != nil && p.Job != name {
		if err := t.lockRoot(name, p); err != nil {
			return nil, err
		}
	}
	return t.lockJob(name)
}

// lockRoot locks the job of a task's root, and the job of this name if there is one.
func (t *tx) lockRoot(name string, p *parentTask) error {
	ids := make([]int64, 1)
	if _, err := t.get(&ids[0], `SELECT job FROM task WHERE id = ?`, p.Root); err != nil {
		return err
	}
	j, err := t.findJob(name)
	if err == nil {
		ids = append(ids, j.ID)
	}
	if err := ignore(err, ErrNoJob); err != nil {
		return err
	}
	return t.lockJobs(ids...)
}

// lockToRemove locks jobs whose tasks are to be removed, and the jobs in which such
// tasks have queued others: those lose their parent. It returns the named jobs.
func (t *tx) lockToRemove(names ...string) ([]*jobRow, error) {
	var jobs []*jobRow
	var ids []int64
	for _, name := range names {
		j, err := t.findJob(name)
		if err != nil {
			return nil, err
		}
		var below []int64
		err = t.all(&below, `
SELECT c.job
FROM task p
JOIN task c ON c.parent = p.id
WHERE p.job = ?
UNION
SELECT c.job
FROM task p
JOIN task c ON c.root = p.id
WHERE p.job = ?`, j.ID, j.ID)
		if err != nil {
			return nil, err
		}
		jobs, ids = append(jobs, j), append(append(ids, j.ID), below...)
	}
	return jobs, t.lockJobs(ids...)
}

// lockToRemoveTasks is lockToRemove for tasks of one job. It ignores tasks that do not
// exist.
func (t *tx) lockToRemoveTasks(name string, tasks []string) (*jobRow, error) {
	j, err := t.findJob(name)
	if err != nil {
		return nil, err
	}
	ids := []int64{j.ID}
	for _, task := range tasks {
		row, there, err := t.findTask(j.ID, task)
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		var below []int64
		if err := t.all(&below, `SELECT DISTINCT job FROM task WHERE parent = ? OR root = ?`, row.ID, row.ID); err != nil {
			return nil, err
		}
		ids = append(ids, below...)
	}
	return j, t.lockJobs(ids...)
}
