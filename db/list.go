package db

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// Listed is a task with the tasks that it waits for.
type Listed struct {
	job.Task
	Blockers []Blocker  // of a pending task: its dependencies that are not completed, in order
	Place    TaskCursor // in the list
}

// TaskCursor is the place of a task in a list.
type TaskCursor struct {
	Rank any   // the value that the list is sorted by: a string or an int64
	Row  int64 // of the task
	Now  int64 // start of the listing, in µs: it determines how long a running task has taken
}

// Blocker is an unfinished dependency of a pending task.
type Blocker struct {
	Needs  string     // id of the dependency
	Status job.Status // its status; empty: there is no such task yet
	Reason job.Reason // its reason, if it has failed
}

// Order is how a list of tasks is sorted.
type Order string

// The orders. Of two equal tasks, the one that was queued first comes first; in orders
// that show the newest first, the one that was queued last.
const (
	ByJob      Order = ""         // by job name, then in the order of queueing
	ByName     Order = "name"     // by id
	ByState    Order = "state"    // running, failed, ready, blocked, completed or dismissed
	ByCreated  Order = "created"  // newest first
	ByUpdated  Order = "updated"  // latest start or end first
	ByDuration Order = "duration" // longest first; tasks that have not started come last
	ByFailed   Order = "failed"   // of jobs: most failed tasks first
)

// orders are the SQL terms by which a task t of a job j is sorted.
var orders = map[Order]string{
	ByJob:  "j.name",
	ByName: "t.name",
	ByState: `CASE t.status
                WHEN 'running' THEN 0
                WHEN 'failed' THEN CASE WHEN t.dismissed_at IS NULL THEN 1 ELSE 4 END
                WHEN 'completed' THEN 4
                ELSE CASE WHEN t.blockers = 0 THEN 2 ELSE 3 END END`,
	ByCreated:  "-t.created_at",
	ByUpdated:  "-coalesce(t.completed_at, t.started_at, t.created_at)",
	ByDuration: "coalesce(t.started_at - coalesce(t.completed_at, ?), 1)", // negative, but for those not started
}

// TasksQuery says which tasks ListTasks lists, and in which order. The zero value lists
// all, by job.
type TasksQuery struct {
	Job           *string      // only of this job; nil: of all jobs
	Task          *string      // only this task of Job, which must be set; nil: all
	Statuses      []job.Status // empty: any. Dismissed failures do not count as failed
	Sort          Order
	Limit, Offset int         // Limit 0: all
	After         *TaskCursor // only tasks after it in this order

	Labels []LabelFilter // only those with all of these, or whose job has them
}

// ListTasks calls fn with the tasks that match a query, as of one instant. Environments
// are not read. fn must not use the database. Errors: ErrNoJob, ErrNoTask.
func (d *DB) ListTasks(ctx context.Context, q TasksQuery, fn func(Listed) error) error {
	return d.read(ctx, func(t *tx) error {
		if q.Job != nil {
			j, err := t.findJob(*q.Job)
			if err != nil {
				return err
			}
			if q.Task != nil {
				if _, err := t.taskRow(*q.Job, j.ID, *q.Task); err != nil {
					return err
				}
			}
		}
		now := t.now
		if q.After != nil {
			now = q.After.Now
		}
		query, args := q.query(t.d, now)
		return t.fold(true, func(l Listed) error {
			l.Place.Now = now
			return fn(l)
		}, query, args...)
	})
}

// query selects the tasks first, and then joins what belongs to each. Sorted by job, it
// goes through the jobs by name and stops when it has enough.
func (q *TasksQuery) query(d *DB, now int64) (query string, args []any) {
	var b strings.Builder
	rank := orders[q.Sort]
	ranked := func() {
		b.WriteString(rank)
		if strings.Contains(rank, "?") {
			args = append(args, now)
		}
	}
	b.WriteString(d.taskFields() + ", s.rank" + taskTables + "\nJOIN (SELECT t.id, ")
	ranked()
	b.WriteString(" AS rank" + q.from(&d.dialect))
	if q.Job != nil {
		b.WriteString("\n        AND j.name = ?")
		args = append(args, *q.Job)
	}
	if q.Task != nil {
		b.WriteString("\n        AND t.name = ?")
		args = append(args, *q.Task)
	}
	for _, l := range q.Labels {
		term, values := l.taskTerms()
		b.WriteString("\n        AND " + term)
		args = append(args, values...)
	}
	if len(q.Statuses) > 0 {
		b.WriteString("\n        AND (" + anyStatus(q.Statuses) + ")")
	}
	tie, after := "t.id", "t.id > ?"
	if q.Sort == ByCreated || q.Sort == ByUpdated {
		tie, after = "t.id DESC", "t.id < ?"
	}
	if c := q.After; c != nil {
		b.WriteString("\n        AND ")
		ranked()
		b.WriteString(" >= ?\n        AND (")
		args = append(args, c.Rank)
		ranked()
		b.WriteString(" > ? OR " + after + ")")
		args = append(args, c.Rank, c.Row)
	}
	b.WriteString("\n      ORDER BY rank, " + tie)
	if limit := q.Limit; limit > 0 || q.Task != nil {
		if limit == 0 {
			limit = 1 // without one, the task would be looked for among all
		}
		b.WriteString("\n      LIMIT ? OFFSET ?")
		args = append(args, limit, q.Offset)
	}
	b.WriteString(") s ON s.id = t.id\nORDER BY s.rank, " + tie + ", d.position")
	return b.String(), args
}

