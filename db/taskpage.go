package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// TaskPageQuery says which page of the tasks of a job TaskPage reads. They have the
// order in which they were queued. With a Limit and nothing else it is the first page.
type TaskPageQuery struct {
	Job       string
	Status    job.Status // only with this one; empty: any. Dismissed failures are not among the failed
	Dismissed bool       // only failures that were dismissed; without Status
	Reason    job.Reason // only those that have failed so; empty: any
	Text      string     // only those with this text in id or command, in upper or lower case; empty: all
	Limit     int        // at least 1
	From      int64      // key after which the page begins; 0: at the beginning
	Back      bool       // the page ends before From instead
	At        *float64   // the page begins at this share of the job, as far as keys tell; nil: see From
}

// TaskPage is a page of the tasks of a job.
type TaskPage struct {
	Tasks      []Listed // with Place.Row, their keys
	Next, Prev int64    // From of the page after and, with Back, before this one; 0: there is none
	AsOf       Cursor   // cursor of the events
}

// TaskPage reads a page of the tasks of a job. It looks at a limited number of rows, so
// a page may be short although there is a next one. Errors: ErrNoJob.
func (d *DB) TaskPage(ctx context.Context, q TaskPageQuery) (TaskPage, error) {
	var out TaskPage
	err := d.read(ctx, func(t *tx) error {
		out = TaskPage{}
		j, err := t.findJob(q.Job)
		if err != nil {
			return err
		}
		q := q
		if err := t.begin(&q, j.ID); err != nil {
			return err
		}
		end, err := t.tasksEnd(&q, j.ID)
		if err != nil {
			return err
		}
		query, args := q.query(d, j.ID, end)
		if err := t.eachListed(func(l Listed) error {
			out.Tasks = append(out.Tasks, l)
			return nil
		}, query, args...); err != nil {
			return err
		}
		q.finish(&out, end)
		out.AsOf, err = t.asOf()
		return err
	})
	return out, err
}

// TasksNamed returns those of the tasks of a job that exist, in the order of the ids.
// Errors: ErrNoJob.
func (d *DB) TasksNamed(ctx context.Context, name string, ids []string) (TaskPage, error) {
	var out TaskPage
	err := d.read(ctx, func(t *tx) error {
		out = TaskPage{}
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		for _, id := range distinct(ids) {
			if err := t.eachListed(func(l Listed) error {
				out.Tasks = append(out.Tasks, l)
				return nil
			}, d.taskColumns()+`
WHERE t.job = ?
  AND t.name = ?
ORDER BY t.id, d.position`, j.ID, id); err != nil {
				return err
			}
		}
		out.AsOf, err = t.asOf()
		return err
	})
	return out, err
}

// TaskWithKey returns the job and the id of the task with a key. Errors: ErrNoTask.
func (d *DB) TaskWithKey(ctx context.Context, key int64) (name, id string, err error) {
	var row struct{ Job, Task string }
	err = d.read(ctx, func(t *tx) error {
		there, err := t.get(&row, `
SELECT j.name AS job, t.name AS task
FROM task t
JOIN job j ON j.id = t.job
WHERE t.id = ?`, key)
		if err == nil && !there {
			err = fmt.Errorf("%w with the key %d", ErrNoTask, key)
		}
		return err
	})
	return row.Job, row.Task, err
}

// begin turns a share into the key after which the page begins.
func (t *tx) begin(q *TaskPageQuery, jobID int64) error {
	if q.At == nil {
		return nil
	}
	var first, last int64
	for query, dest := range map[string]*int64{
		`SELECT coalesce(min(id), 0) FROM task WHERE job = ?`: &first,
		`SELECT coalesce(max(id), 0) FROM task WHERE job = ?`: &last,
	} {
		if _, err := t.get(dest, query, jobID); err != nil {
			return err
		}
	}
	if skip := min(int64(*q.At*float64(last-first+1)), last-first); skip > 0 {
		q.From = first + skip - 1
	}
	return nil
}

