package db

import (
	"context"
	"maps"
	"slices"
)

// prunedRow is a task that is to be deleted, as it is in the database.
type prunedRow struct {
	removedRow
	Job      int64
	JobName  string `db:"job_name"`
	FromFile bool   `db:"from_file"`
}

// Pruned is what one commit has deleted.
type Pruned struct {
	Jobs  []RemovedJob // whole, with the last of their tasks
	Tasks []PrunedTask // of jobs that stay
	Rows  int          // tasks, of jobs as well
}

// PruneJobs deletes tasks of jobs that have ended, about most of them, in one commit,
// and each job with its last task. It takes them from the front of the list, and
// returns those that are left to be deleted. A job that has changed since it was
// listed stays, with the tasks that it has.
func (d *DB) PruneJobs(ctx context.Context, jobs []EndedJob, most int) (Pruned, []EndedJob, error) {
	var out Pruned
	jobs = slices.Clone(jobs)
	n, err := d.readLeft(ctx, jobs, most)
	if err != nil {
		return Pruned{}, nil, err
	}
	var left []EndedJob
	err = d.write(ctx, func(t *tx) error {
		out, left = Pruned{}, nil
		p := &pruner{t: t}
		if err := p.lock(jobs[:n]); err != nil {
			return err
		}
		for _, j := range jobs[:n] {
			rest, err := p.job(j, most-p.out.Rows)
			if err != nil {
				return err
			}
			if rest != nil {
				left = append(left, *rest)
			}
		}
		out = p.out
		return p.environments()
	})
	if err != nil {
		return Pruned{}, nil, err
	}
	return out, append(left, jobs[n:]...), nil
}

// readLeft reads the tasks of as many of the jobs as have about most of them, and
// returns how many jobs that are. What waits goes before what has ended, and later
// ones before earlier ones, so that as a rule nothing is deleted on which a task
// depends that stays.
func (d *DB) readLeft(ctx context.Context, jobs []EndedJob, most int) (n int, err error) {
	err = d.read(ctx, func(t *tx) error {
		n = 0
		for tasks := 0; n < len(jobs) && tasks < most; n++ {
			j := &jobs[n]
			if j.left == nil {
				j.left = []int64{}
				err := t.all(&j.left, `
SELECT id
FROM task
WHERE job = ?
ORDER BY CASE status WHEN 'pending' THEN 0 ELSE 1 END, id DESC`, j.id)
				if err != nil {
					return err
				}
			}
			tasks += max(len(j.left), 1)
		}
		return nil
	})
	return n, err
}

// PruneTasks deletes those of the tasks, named by their rows, that have ended and that
// nothing needs which has not, in one commit. With dry, it only says which.
func (d *DB) PruneTasks(ctx context.Context, ids []int64, dry bool) (Pruned, error) {
	var out Pruned
	do := d.write
	if dry {
		do = d.read
	}
	err := do(ctx, func(t *tx) error {
		p := &pruner{t: t}
		if !dry {
			if err := p.lockTasks(ids); err != nil {
				return err
			}
		}
		rows, err := p.unneeded(ids)
		if err != nil {
			return err
		}
		for _, r := range rows {
			p.out.Tasks = append(p.out.Tasks, PrunedTask{r.JobName, Removed{r.Name, r.Attempts}})
		}
		if p.out.Rows = len(rows); !dry {
			err = p.tasks(rows)
		}
		out = p.out
		return err
	})
	return out, err
}

// pruner deletes what has ended.
type pruner struct {
	t    *tx
	envs []int64 // of tasks that were deleted
	out  Pruned
}

// lock locks the jobs and those in which their tasks have queued others.
func (p *pruner) lock(jobs []EndedJob) error {
	var ids []int64
	for _, j := range jobs {
		ids = append(ids, j.id)
		for _, task := range j.left {
			below, err := p.below(task)
			if err != nil {
				return err
			}
			ids = append(ids, below...)
		}
	}
	return p.t.lockJobs(ids...)
}

