package db

import (
	"context"
	"fmt"
	"iter"

	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
)

// Batch is a set of tasks that are added to one job together, or not at all.
type Batch struct {
	Job   string                     // empty: the job of the parent task or, if there is none, DefaultJob
	Tasks iter.Seq2[job.Spec, error] // an error ends the batch and undoes it; read again if the transaction begins again

	// IfAbsent skips tasks whose id is already in the job, instead of failing with
	// ErrDuplicate.
	IfAbsent bool
	// Compare, if not nil, returns how a task that IfAbsent skips differs from the
	// stored one, as one text per difference.
	Compare func(Definition) []string

	// AllowMissing stores dependencies on tasks that do not exist, because they may
	// still come, instead of failing with ErrNoTask.
	AllowMissing bool

	// Settings changes those of the job; nil: they stay.
	Settings *JobChange
	// JobDefaults gives a task what a job has for tasks that do not say it themselves (see
	// JobSettings). Nil: nothing.
	JobDefaults func(defaults []byte, s *job.Spec) error

	// Keys wants those of the tasks in Added.
	Keys bool

	// NewJob fails with ErrJobExists if the job exists.
	NewJob bool
	// RetryHolds says whether other tasks of the job wait while one waits for its retry;
	// nil: as it is, for a new job that they do.
	RetryHolds *bool
	// Defaults are the retries of tasks that say none.
	Defaults job.Spec
	// Labels are the job's, if it is new: "KEY=VALUE" pairs. A Resume replaces them.
	Labels []string
	// FromFile marks the tasks as those of a job file, for a later Resume.
	FromFile bool

	// Parent is the token of the attempt whose command queues the tasks; empty: a user
	// does. An attempt that has ended may queue nothing (ErrFenced). Tasks that an
	// earlier attempt of the same task has queued are skipped.
	Parent string
	// ParentJob and ParentTask name the task that Parent belongs to, if known. If this
	// database has no such token, it is from another database, and the tasks count as
	// queued by a user.
	ParentJob, ParentTask string
	DefaultJob            string
	// MaxSubtasks and MaxDepth limit the descendants of a task: their number, and how
	// many generations deep they go. Exceeding them is ErrLimit.
	MaxSubtasks, MaxDepth int
}

// Added is the result of storing a batch.
type Added struct {
	Job   string
	Count int // tasks stored
	// IDs are the ids of the batch's tasks in order, including the skipped ones; nil if
	// the batch has more than a few thousand. EachAdded reads the stored ones then.
	IDs []string
	// New says for each of the IDs whether the task was stored, not skipped.
	New []bool
	// Keys are the rows of the tasks with these IDs, if they were wanted.
	Keys []int64
	// Differ is what Compare said.
	Differ      []Difference
	first, last int64 // rows of the stored tasks
}

// manyIDs limits how many ids of a batch are kept in memory.
const manyIDs = 5000

// Enqueue stores the tasks of a batch. When it returns without an error they are
// durable. A dependency must name a task of the job or of the batch, in any order, or,
// with AllowMissing, one that may still come. Errors: ErrDuplicate, ErrJobExists,
// ErrNoTask (a dependency that does not exist), ErrCycle, ErrFenced, ErrLimit, or the
// first error of b.Tasks.
func (d *DB) Enqueue(ctx context.Context, b Batch) (Added, error) {
	name := b.Job
	if name == "" {
		name = b.DefaultJob
	}
	if err := job.CheckName(name); err != nil {
		return Added{}, err
	}
	var added Added
	err := d.write(ctx, func(t *tx) error {
		var err error
		added, err = t.enqueue(b)
		t.added = added
		failpoint.Hit("enqueue.after_insert")
		return err
	})
	failpoint.Hit("enqueue.after_commit")
	return added, d.wakeAfter(err)
}

