package db

import (
	"context"
	"fmt"
	"iter"

	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
)

// Batch is a number of tasks that enter one job together, or not at all.
type Batch struct {
	Job   string
	Tasks iter.Seq2[job.Spec, error] // an error ends the batch and undoes it

	// IfAbsent passes over tasks whose id is in the job already, instead of
	// failing with ErrDuplicate.
	IfAbsent bool

	// AllowMissing keeps dependencies on tasks that are not there, for they may
	// still come, instead of failing with ErrNoTask.
	AllowMissing bool

	// Parent is the token of the attempt whose command queues the tasks, empty
	// if a user does. An attempt that is over may queue nothing (ErrFenced).
	// What an earlier attempt of the same task has queued is passed over.
	Parent string
	// MaxSubtasks and MaxDepth bound the line of descendants of a task:
	// their number, and their generations. Beyond them is ErrLimit.
	MaxSubtasks, MaxDepth int
}

// Added says what a batch became.
type Added struct {
	Count int // tasks stored
	// IDs are those of the tasks of the batch in its order, those that were
	// passed over included; nil if the batch was larger than a few thousand.
	// Then EachAdded reads those that were stored.
	IDs         []string
	first, last int64 // rows of the stored tasks
}

// manyIDs bounds the memory that a batch takes for its ids.
const manyIDs = 5000

// Enqueue stores the tasks of a batch. When it returns without an error they
// are durable. A dependency must name a task of the job or of the batch, in
// any order, or one that may still come. Errors: ErrDuplicate, ErrNoTask (a dependency that is not there),
// ErrCycle, ErrFenced, ErrLimit, or the first error of b.Tasks.
func (d *DB) Enqueue(ctx context.Context, b Batch) (Added, error) {
	if err := job.CheckName(b.Job); err != nil {
		return Added{}, err
	}
	var added Added
	err := d.write(ctx, func(t *tx) error {
		var err error
		added, err = t.enqueue(b)
		failpoint.Hit("enqueue.after_insert")
		return err
	})
	failpoint.Hit("enqueue.after_commit")
	return added, d.wakeAfter(err)
}

func (t *tx) enqueue(b Batch) (Added, error) {
	a, err := t.newAdder(b.Job)
	if err != nil {
		return Added{}, err
	}
	if b.Parent != "" {
		if a.parent, err = t.parent(b.Parent); err != nil {
			return Added{}, err
		}
	}
	var out Added
	n := 0
	for spec, err := range b.Tasks {
		if err != nil {
			return Added{}, err
		}
		id, err := a.queue(spec, b.IfAbsent)
		if err != nil {
			return Added{}, err
		}
		if n++; n <= manyIDs {
			out.IDs = append(out.IDs, id)
		}
	}
	if n == 0 {
		return Added{}, ErrEmpty
	}
	if n > manyIDs {
		out.IDs = nil
	}
	if a.count > 0 {
		if err := a.finish(b); err != nil {
			return Added{}, err
		}
	}
	out.Count, out.first, out.last = a.count, a.first, a.last
	return out, nil
}

// finish checks what can only be checked when all are there, and updates the job.
func (a *adder) finish(b Batch) error {
	if !b.AllowMissing {
		if err := a.requireAll(); err != nil {
			return err
		}
	}
	if err := a.requireAcyclic(); err != nil {
		return err
	}
	if err := a.t.countSubtasks(a.parent, a.count, b); err != nil {
		return err
	}
	return a.tallyUp("")
}

// EachAdded calls fn with the id of every task that the batch stored.
func (d *DB) EachAdded(ctx context.Context, a Added, fn func(id string) error) error {
	const page = 1000
	for from := a.first; a.Count > 0 && from <= a.last; from += page {
		var ids []string
		err := d.read(ctx, func(t *tx) error {
			return t.all(&ids, `SELECT name FROM task WHERE id BETWEEN ? AND ? ORDER BY id`, from, min(from+page-1, a.last))
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := fn(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// parentTask is the task whose running attempt queues others.
type parentTask struct {
	ID    int64
	Root  int64
	Depth int
}

// parent finds the task behind the token of a running attempt.
func (t *tx) parent(token string) (*parentTask, error) {
	var p parentTask
	ok, err := t.get(&p, `
SELECT t.id, coalesce(t.root, t.id) AS root, t.depth
FROM attempt a `+t.d.dialect.bySlot+`
JOIN task t ON t.id = a.task
WHERE a.slot IS NOT NULL
  AND a.token = ?`, token)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%w: it may not queue tasks any more", ErrFenced)
	}
	return &p, nil
}

// countSubtasks adds n tasks to the line of the parent's root, if the limits allow.
func (t *tx) countSubtasks(p *parentTask, n int, b Batch) error {
	if p == nil {
		return nil
	}
	if p.Depth+1 > b.MaxDepth {
		return fmt.Errorf("%w: tasks that queue tasks are %d generations deep, max_subtask_depth is %d", ErrLimit, p.Depth+1, b.MaxDepth)
	}
	var total int
	_, err := t.get(&total, `
UPDATE task SET subtasks = subtasks + ?
WHERE id = ?
RETURNING subtasks`, n, p.Root)
	if err == nil && total > b.MaxSubtasks {
		err = fmt.Errorf("%w: one task and its descendants would have queued %d tasks, max_subtasks is %d", ErrLimit, total, b.MaxSubtasks)
	}
	return err
}