// below lists the jobs of the tasks that a task has queued. With SQLite, where no
// row is locked, nobody asks.
func (p *pruner) below(task int64) (jobs []int64, err error) {
	if p.t.d.dialect.lockRow == "" {
		return nil, nil
	}
	err = p.t.all(&jobs, `SELECT DISTINCT job FROM task WHERE parent = ? OR root = ?`, task, task)
	return jobs, err
}

// job deletes tasks of a job, and the job if it has no others. It returns what is
// left to be done.
func (p *pruner) job(j EndedJob, most int) (*EndedJob, error) {
	var is struct {
		Updated int64 `db:"updated_at"`
		Ended   bool
		Tasks   int
	}
	found, err := p.t.get(&is, `
SELECT updated_at, state IN ('completed', 'failed') AND paused_at IS NULL AS ended,
       pending + running + completed + failed + dismissed AS tasks
FROM job
WHERE id = ?
  AND uuid = ?`, j.id, j.UUID)
	if err != nil || !found || !is.Ended || is.Updated != j.updated {
		return nil, err
	}
	now := j.left[:max(min(most, len(j.left)), 0)]
	rows, err := p.closed(now)
	if err != nil {
		return nil, err
	}
	if err := p.forget(rows); err != nil {
		return nil, err
	}
	p.out.Rows += len(rows)
	if j.left = j.left[len(now):]; len(rows) < is.Tasks {
		if err := p.tell(j.id, rows); err != nil {
			return nil, err
		}
		if err := p.count(j.id, rows); err != nil || len(j.left) == 0 {
			return nil, err // a task of it is needed after all
		}
		return &j, nil
	}
	if err := p.t.jobRemoved(j.id, j.Name); err != nil {
		return nil, err
	}
	for _, statement := range []string{`DELETE FROM label WHERE job = ?`, `DELETE FROM lane WHERE job = ?`, `DELETE FROM job WHERE id = ?`} {
		if _, err := p.t.exec(statement, j.id); err != nil {
			return nil, err
		}
	}
	p.out.Jobs = append(p.out.Jobs, RemovedJob{j.Name, j.UUID, j.Tasks})
	return nil, nil
}

// closed reads tasks of a job that is to be deleted, and with them those of the job
// that depend on them and are pending: they must not outlive what they wait for. It
// leaves out what another job needs.
func (p *pruner) closed(ids []int64) ([]prunedRow, error) {
	var rows []prunedRow
	seen := map[int64]bool{}
	for ids = slices.Clone(ids); len(ids) > 0; ids = ids[1:] {
		if seen[ids[0]] {
			continue
		}
		seen[ids[0]] = true
		row, ok, err := p.row(` AND o.job <> t.job`, ids[0])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		rows = append(rows, row)
		var waiting []int64
		err = p.t.all(&waiting, `
SELECT o.id
FROM dependency d
JOIN task o ON o.id = d.task
WHERE d.needs = ?
  AND o.blockers > 0`, row.ID)
		if err != nil {
			return nil, err
		}
		ids = append(ids, waiting...)
	}
	return rows, nil
}