// from returns the tables in which a list is looked up. Running tasks are found by
// their attempts, because their jobs may have millions of other tasks.
func (q *TasksQuery) from(d *dialect) string {
	switch {
	case slices.Equal(q.Statuses, []job.Status{job.Running}):
		return `
      FROM attempt a ` + d.bySlot + `
      CROSS JOIN task t
      CROSS JOIN job j
      WHERE a.slot IS NOT NULL
        AND t.id = a.task
        AND j.id = t.job`
	case q.Task != nil: // to look through the job in the order of the list would take long
		return `
      FROM job j ` + d.byJobName + `
      CROSS JOIN task t ` + d.byTaskName + `
      WHERE t.job = j.id`
	case q.Sort == ByJob:
		return `
      FROM job j ` + d.byJobName + `
      CROSS JOIN task t
      WHERE t.job = j.id`
	}
	return `
      FROM job j
      JOIN task t ON t.job = j.id
      WHERE 1 = 1`
}

// anyStatus is an SQL condition. The job's counter comes first, so that only jobs that
// have such tasks are searched.
func anyStatus(statuses []job.Status) string {
	terms := make([]string, len(statuses))
	for i, s := range statuses {
		terms[i] = "j." + string(s) + " > 0 AND t.status = '" + string(s) + "'"
		if s == job.Failed {
			terms[i] += " AND t.dismissed_at IS NULL"
		}
	}
	return strings.Join(terms, " OR ")
}

// eachListed calls fn with each task that a query returns.
func (t *tx) eachListed(fn func(Listed) error, query string, args ...any) error {
	return t.fold(false, fn, query, args...)
}

// fold merges the rows of a task into one: there is a row for each dependency. The
// query of a list has ranks.
func (t *tx) fold(ranked bool, fn func(Listed) error, query string, args ...any) error {
	stuck, err := t.stuck()
	if err != nil {
		return err
	}
	var id int64
	var task Listed
	err = t.each(func(rows *sqlx.Rows) error {
		var r storedTask
		var rank any
		more := []any{&rank}
		if !ranked {
			more = nil
		}
		if err := r.scan(rows, more...); err != nil {
			return err
		}
		if r.ID != id {
			if id != 0 {
				if err := fn(task); err != nil {
					return err
				}
			}
			var err error
			task = Listed{}
			if task.Task, err = r.task(); err != nil {
				return err
			}
			id, task.Stuck = r.ID, stuck[r.ID]
			task.Place = TaskCursor{Rank: rank, Row: r.ID}
		}
		if r.Needs != nil {
			task.need(&r)
		}
		return nil
	}, query, args...)
	if err != nil || id == 0 {
		return err
	}
	return fn(task)
}

// need adds the dependency in a row.
func (l *Listed) need(r *storedTask) {
	need(&l.Spec, *r.Needs, condition(*r.Condition))
	status := job.Status(fromText(r.NeedsStatus))
	if l.Status == job.Pending && status != job.Completed && *r.Met == 0 {
		l.Blockers = append(l.Blockers, Blocker{*r.Needs, status, job.Reason(fromText(r.NeedsReason))})
	}
}

// EnvNames returns the names of the variables that are stored with a task, in the order
// in which they were given, and whether an environment is stored at all. If not, the
// task gets the manager's. Errors: ErrNoJob, ErrNoTask.
func (d *DB) EnvNames(ctx context.Context, name, id string) (names []string, stored bool, err error) {
	var row struct{ Content []byte }
	err = d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		if _, err := t.taskRow(name, j.ID, id); err != nil {
			return err
		}
		stored, err = t.get(&row, `
SELECT e.content
FROM task t
JOIN environment e ON e.id = t.environment
WHERE t.job = ?
  AND t.name = ?`, j.ID, id)
		return err
	})
	for kv := range bytes.SplitSeq(bytes.TrimSuffix(row.Content, []byte{0}), []byte{0}) {
		if key, _, ok := bytes.Cut(kv, []byte("=")); ok && len(key) > 0 { // not job.OnManager
			names = append(names, string(key))
		}
	}
	return names, stored, err
}
