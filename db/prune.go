package db

import (
	"context"
	"slices"
	"time"

	"github.com/air-executor/air-executor/job"
)

// PruneQuery says which of what has ended is to be deleted.
type PruneQuery struct {
	// Before is when it must have ended; of a job, when it has changed last. Zero:
	// whenever.
	Before time.Time
	// Status is job.Completed or job.Failed; empty: both. A dismissed failure counts
	// as completed, as for the state of a job.
	Status job.Status
	// Match tells the jobs that are meant by their names; nil: all.
	Match func(name string) bool

	Jobs bool // whole jobs that have ended
	Keep int  // but the newest of them stay, so many

	// InOrder stops at the tasks that were queued after Before, and takes it that no
	// older ones come behind them. Such ones were imported, and wait until then.
	InOrder bool

	Tasks     bool // ended tasks of jobs that stay
	KeepTasks int  // but the newest of each job stay, so many
}

// EndedJob is a job that is to be deleted.
type EndedJob struct {
	Name, UUID string
	Tasks      int

	id, updated int64
	left        []int64 // tasks that are to be deleted still, nil: not read yet
}

// endedRow is a job that has ended, as it is in the database.
type endedRow struct {
	ID                     int64
	Name, UUID             string
	State                  job.State
	Updated                int64 `db:"updated_at"`
	Tasks, Ended, Finished int
	Kept                   bool
}

// EndedJobs lists the jobs that are to be deleted, those first that have ended first.
// Left out are those that are paused, that a schedule queues into, and whose tasks
// something needs that has not ended.
func (d *DB) EndedJobs(ctx context.Context, q PruneQuery) ([]EndedJob, error) {
	rows, err := d.matching(ctx, q)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r endedRow) bool {
		return r.Kept || !r.State.Ended() || q.Status != "" && string(r.State) != string(q.Status)
	})
	slices.SortStableFunc(rows, func(a, b endedRow) int { return int(min(max(a.Updated-b.Updated, -1), 1)) })
	rows = rows[:max(len(rows)-q.Keep, 0)]
	var out []EndedJob
	for _, r := range rows {
		if !q.Before.IsZero() && r.Updated >= q.Before.UnixMicro() {
			break
		}
		needed, err := d.neededFromOutside(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		if !needed {
			out = append(out, EndedJob{Name: r.Name, UUID: r.UUID, Tasks: r.Tasks, id: r.ID, updated: r.Updated})
		}
	}
	return out, nil
}

// matching reads the jobs that are meant, some at a time.
func (d *DB) matching(ctx context.Context, q PruneQuery) ([]endedRow, error) {
	const some = 2000
	var out []endedRow
	for last := int64(0); ; {
		var rows []endedRow
		err := d.read(ctx, func(t *tx) error {
			rows = nil
			return t.all(&rows, `
SELECT j.id, j.name, j.uuid, j.state, j.updated_at,
       j.pending + j.running + j.completed + j.failed + j.dismissed AS tasks,
       j.completed + j.failed + j.dismissed AS ended,
       j.completed + j.dismissed AS finished,
       j.paused_at IS NOT NULL OR EXISTS (SELECT 1 FROM schedule s WHERE s.job = j.name) AS kept
FROM job j
WHERE j.id > ?
ORDER BY j.id
LIMIT ?`, last, some)
		})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if last = r.ID; q.Match == nil || q.Match(r.Name) {
				out = append(out, r)
			}
		}
		if len(rows) < some {
			return out, nil
		}
	}
}

// neededFromOutside reports whether a task of another job that has not ended needs
// one of this job, or was queued by one, or one of this job still has its unique key.
func (d *DB) neededFromOutside(ctx context.Context, id int64) (needed bool, err error) {
	err = d.read(ctx, func(t *tx) error {
		needed, err = t.get(new(int), `
SELECT 1
FROM task t
WHERE t.job = ?
  AND (EXISTS (
           SELECT 1
           FROM dependency d
           JOIN task o ON o.id = d.task
           WHERE d.needs = t.id
             AND o.job <> t.job
             AND (o.blockers > 0 OR o.status IN ('pending', 'running')))
    OR EXISTS (
           SELECT 1
           FROM task o
           WHERE o.parent = t.id
             AND o.job <> t.job
             AND o.status IN ('pending', 'running'))
    OR EXISTS (
           SELECT 1
           FROM task o
           WHERE o.root = t.id
             AND o.job <> t.job
             AND o.status IN ('pending', 'running'))
    OR t.unique_for > 0 AND t.created_at + t.unique_for > ?)
LIMIT 1`, id, t.now)
		return err
	})
	return needed, err
}