// unneeded reads those of the tasks that may go from a job that stays.
func (p *pruner) unneeded(ids []int64) ([]prunedRow, error) {
	var rows []prunedRow
	for _, id := range ids {
		row, ok, err := p.row(``, id)
		if err != nil {
			return nil, err
		}
		if ok && row.Status.Ended() && !row.FromFile {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// row reads a task, unless it runs or another one keeps it: one that it has queued, or
// of that line, and has not ended; or one that waits for it, or would after a reset.
// others narrows down which may.
func (p *pruner) row(others string, id int64) (r prunedRow, ok bool, err error) {
	ok, err = p.t.get(&r, `
SELECT t.id, t.name, t.status, t.blockers, t.attempts, t.environment, t.dismissed_at IS NOT NULL AS dismissed,
       t.job, j.name AS job_name, t.from_file = 1 AS from_file
FROM task t
JOIN job j ON j.id = t.job
WHERE t.id = ?
  AND t.status <> 'running'
  AND NOT EXISTS (
      SELECT 1
      FROM dependency d
      JOIN task o ON o.id = d.task
      WHERE d.needs = t.id
        AND (o.blockers > 0 OR o.status IN ('pending', 'running'))`+others+`)
  AND NOT EXISTS (
      SELECT 1
      FROM task o
      WHERE o.parent = t.id
        AND o.status IN ('pending', 'running')`+others+`)
  AND NOT EXISTS (
      SELECT 1
      FROM task o
      WHERE o.root = t.id
        AND o.status IN ('pending', 'running')`+others+`)
  AND (coalesce(t.unique_for, 0) <= 0 OR t.created_at + t.unique_for <= ?)`, id, p.t.now)
	return r, ok, err
}

// lockTasks locks the jobs of tasks, and those in which these have queued others.
func (p *pruner) lockTasks(ids []int64) error {
	if p.t.d.dialect.lockRow == "" {
		return nil
	}
	var jobs []int64
	for _, id := range ids {
		below, err := p.below(id)
		if err != nil {
			return err
		}
		var own []int64
		if err := p.t.all(&own, `SELECT job FROM task WHERE id = ?`, id); err != nil {
			return err
		}
		jobs = append(append(jobs, own...), below...)
	}
	return p.t.lockJobs(jobs...)
}

// tasks deletes tasks of jobs that stay.
func (p *pruner) tasks(rows []prunedRow) error {
	byJob := map[int64][]prunedRow{}
	for _, r := range rows {
		byJob[r.Job] = append(byJob[r.Job], r)
	}
	if err := p.forget(rows); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(byJob)) {
		of := byJob[id]
		if err := p.tell(id, of); err != nil {
			return err
		}
		if err := p.count(id, of); err != nil {
			return err
		}
	}
	return p.environments()
}

// forgetPruned deletes what a task has, and what refers to it: a task that has ended
// needs nothing any more.
var forgetPruned = append(slices.Clone(forgetTask),
	`DELETE FROM dependency WHERE needs = ?`,
	`DELETE FROM hold WHERE task = ?`,
)

// tell writes the event of tasks that were deleted from a job that stays.
func (p *pruner) tell(jobID int64, rows []prunedRow) error {
	if len(rows) == 0 {
		return nil
	}
	var only int64
	if len(rows) == 1 {
		only = rows[0].ID
	}
	return p.t.event(TasksRemoved, jobID, only, 0, len(rows))
}

// forget deletes tasks, whatever their job.
func (p *pruner) forget(rows []prunedRow) error {
	for _, r := range rows {
		for _, statement := range forgetPruned {
			if _, err := p.t.exec(statement, r.ID); err != nil {
				return err
			}
		}
		if r.Environment != nil {
			p.envs = append(p.envs, *r.Environment)
		}
	}
	if err := p.t.markTasks(); err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := p.t.exec(`DELETE FROM task WHERE id = ?`, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// count takes deleted tasks off the counters of their job. That is no change of the
// job: it does not become younger.
func (p *pruner) count(id int64, rows []prunedRow) error {
	var updated int64
	if _, err := p.t.get(&updated, `SELECT updated_at FROM job WHERE id = ?`, id); err != nil {
		return err
	}
	var change delta
	for _, r := range rows {
		change.without(r.removedRow)
	}
	if _, err := p.t.updateJob(id, change); err != nil {
		return err
	}
	_, err := p.t.exec(`UPDATE job SET updated_at = ? WHERE id = ?`, updated, id)
	return err
}

// environments deletes those of deleted tasks that nobody has any more.
func (p *pruner) environments() error {
	slices.Sort(p.envs)
	_, err := p.t.forgetEnvironments(slices.Compact(p.envs))
	return err
}
