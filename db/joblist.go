package db

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// JobsQuery says which jobs ListJobs lists, and in which order. The zero value lists
// all, by name.
type JobsQuery struct {
	State         *job.State // only in this state; nil: in any
	NamePrefix    *string    // only those whose name begins with it
	Failed        *bool      // only those with, or without, failed tasks that were not dismissed
	Sort          Order      // ties are sorted by name
	Limit, Offset int        // Limit 0: all
	After         *JobCursor // only jobs after it in this order

	Labels []LabelFilter // only those with all of these, or with a task that has one
}

// JobCursor is the place of a job in a list.
type JobCursor struct {
	Rank int64  // the value that the list is sorted by; 0 if sorted by name
	Name string // of the job
}

// jobOrders are the SQL terms that jobs are sorted by before their names, and the same
// values of a job that was read.
var jobOrders = map[Order]struct {
	term string
	rank func(job.Job) int64
}{
	ByState:    {"CASE state WHEN 'working' THEN 0 WHEN 'failed' THEN 1 WHEN 'waiting' THEN 2 ELSE 3 END", stateRank},
	ByCreated:  {"-created_at", func(j job.Job) int64 { return -j.CreatedAt.UnixMicro() }},
	ByUpdated:  {"-updated_at", func(j job.Job) int64 { return -j.UpdatedAt.UnixMicro() }},
	ByFailed:   {"-failed", func(j job.Job) int64 { return -int64(j.Tasks.Failed) }},
	ByDuration: {"created_at - updated_at", func(j job.Job) int64 { return j.CreatedAt.UnixMicro() - j.UpdatedAt.UnixMicro() }},
}

func stateRank(j job.Job) int64 {
	switch j.State {
	case job.StateWorking:
		return 0
	case job.StateFailed:
		return 1
	case job.StateWaiting:
		return 2
	}
	return 3
}

// Place returns the cursor of a job in the list of a query; the next page begins after
// it.
func (q JobsQuery) Place(j job.Job) *JobCursor {
	c := &JobCursor{Name: j.Name}
	if o, ok := jobOrders[q.Sort]; ok {
		c.Rank = o.rank(j)
	}
	return c
}

// ListJobs returns the jobs that match a query.
func (d *DB) ListJobs(ctx context.Context, q JobsQuery) ([]job.Job, error) {
	var out []job.Job
	query, args := q.query(d)
	err := d.read(ctx, func(t *tx) error {
		out = nil
		return t.eachJob(&out, query, args...)
	})
	return out, err
}

func (q JobsQuery) query(d *DB) (query string, args []any) {
	var terms []string
	only := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	if q.State != nil {
		only("state = ?", *q.State)
	}
	if p := q.NamePrefix; p != nil {
		only("name >= ? AND name < ? AND substr(name, 1, length(?)) = ?", *p, *p+last, *p, *p)
	}
	for _, l := range q.Labels {
		term, values := l.jobTerms("job")
		only(term, values...)
	}
	if q.Failed != nil && *q.Failed {
		only("failed > 0")
	} else if q.Failed != nil {
		only("failed = 0")
	}
	order := jobOrders[q.Sort].term
	switch c := q.After; {
	case c == nil:
	case order == "":
		only("name > ?", c.Name)
	default:
		only(order+" >= ? AND ("+order+" > ? OR name > ?)", c.Rank, c.Rank, c.Name)
	}
	query = d.jobColumns()
	if len(terms) > 0 {
		query += "\nWHERE " + strings.Join(terms, "\n  AND ")
	}
	query += "\nORDER BY "
	if order != "" {
		query += order + ", "
	}
	query += "name"
	if q.Limit > 0 {
		query += "\nLIMIT ? OFFSET ?"
		args = append(args, q.Limit, q.Offset)
	}
	return query, args
}

// Totals are the sums over all jobs.
type Totals struct {
	Jobs    map[job.State]int // how many are in each state; no entry for 0
	Tasks   job.Counts
	Blocked int // pending tasks that are not ready
}

// Count returns the number of jobs.
func (t *Totals) Count() (n int) {
	for _, jobs := range t.Jobs {
		n += jobs
	}
	return n
}

// Add adds a job to the sums.
func (t *Totals) Add(j job.Job) {
	t.add(j.State, 1, j.Tasks, j.Blocked)
}

func (t *Totals) add(s job.State, jobs int, c job.Counts, blocked int) {
	if t.Jobs == nil {
		t.Jobs = map[job.State]int{}
	}
	t.Jobs[s] += jobs
	t.Tasks.Pending += c.Pending
	t.Tasks.Running += c.Running
	t.Tasks.Completed += c.Completed
	t.Tasks.Failed += c.Failed
	t.Tasks.Dismissed += c.Dismissed
	t.Blocked += blocked
}

// Totals sums up all jobs. It reads the rows of jobs only.
func (d *DB) Totals(ctx context.Context) (Totals, error) {
	var out Totals
	err := d.read(ctx, func(t *tx) error {
		out = Totals{}
		return t.each(func(rows *sqlx.Rows) error {
			var state job.State
			var jobs, blocked int
			var c job.Counts
			err := rows.Scan(&state, &jobs, &c.Pending, &c.Running, &c.Completed, &c.Failed, &c.Dismissed, &blocked)
			out.add(state, jobs, c, blocked)
			return err
		}, `
SELECT state, COUNT(*), SUM(pending), SUM(running), SUM(completed), SUM(failed), SUM(dismissed), SUM(blocked)
FROM job
GROUP BY state`)
	})
	return out, err
}
