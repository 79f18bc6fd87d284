package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/air-executor/air-executor/job"
)

// A hold keeps a pending task from being ready until an instant. It is a row of
// the table hold, one of the task's blockers, and one of its holds. With holds_job it
// is one of the job's holds as well. Only pending tasks have any: whatever ends,
// resets or removes a task takes its holds off in the same commit.
//
// Instants are those of the wall clock. So a clock that is set, and a machine that
// sleeps, change when a task runs, and lose none.

// holdKind is what a task waits for.
type holdKind string

const (
	delayed  holdKind = "delay" // a user has asked for it
	retrying holdKind = "retry" // an attempt has failed
)

// due is the earliest instant at which a hold ends, in Unix microseconds; false: there
// is no hold.
func (t *tx) due() (int64, bool, error) {
	var due *int64
	_, err := t.get(&due, `SELECT min(due) FROM hold`)
	if err != nil || due == nil {
		return 0, false, err
	}
	return *due, true, nil
}

// addHold stores a hold. The task's blockers and holds count it already, or are
// changed by the caller.
func (t *tx) addHold(task int64, kind holdKind, due time.Time, holdsJob bool) error {
	of := 0
	if holdsJob {
		of = 1
	}
	_, err := t.exec(`
INSERT INTO hold (task, kind, due, holds_job)
VALUES (?, ?, ?, ?)`, task, kind, due.UnixMicro(), of)
	return err
}

// holdUntil makes a pending task wait until due. The counters of the job are left to
// the caller.
func (t *tx) holdUntil(task int64, due time.Time) error {
	if err := t.addHold(task, delayed, due, false); err != nil {
		return err
	}
	_, err := t.exec(`
UPDATE task
SET blockers = blockers + 1,
    holds = holds + 1
WHERE id = ?`, task)
	return err
}

// freeHeld takes all holds off the pending tasks of a job, or off one if task is not
// empty, for they are to end. It returns how many have no blockers any more.
func (t *tx) freeHeld(jobID int64, task string) (freed int, err error) {
	if err := t.forgetHolds(jobID, task); err != nil {
		return 0, err
	}
	var blockers []int
	query, args := oneOrAll(`
UPDATE task
SET blockers = blockers - holds,
    holds = 0
WHERE job = ?
  AND status = 'pending'
  AND holds > 0`, task, jobID)
	err = t.all(&blockers, query, args...)
	for _, b := range blockers {
		if b == 0 {
			freed++
		}
	}
	return freed, err
}

// forgetHolds deletes the holds of a job's tasks, or of one task, and takes those
// that are the job's off it. The counters of the tasks stay as they are.
func (t *tx) forgetHolds(jobID int64, task string) error {
	if _, any, err := t.due(); err != nil || !any {
		return err
	}
	query, args := `DELETE FROM hold WHERE task IN (SELECT id FROM task WHERE job = ?) RETURNING holds_job`, []any{jobID}
	if task != "" {
		query, args = `DELETE FROM hold WHERE task = (SELECT id FROM task WHERE job = ? AND name = ?) RETURNING holds_job`, append(args, task)
	}
	var ofJob []int
	if err := t.all(&ofJob, query, args...); err != nil {
		return err
	}
	return t.releaseJob(jobID, sum(ofJob))
}

func sum(numbers []int) (n int) {
	for _, one := range numbers {
		n += one
	}
	return n
}

// releaseJob takes so many holds off a job.
func (t *tx) releaseJob(jobID int64, n int) error {
	if n == 0 {
		return nil
	}
	_, err := t.exec(`UPDATE job SET holds = holds - ? WHERE id = ?`, n, jobID)
	return err
}

// held reports whether a job has a task that will be ready without another task: it
// waits for times or places only.
func (t *tx) held(jobID int64) (bool, error) {
	return t.get(new(int), `
SELECT 1
FROM task `+t.d.dialect.byHeld+`
WHERE job = ?
  AND status = 'pending'
  AND holds > 0
  AND holds = blockers
LIMIT 1`, jobID)
}

