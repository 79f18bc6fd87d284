package db

import (
	"bytes"
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// Listed is a task with what it waits for.
type Listed struct {
	job.Task
	Blockers []Blocker // of a pending task: its dependencies that are not completed, in its order
}

// Blocker is an unfinished dependency of a pending task.
type Blocker struct {
	Needs  string     // the task that is waited for
	Status job.Status // of it; empty: there is no such task yet
	Reason job.Reason // of it, if it has failed
}

// Order is how a list of tasks is sorted.
type Order string

// The orders. Where two tasks are equal, the one that was queued first comes
// first; where the newest comes first, the one that was queued last.
const (
	ByJob      Order = ""         // by job name, then as they were queued
	ByName     Order = "name"     // by id
	ByState    Order = "state"    // running, failed, ready, blocked, completed or dismissed
	ByCreated  Order = "created"  // newest first
	ByUpdated  Order = "updated"  // latest start or end first
	ByDuration Order = "duration" // longest first; tasks that have not started come last
)

// orders are the terms to sort a task t of a job j by.
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

// Filter says which tasks ListTasks lists, and how.
type Filter struct {
	Job           string       // empty: of all jobs
	Task          string       // only this one; empty: all. It needs a job
	Statuses      []job.Status // empty: any. Failed ones that were dismissed are not among the failed
	Order         Order
	Limit, Offset int // Limit 0: all
}

// ListTasks calls fn with the tasks that a filter lets through, as of one
// instant. Environments are left out. fn must not use the database. Errors:
// ErrNoJob, ErrNoTask.
func (d *DB) ListTasks(ctx context.Context, f Filter, fn func(Listed) error) error {
	query, args := f.query()
	return d.read(ctx, func(t *tx) error {
		if f.Job != "" {
			j, err := t.findJob(f.Job)
			if err != nil {
				return err
			}
			if _, err := t.taskRow(f.Job, j.ID, f.Task); err != nil {
				return err
			}
		}
		if f.Order == ByDuration {
			args = append([]any{t.now}, args...)
		}
		return t.eachListed(fn, query, args...)
	})
}

// query picks the tasks first, and then joins what belongs to each.
func (f *Filter) query() (query string, args []any) {
	var b strings.Builder
	b.WriteString("\nJOIN (SELECT t.id, " + orders[f.Order] + ` AS rank
      FROM job j
      JOIN task t ON t.job = j.id
      WHERE 1 = 1`)
	if f.Job != "" {
		b.WriteString("\n        AND j.name = ?")
		args = append(args, f.Job)
	}
	if f.Task != "" {
		b.WriteString("\n        AND t.name = ?")
		args = append(args, f.Task)
	}
	if len(f.Statuses) > 0 {
		b.WriteString("\n        AND (" + anyStatus(f.Statuses) + ")")
	}
	tie := "t.id"
	if f.Order == ByCreated || f.Order == ByUpdated {
		tie = "t.id DESC"
	}
	b.WriteString("\n      ORDER BY rank, " + tie)
	if f.Limit > 0 {
		b.WriteString("\n      LIMIT ? OFFSET ?")
		args = append(args, f.Limit, f.Offset)
	}
	b.WriteString(") s ON s.id = t.id\nORDER BY s.rank, " + tie + ", d.position")
	return taskColumns + b.String(), args
}

// anyStatus is a condition. The job's counter comes first, so that only jobs
// that have such tasks are searched for them.
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

// eachListed folds the rows of a task, one for each dependency, into one.
func (t *tx) eachListed(fn func(Listed) error, query string, args ...any) error {
	stuck, err := t.stuck()
	if err != nil {
		return err
	}
	var id int64
	var task Listed
	err = t.each(func(rows *sqlx.Rows) error {
		var r storedTask
		if err := r.scan(rows); err != nil {
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

// need adds the dependency of a row.
func (l *Listed) need(r *storedTask) {
	l.Dependencies = append(l.Dependencies, *r.Needs)
	status := job.Status(fromText(r.NeedsStatus))
	if l.Status == job.Pending && status != job.Completed {
		l.Blockers = append(l.Blockers, Blocker{*r.Needs, status, job.Reason(fromText(r.NeedsReason))})
	}
}

// EnvNames returns the names of the variables that are stored with a task, in
// the order in which they were given, and whether an environment is stored at
// all; without, the task has the manager's. Errors: ErrNoJob, ErrNoTask.
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
		if key, _, ok := bytes.Cut(kv, []byte("=")); ok {
			names = append(names, string(key))
		}
	}
	return names, stored, err
}
