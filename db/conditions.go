package db

import "github.com/air-executor/air-executor/job"

// A dependency of condition 'success' lets go while the task that is needed is
// completed. One of 'any' lets go when that task has ended, or can never run because
// something that it needs has failed; dependency.met says that it has, so that
// nothing is counted twice. Only jobs that have such dependencies, for which
// job.conditional is set, pay for it.

// condition is which end of a task lets go of one that depends on it.
type condition string

const (
	onSuccess condition = "success"
	onAny     condition = "any"
)

// stored is dependency.met.
func (c condition) stored(met bool) int {
	if met && c == onAny {
		return 1
	}
	return 0
}

// edge is a dependency of a task that is to be stored.
type edge struct {
	needs     string
	condition condition
}

// edgesOf returns the dependencies of a task in the order of their positions.
func edgesOf(s *job.Spec) []edge {
	edges := make([]edge, 0, len(s.Dependencies)+len(s.AfterAny))
	c := onSuccess
	if s.RunIf.Any() {
		c = onAny
	}
	for _, id := range s.Dependencies {
		edges = append(edges, edge{id, c})
	}
	for _, id := range s.AfterAny {
		edges = append(edges, edge{id, onAny})
	}
	return edges
}

// need adds a dependency that is stored to what the task was asked for with.
func need(s *job.Spec, needs string, c condition) {
	if c == onAny && !s.RunIf.Any() {
		s.AfterAny = append(s.AfterAny, needs)
	} else {
		s.Dependencies = append(s.Dependencies, needs)
	}
}

// meets reports whether a new dependency lets go at once. What one task of the batch
// does not show is found out when all are there.
func (a *adder) meets(c condition, needs taskState, there bool) (bool, error) {
	if c == onAny && !a.conditional {
		if _, err := a.t.exec(`UPDATE job SET conditional = 1 WHERE id = ?`, a.job.ID); err != nil {
			return false, err
		}
		a.conditional = true
	}
	switch {
	case !there:
		return false, nil
	case c == onAny && needs.Status == job.Pending:
		// It may be one that can never run.
		found, err := a.t.get(new(int), `
SELECT 1
FROM task t
JOIN job j ON j.id = t.job
WHERE t.id = ?
  AND t.blockers > t.holds
  AND j.failed + j.dismissed + ? > 0`, needs.ID, a.tally.Failed+a.tally.Dismissed)
		a.unsettled = a.unsettled || found
		return false, err
	case c == onAny:
		return needs.Status.Ended(), nil
	case needs.Status == job.Failed:
		found, err := a.t.get(new(int), `SELECT 1 FROM task WHERE id = ? AND reason = 'skipped'`, needs.ID)
		a.unsettled = a.unsettled || found
		return false, err
	}
	return needs.Status == job.Completed, nil
}

// conditional reports whether a job has dependencies that any end of a task meets.
func (t *tx) conditional(jobID int64) (bool, error) {
	return t.get(new(int), `SELECT 1 FROM job WHERE id = ? AND conditional = 1`, jobID)
}

// afterSuccess lets go of what depends on a task of a conditional job that has
// completed.
func (t *tx) afterSuccess(id int64, d *delta) error {
	var tasks []int64
	if err := t.all(&tasks, belowInJob, id); err != nil {
		return err
	}
	if err := t.release(tasks, d); err != nil {
		return err
	}
	return t.meet(id, d)
}

// belowInJob leaves out those of other jobs, see [tx.reach].
const belowInJob = `SELECT task FROM dependency WHERE needs = ? AND condition = 'success' AND missing_job IS NULL`

// meet lets go of what waits for any end of a task.
func (t *tx) meet(id int64, d *delta) error {
	var tasks []int64
	err := t.all(&tasks, meetOne, id)
	if err != nil {
		return err
	}
	return t.release(tasks, d)
}

const meetOne = `
UPDATE dependency
SET met = 1
WHERE needs = ?
  AND condition = 'any'
  AND met = 0
  AND missing_job IS NULL
RETURNING task`