// looked are conditions that an index answers, so that rows that they leave out are not
// looked at.
func (q *TaskPageQuery) looked(d *dialect, jobID int64) (from string, args []any) {
	args = []any{jobID}
	switch {
	case q.Status == job.Running:
		return "\nFROM task t\nWHERE t.job = ?\n  AND t.id IN (SELECT a.task FROM attempt a WHERE a.job = ? AND a.slot IS NOT NULL)", append(args, jobID)
	case q.Status == job.Failed && q.Reason != "":
		return "\nFROM task t\nWHERE t.job = ?\n  AND t.status = 'failed'\n  AND t.dismissed_at IS NULL\n  AND t.reason = ?", append(args, q.Reason)
	case q.Status == job.Failed:
		return "\nFROM task t " + d.byJobFailure + "\nWHERE t.job = ?\n  AND t.status = 'failed'\n  AND t.dismissed_at IS NULL", args
	}
	return "\nFROM task t " + d.byJob + "\nWHERE t.job = ?", args
}

// tasksEnd returns the key at which a page ends at the latest; 0: there is none.
func (t *tx) tasksEnd(q *TaskPageQuery, jobID int64) (end int64, err error) {
	if q.Status == job.Running {
		return 0, nil
	}
	from, args := q.looked(&t.d.dialect, jobID)
	if q.From > 0 {
		from, args = from+"\n  AND t.id "+forth(q.Back)+" ?", append(args, q.From)
	}
	_, err = t.get(&end, "\nSELECT t.id"+from+"\nORDER BY t.id"+direction(q.Back)+"\nLIMIT 1 OFFSET ?", append(args, mostLooked-1)...)
	return end, err
}

// query reads one task more than the page has, to learn whether there are more.
func (q *TaskPageQuery) query(d *DB, jobID, end int64) (query string, args []any) {
	var b strings.Builder
	from, args := q.looked(&d.dialect, jobID)
	b.WriteString(d.taskColumns() + "\nJOIN (SELECT t.id" + from)
	only := func(term string, values ...any) {
		b.WriteString("\n  AND " + term)
		args = append(args, values...)
	}
	if q.From > 0 {
		only("t.id "+forth(q.Back)+" ?", q.From)
	}
	if end > 0 {
		only("t.id "+forth(!q.Back)+"= ?", end)
	}
	switch {
	case q.Dismissed:
		only("t.status = 'failed' AND t.dismissed_at IS NOT NULL")
	case q.Status == job.Pending || q.Status == job.Completed:
		only("t.status = ?", q.Status)
	}
	if q.Reason != "" && q.Status != job.Failed {
		only("t.reason = ?", q.Reason)
	}
	if q.Text != "" {
		only("(lower(t.name) LIKE ? ESCAPE '\\' OR lower(t.command) LIKE ? ESCAPE '\\')", like(q.Text), like(q.Text))
	}
	b.WriteString("\nORDER BY t.id" + direction(q.Back) + "\nLIMIT ?) s ON s.id = t.id\nORDER BY t.id" + direction(q.Back) + ", d.position")
	return b.String(), append(args, q.Limit+1)
}

// finish takes the row off that the page does not have, and sets the cursors.
func (q *TaskPageQuery) finish(p *TaskPage, end int64) {
	beyond := end
	if len(p.Tasks) > q.Limit {
		p.Tasks = p.Tasks[:q.Limit]
		beyond = p.Tasks[q.Limit-1].Place.Row
	}
	if q.Back {
		slices.Reverse(p.Tasks)
		p.Prev, p.Next = beyond, q.From
		if n := len(p.Tasks); n > 0 {
			p.Next = p.Tasks[n-1].Place.Row
		}
		return
	}
	p.Next = beyond
	if q.From > 0 {
		p.Prev = q.From
		if len(p.Tasks) > 0 {
			p.Prev = p.Tasks[0].Place.Row
		}
	}
}
