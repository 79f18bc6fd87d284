package db

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// Ended is one entry of the history: an attempt that has ended, or a task that has
// ended without one, because it was cancelled before it started or was imported. The
// Number of such a task is 0, and it may have no StartedAt.
type Ended struct {
	job.Attempt
	Key      int64 // of the task
	Command  string
	Args     []string
	QueuedAt time.Time // when the task was queued
	Newest   bool      // whether no later attempt of the task has begun

	id int64
}

// Place returns the cursor of an entry, after which the next page begins.
func (e *Ended) Place() *HistoryCursor {
	return &HistoryCursor{e.EndedAt.UnixMicro(), e.Number == 0, e.id}
}

// HistoryCursor is the place of an entry in the history.
type HistoryCursor struct {
	ended     int64
	unstarted bool
	id        int64
}

// HistoryQuery says what of the history is wanted. The zero value is all of it.
type HistoryQuery struct {
	Job       func(name string) bool // only of jobs whose name it takes; nil: of all
	Completed bool                   // only what is completed
	Failed    bool                   // only what has failed
	Reason    job.Reason             // only what has failed so; empty: any
	Since     time.Time              // only what has ended then or later; zero: all
	Until     time.Time              // only what has ended before; zero: all
	Labels    []LabelFilter          // only with all of these, on the task or its job
	Limit     int                    // 0: all
	After     *HistoryCursor         // only what comes after it
}

// A history is read in pages of so many rows.
const historyPage = 1000

// A selection of jobs with fewer tasks than this is read task by task. In larger ones
// the history of all is more likely to have its entries soon.
const (
	fewTasks = 20_000
	fewJobs  = 500
)

// History calls fn with what has ended, newest first: by the time of its end. A long
// one is read in several transactions; what ends meanwhile is newer, and not in it.
func (d *DB) History(ctx context.Context, q HistoryQuery, fn func(Ended) error) error {
	most := q.Limit
	for {
		n := historyPage
		if most > 0 {
			n = min(n, most)
		}
		var page []Ended
		err := d.read(ctx, func(t *tx) (err error) {
			page, err = t.history(&q, n)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := fn(e); err != nil {
				return err
			}
		}
		if most -= len(page); len(page) < n || most == 0 {
			return nil
		}
		q.After = page[len(page)-1].Place()
	}
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough")

// enough is the error of a reading that may have been ended so.
func enough(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// history is the first n entries of a query. Attempts and tasks without are two lists
// in the same order.
func (t *tx) history(q *HistoryQuery, n int) ([]Ended, error) {
	jobs, few, err := t.historyJobs(q)
	if err != nil || jobs != nil && len(jobs) == 0 {
		return nil, err
	}
	var out []Ended
	for _, source := range q.sources(&t.d.dialect, jobs, few) {
		found := 0
		err := enough(t.each(func(rows *sqlx.Rows) error {
			e, jobID, err := scanEnded(rows)
			if err != nil {
				return err
			}
			if _, wanted := slices.BinarySearch(jobs, jobID); jobs != nil && !wanted {
				return nil
			}
			out = append(out, e)
			if found++; found == n {
				return errEnough
			}
			return nil
		}, source.query, source.args...))
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Ended) int {
		return cmp.Or(b.EndedAt.Compare(a.EndedAt), compareBool(a.Number == 0, b.Number == 0), cmp.Compare(b.id, a.id))
	})
	return out[:min(n, len(out))], nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// historyJobs returns the rows of the jobs that are wanted, sorted, nil for all, and
// whether they have few tasks.
func (t *tx) historyJobs(q *HistoryQuery) (ids []int64, few bool, err error) {
	if q.Job == nil {
		return nil, false, nil
	}
	ids = []int64{}
	tasks := 0
	err = t.each(func(rows *sqlx.Rows) error {
		var id int64
		var name string
		var n int
		if err := rows.Scan(&id, &name, &n); err != nil {
			return err
		}
		if q.Job(name) {
			ids, tasks = append(ids, id), tasks+n
		}
		return nil
	}, historyJobs)
	return ids, tasks < fewTasks && len(ids) <= fewJobs, err
}

const historyJobs = `
SELECT id, name, pending + running + completed + failed + dismissed AS tasks
FROM job
ORDER BY id`
