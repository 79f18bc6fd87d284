package db

import "github.com/air-executor/air-executor/job"

// counters are those of a job.
type counters struct {
	Pending, Running, Completed, Failed, Dismissed, Blocked int
}

// reconsider finds out anew, for all tasks of a job that do not run, what lets go of
// them, and skips those that are not to run. It reads the whole job. It returns what
// that, and all that was done to the tasks before, changes of the job's counters.
func (t *tx) reconsider(jobID int64) (d delta, err error) {
	conditional, err := t.conditional(jobID)
	if err != nil {
		return d, err
	}
	if conditional {
		if err := t.settleOwnLinks(jobID); err != nil {
			return d, err
		}
	}
	for again := true; again; {
		if conditional {
			if err := t.meetAnew(jobID); err != nil {
				return d, err
			}
		}
		if _, err := t.exec(countBlockers, jobID); err != nil {
			return d, err
		}
		again = false
		if conditional {
			if again, err = t.skipAnew(jobID); err != nil {
				return d, err
			}
		}
	}
	return t.counted(jobID)
}

// meetAnew lets go of what waits for any end of a task that has ended, or that can
// never run, and of nothing else.
func (t *tx) meetAnew(jobID int64) error {
	ofLinks, args := `
    UNION
    SELECT t.id
    FROM task t
    JOIN dependency d ON d.task = t.id
    WHERE t.job = ?
      AND d.missing_job IS NOT NULL
      AND d.condition = 'success'
      AND d.met = 0
      AND d.stuck = 2
      AND t.status = 'pending'`, []any{jobID, jobID, jobID}
	if t.d.agesNot() {
		ofLinks, args = ``, args[1:]
	}
	_, err := t.exec(`
WITH RECURSIVE dead (id) AS (
    SELECT t.id
    FROM task n
    JOIN dependency d ON d.needs = n.id
    JOIN task t ON t.id = d.task
    WHERE n.job = ?
      AND n.status = 'failed'
      AND d.condition = 'success'
      AND d.missing_job IS NULL
      AND t.status = 'pending'`+ofLinks+deadBelow+`)
UPDATE dependency
SET met = CASE WHEN needs IN (SELECT id FROM dead) OR EXISTS (
    SELECT 1
    FROM task n
    WHERE n.id = dependency.needs
      AND n.status IN ('completed', 'failed')) THEN 1 ELSE 0 END
WHERE condition = 'any'
  AND missing_job IS NULL
  AND task IN (SELECT id FROM task WHERE job = ? AND status <> 'running')`, args...)
	return err
}

// settleOwnLinks settles the links of a job that does not wait for what follows.
func (t *tx) settleOwnLinks(jobID int64) error {
	if on, err := t.isLinked(jobID); err != nil || !on {
		return err
	}
	var links []linkRow
	err := t.all(&links, selectLinks+`
WHERE t.job = ?
  AND d.missing_job IS NOT NULL
  AND t.status <> 'running'`, jobID)
	if err == nil {
		_, err = t.settleLinks(links)
	}
	return err
}

const countBlockers = `
UPDATE task
SET blockers = holds + (
    SELECT COUNT(*)
    FROM dependency d
    LEFT JOIN task n ON n.id = d.needs
    WHERE d.task = task.id
      AND CASE WHEN d.condition = 'any' OR d.missing_job IS NOT NULL THEN d.met = 0 ELSE n.id IS NULL OR n.status <> 'completed' END)
WHERE job = ?
  AND status <> 'running'`

// skipAnew skips tasks that are not to run, if there are any.
func (t *tx) skipAnew(jobID int64) (any bool, err error) {
	var skipped []string
	if err := t.all(&skipped, skipUnneeded, notNeeded, t.now, t.now, jobID); err != nil {
		return false, err
	}
	for _, name := range skipped {
		if err := t.forgetHolds(jobID, name); err != nil {
			return false, err
		}
	}
	return len(skipped) > 0, nil
}

// skipUnneeded skips tasks as skip does, a generation at a time.
const skipUnneeded = `
UPDATE task
SET status = 'failed',
    reason = 'skipped',
    error = ?,
    completed_at = ?,
    dismissed_at = ?,
    blockers = blockers - holds,
    holds = 0
WHERE job = ?
  AND status = 'pending'
  AND (run_if = 'failure' AND blockers = holds
           AND NOT EXISTS (
               SELECT 1
               FROM dependency d
               JOIN task n ON n.id = d.needs
               WHERE d.task = task.id
                 AND (n.status = 'pending' OR n.status = 'failed' AND n.reason <> 'skipped'))
       OR EXISTS (
           SELECT 1
           FROM dependency d
           JOIN task n ON n.id = d.needs
           WHERE d.task = task.id
             AND d.condition = 'success'
             AND d.missing_job IS NULL
             AND n.reason = 'skipped'))
RETURNING name`

// counted is by how much the counters of a job differ from its tasks.
func (t *tx) counted(jobID int64) (d delta, err error) {
	var was, is counters
	_, err = t.get(&was, `SELECT pending, running, completed, failed, dismissed, blocked FROM job WHERE id = ?`, jobID)
	if err != nil {
		return d, err
	}
	_, err = t.get(&is, `
SELECT coalesce(sum(CASE WHEN status = 'pending' THEN 1 ELSE 0 END), 0) AS pending,
       coalesce(sum(CASE WHEN status = 'running' THEN 1 ELSE 0 END), 0) AS running,
       coalesce(sum(CASE WHEN status = 'completed' THEN 1 ELSE 0 END), 0) AS completed,
       coalesce(sum(CASE WHEN status = 'failed' AND dismissed_at IS NULL THEN 1 ELSE 0 END), 0) AS failed,
       coalesce(sum(CASE WHEN dismissed_at IS NULL THEN 0 ELSE 1 END), 0) AS dismissed,
       coalesce(sum(CASE WHEN status = 'pending' AND blockers > 0 THEN 1 ELSE 0 END), 0) AS blocked
FROM task
WHERE job = ?`, jobID)
	return delta{
		Counts: job.Counts{
			Pending: is.Pending - was.Pending, Running: is.Running - was.Running, Completed: is.Completed - was.Completed,
			Failed: is.Failed - was.Failed, Dismissed: is.Dismissed - was.Dismissed,
		},
		blocked: is.Blocked - was.Blocked,
	}, err
}