// afterFailure lets go of what waits for any end of a task that has failed, or of one
// that can never run now.
func (t *tx) afterFailure(jobID, id int64, d *delta) error {
	if on, err := t.conditional(jobID); err != nil || !on {
		return err
	}
	var ended []int64
	err := t.all(&ended, findDead, id)
	for _, e := range ended {
		if err == nil {
			err = t.meet(e, d)
		}
	}
	return err
}

// deadBelow adds to the tasks in dead those that can never run as these have failed.
const deadBelow = `
    UNION
    SELECT t.id
    FROM dead
    JOIN dependency d ON d.needs = dead.id
    JOIN task t ON t.id = d.task
    WHERE d.condition = 'success'
      AND d.missing_job IS NULL
      AND t.status = 'pending'`

// findDead finds a task, and those that can never run as it has failed, as far as
// something still waits for their end.
const findDead = `
WITH RECURSIVE dead (id) AS (
    SELECT id
    FROM task
    WHERE id = ?` + deadBelow + `)
SELECT id
FROM dead
WHERE EXISTS (
    SELECT 1
    FROM dependency d
    WHERE d.needs = dead.id
      AND d.condition = 'any'
      AND d.missing_job IS NULL
      AND d.met = 0)`

// release takes one blocker off each of these tasks, and skips those that were to run
// if something had failed.
func (t *tx) release(tasks []int64, d *delta) error {
	for _, id := range tasks {
		var is struct {
			Status          job.Status
			Blockers, Holds int
			RunIf           job.RunIf `db:"run_if"`
		}
		_, err := t.get(&is, `
UPDATE task
SET blockers = blockers - 1
WHERE id = ?
RETURNING status, blockers, holds, run_if`, id)
		if err != nil {
			return err
		}
		if is.Status != job.Pending {
			continue
		}
		if is.Blockers == 0 {
			d.blocked--
		}
		if is.Blockers == is.Holds && is.RunIf == job.RunOnFailure {
			if err := t.skipUnlessFailed(id, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// skipUnlessFailed skips a task unless one that it needs has failed, or can never run.
// One that was skipped has not failed.
func (t *tx) skipUnlessFailed(id int64, d *delta) error {
	failed, err := t.get(new(int64), `
SELECT n.id
FROM dependency d
JOIN task n ON n.id = d.needs
WHERE d.task = ?
  AND (n.status = 'pending' OR n.status = 'failed' AND n.reason <> 'skipped')
LIMIT 1`, id)
	if err != nil || failed {
		return err
	}
	return t.skip(id, d)
}

const notNeeded = "skipped: nothing that it depends on has failed"

// skip ends a pending task that is not to run, and with it those that can only run
// after it.
func (t *tx) skip(id int64, d *delta) error {
	var is struct {
		Job             int64
		Name            string
		Blockers, Holds int
	}
	found, err := t.get(&is, `SELECT job, name, blockers, holds FROM task WHERE id = ? AND status = 'pending'`, id)
	if err != nil || !found {
		return err
	}
	if is.Holds > 0 {
		if err := t.forgetHolds(is.Job, is.Name); err != nil {
			return err
		}
	}
	_, err = t.exec(`
UPDATE task
SET status = 'failed',
    reason = 'skipped',
    error = ?,
    completed_at = ?,
    dismissed_at = ?,
    blockers = blockers - holds,
    holds = 0
WHERE id = ?`, notNeeded, t.now, t.now, id)
	if err != nil {
		return err
	}
	d.Pending--
	d.Dismissed++
	if is.Blockers > 0 {
		d.blocked--
	}
	var below []int64
	if err := t.all(&below, belowInJob, id); err != nil {
		return err
	}
	for _, b := range below {
		if err := t.skip(b, d); err != nil {
			return err
		}
	}
	return t.meet(id, d)
}

// dismissedWith is when a new task is dismissed: at once, if it was skipped.
func (t *tx) dismissedWith(task *job.Task) *int64 {
	if task.Status != job.Failed || task.Reason != job.Skipped {
		return nil
	}
	if at := instant(task.CompletedAt); at != nil {
		return at
	}
	return &t.now
}