func (t *tx) enqueue(b Batch) (Added, error) {
	parent, err := t.parent(&b)
	if err != nil {
		return Added{}, err
	}
	switch {
	case b.Job != "":
	case parent != nil:
		b.Job = parent.Job
	default:
		b.Job = b.DefaultJob
	}
	a, err := t.newAdder(b.Job, parent)
	if err != nil {
		return Added{}, err
	}
	if err := a.prepare(&b); err != nil {
		return Added{}, err
	}
	out := Added{Job: b.Job}
	n := 0
	for spec, err := range b.Tasks {
		if err != nil {
			return Added{}, err
		}
		if err := a.fill(&b, &spec); err != nil {
			return Added{}, err
		}
		stored := a.count
		id, err := a.queue(spec, b.IfAbsent)
		if err != nil {
			return Added{}, err
		}
		if b.IfAbsent && a.count == stored && id == spec.ID {
			if err := a.passedOver(b, spec, &out); err != nil {
				return Added{}, err
			}
		}
		if n++; n <= manyIDs {
			out.IDs, out.New = append(out.IDs, id), append(out.New, a.count > stored)
			if err := a.keyOf(&b, id, a.count > stored, &out); err != nil {
				return Added{}, err
			}
		}
	}
	if n == 0 {
		return Added{}, ErrEmpty
	}
	if n > manyIDs {
		out.IDs, out.New, out.Keys = nil, nil, nil
	}
	if a.count > 0 {
		if err := a.finish(b); err != nil {
			return Added{}, err
		}
	}
	out.Count, out.first, out.last = a.count, a.first, a.last
	return out, nil
}

// keyOf notes the key of a task that was stored or passed over, if it is wanted.
func (a *adder) keyOf(b *Batch, id string, stored bool, out *Added) error {
	if !b.Keys {
		return nil
	}
	key := a.last
	if !stored {
		s, _, err := a.find(id)
		if err != nil {
			return err
		}
		key = s.ID
	}
	out.Keys = append(out.Keys, key)
	return nil
}

// prepare gives the job of a batch what the batch says of it.
func (a *adder) prepare(b *Batch) error {
	if b.NewJob && !a.created {
		return fmt.Errorf("job %q %w", b.Job, ErrJobExists)
	}
	a.defaults = append(a.defaults, b.Defaults)
	if err := a.t.setRetryHolds(a.job.ID, b.RetryHolds); err != nil {
		return err
	}
	if err := a.labelNew(b.Labels); err != nil {
		return err
	}
	if err := a.set(b.Settings); err != nil {
		return err
	}
	if a.created || b.Settings == nil && b.RetryHolds == nil {
		return nil
	}
	return a.t.jobChanged(a.job.ID)
}

// finish makes the checks that need all tasks of the batch, and updates the job.
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
	if b.FromFile {
		if err := a.markFromFile(); err != nil {
			return err
		}
	}
	return a.tallyUp("")
}

// markFromFile marks the stored tasks as those of a job file.
func (a *adder) markFromFile() error {
	_, err := a.t.exec(`UPDATE task SET from_file = 1 WHERE id BETWEEN ? AND ?`, a.first, a.last)
	return err
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
	Job   string
}

// parent finds the task of the running attempt with this token. It returns nil if a
// user queues.
func (t *tx) parent(b *Batch) (*parentTask, error) {
	if b.Parent == "" {
		return nil, nil
	}
	var p parentTask
	ok, err := t.get(&p, `
SELECT t.id, coalesce(t.root, t.id) AS root, t.depth, j.name AS job
FROM attempt a `+t.d.dialect.bySlot+`
JOIN task t ON t.id = a.task
JOIN job j ON j.id = t.job
WHERE a.slot IS NOT NULL
  AND a.token = ?`, b.Parent)
	if err != nil {
		return nil, err
	}
	if ok {
		return &p, nil
	}
	known := b.ParentTask == ""
	if !known {
		var one int
		known, err = t.get(&one, `
SELECT 1
FROM job j
JOIN task t ON t.job = j.id
JOIN attempt a ON a.task = t.id
WHERE j.name = ?
  AND t.name = ?
  AND a.token = ?
LIMIT 1`, b.ParentJob, b.ParentTask, b.Parent)
	}
	if err == nil && known {
		err = fmt.Errorf("%w: it may not queue tasks any more", ErrFenced)
	}
	return nil, err
}

// countSubtasks adds n to the descendants of the parent's root, if the limits allow it.
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