// PrunedTask is a task that was deleted, or is to be.
type PrunedTask struct {
	Job string
	Removed
}

// EndedTasks calls fn with the tasks of jobs that stay which are to be deleted, some
// at a time; what fn deletes is not shown again. It skips the jobs that are to go
// whole. Tasks of job files stay as long as their job, and so do those that one needs,
// or was queued by, that has not ended.
func (d *DB) EndedTasks(ctx context.Context, q PruneQuery, whole []EndedJob, fn func(ids []int64) error) error {
	skip := make(map[int64]bool, len(whole))
	for _, j := range whole {
		skip[j.id] = true
	}
	rows, err := d.matching(ctx, q)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r endedRow) bool { return skip[r.ID] || r.Ended == 0 })
	if q.KeepTasks > 0 || q.Match != nil {
		return d.endedOfJobs(ctx, q, rows, fn)
	}
	return d.endedOfAll(ctx, q, skip, fn)
}

// endedTask is a task that has ended, as it is in the database.
type endedTask struct {
	ID, Job, At int64
	Status      job.Status
	Dismissed   bool
}

func (e endedTask) wanted(q PruneQuery) bool {
	switch q.Status {
	case job.Completed:
		return e.Status == job.Completed || e.Dismissed
	case job.Failed:
		return e.Status == job.Failed && !e.Dismissed
	}
	return true
}

func (e endedTask) old(q PruneQuery) bool { return q.Before.IsZero() || e.At < q.Before.UnixMicro() }

// endedOfJobs looks at one job after the other.
func (d *DB) endedOfJobs(ctx context.Context, q PruneQuery, jobs []endedRow, fn func([]int64) error) error {
	for _, j := range jobs {
		if j.Ended <= q.KeepTasks {
			continue
		}
		var tasks []endedTask
		err := d.read(ctx, func(t *tx) error {
			tasks = nil
			return t.all(&tasks, `
SELECT id, job, status, dismissed_at IS NOT NULL AS dismissed, coalesce(completed_at, created_at) AS at
FROM task
WHERE job = ?
  AND status IN ('completed', 'failed')`, j.ID)
		})
		if err != nil {
			return err
		}
		tasks = slices.DeleteFunc(tasks, func(e endedTask) bool { return !e.wanted(q) })
		slices.SortFunc(tasks, func(a, b endedTask) int {
			if a.At != b.At {
				return int(min(max(a.At-b.At, -1), 1))
			}
			return int(min(max(a.ID-b.ID, -1), 1))
		})
		var ids []int64
		for _, e := range tasks[:max(len(tasks)-q.KeepTasks, 0)] {
			if e.old(q) {
				ids = append(ids, e.ID)
			}
		}
		if len(ids) > 0 {
			if err := fn(ids); err != nil {
				return err
			}
		}
	}
	return nil
}

// endedOfAll looks at the tasks of all jobs in the order in which they were queued,
// so that it reads each row once, and none through an index.
func (d *DB) endedOfAll(ctx context.Context, q PruneQuery, skip map[int64]bool, fn func([]int64) error) error {
	const some = 2000 // numbers of rows at once
	before := q.Before.UnixMicro()
	for last := int64(0); ; last += some {
		var newest int64
		var younger bool
		var tasks []endedTask
		err := d.read(ctx, func(t *tx) error {
			tasks = nil
			if _, err := t.get(&newest, `SELECT coalesce(max(id), 0) FROM task`); err != nil {
				return err
			}
			if _, err := t.get(&younger, `SELECT coalesce(min(created_at), 0) >= ? FROM task WHERE id > ? AND id <= ?`, before, last, last+some); err != nil {
				return err
			}
			return t.all(&tasks, `
SELECT id, job, status, dismissed_at IS NOT NULL AS dismissed, coalesce(completed_at, created_at) AS at
FROM task
WHERE id > ?
  AND id <= ?
  AND status IN ('completed', 'failed')
  AND coalesce(completed_at, created_at) < ?`, last, last+some, before)
		})
		if err != nil {
			return err
		}
		var ids []int64
		for _, e := range tasks {
			if !skip[e.Job] && e.wanted(q) {
				ids = append(ids, e.ID)
			}
		}
		if len(ids) > 0 {
			if err := fn(ids); err != nil {
				return err
			}
		}
		if last+some >= newest || younger && q.InOrder {
			return nil
		}
	}
}