// Due is the earliest instant at which a task that waits for a time is let go; zero:
// none waits. It is cheap.
func (d *DB) Due(ctx context.Context) (time.Time, error) {
	var out time.Time
	err := d.read(ctx, func(t *tx) (err error) {
		out, err = t.dueTime()
		return err
	})
	return out, err
}

func (t *tx) dueTime() (time.Time, error) {
	due, any, err := t.due()
	if err != nil || !any {
		return time.Time{}, err
	}
	return time.UnixMicro(due).UTC(), nil
}

// LetGo ends holds whose time has come, those that were due first, at most limit of
// them, in one commit. It returns how many it has ended: if that is limit, there may
// be more. Any process may call it at any time, also beside others.
func (d *DB) LetGo(ctx context.Context, limit int) (int, error) {
	n := 0
	err := d.write(ctx, func(t *tx) error {
		var err error
		n, err = t.letGo(limit)
		return err
	})
	return n, err
}

// dueHold is a hold that is to end.
type dueHold struct {
	Task, Job int64
	Kind      holdKind
	Due       int64
	HoldsJob  int `db:"holds_job"`
}

func (t *tx) letGo(limit int) (n int, err error) {
	var due []dueHold
	err = t.all(&due, `
SELECT h.task, h.kind, h.due, h.holds_job, t.job
FROM hold h
JOIN task t ON t.id = h.task
WHERE h.due <= ?
ORDER BY h.due
LIMIT ?`, t.now, limit)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	slices.SortStableFunc(due, func(a, b dueHold) int { return cmp.Compare(a.Job, b.Job) })
	var jobs []int64
	for _, h := range due {
		jobs = append(jobs, h.Job)
	}
	jobs = slices.Compact(jobs)
	if err := t.lockJobs(slices.Clone(jobs)...); err != nil {
		return 0, err
	}
	for _, id := range jobs {
		ended, err := t.letGoOf(id, due)
		if err != nil {
			return 0, err
		}
		n += ended
	}
	return n, nil
}

// letGoOf ends those holds that are of tasks of one job, unless somebody else has.
func (t *tx) letGoOf(jobID int64, due []dueHold) (ended int, err error) {
	freed, ofJob := 0, 0
	var task int64 // one of them
	for _, h := range due {
		if h.Job != jobID {
			continue
		}
		n, err := t.exec(`
DELETE FROM hold
WHERE task = ?
  AND kind = ?
  AND due <= ?`, h.Task, h.Kind, t.now)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			continue
		}
		left, err := t.unhold(&h)
		if err != nil {
			return 0, err
		}
		if left == 0 {
			freed++
		}
		ended++
		ofJob += h.HoldsJob
		task = h.Task
	}
	if ended == 0 {
		return 0, nil
	}
	if ended > 1 {
		task = 0
	}
	if err := t.event(TasksReady, jobID, task, 0, ended); err != nil {
		return 0, err
	}
	if err := t.releaseJob(jobID, ofJob); err != nil {
		return 0, err
	}
	_, err = t.updateJob(jobID, delta{blocked: -freed})
	return ended, err
}

// unhold takes the blocker of a hold off its task, notes when that could have run, and
// returns how many blockers are left.
func (t *tx) unhold(h *dueHold) (left int, err error) {
	noted, args := "", []any{h.Task}
	if t.d.hasRollups() {
		noted, args = `,
    ready_at = ?`, []any{h.Due, h.Task}
	}
	_, err = t.get(&left, `
UPDATE task
SET blockers = blockers - 1,
    holds = holds - 1`+noted+`
WHERE id = ?
RETURNING blockers`, args...)
	return left, err
}

// dueAt is when a task that is queued now may start; zero: at once.
func (t *tx) dueAt(s *job.Spec) time.Time {
	due := s.Due
	if s.Delay > 0 {
		due = time.UnixMicro(t.now).Add(s.Delay)
	}
	if due.UnixMicro() <= t.now {
		return time.Time{}
	}
	return due
}
