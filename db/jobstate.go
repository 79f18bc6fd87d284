package db

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
)

// delta is a change of a job's counters.
type delta struct {
	job.Counts           // added to the counts by status
	blocked    int       // added to the pending tasks that have blockers
	added      *int64    // new number of tasks ever added; nil: unchanged
	state      job.State // new state; empty: derived from the counters
	linked     bool      // its links, or what they say, may have changed
	completed  int64     // the task whose completion is all that other jobs can tell; 0: none
	ended      int64     // an attempt that has ended, whose places in pools are free; 0: none
	task       int64     // its task, if that has ended too; 0: none has
}

// updateJob changes the counters of a job, finds its first ready task anew, and
// sets its state. No other statement writes these columns. The tasks must have
// been changed before. It reports whether a task is ready, and nothing holds the job.
func (t *tx) updateJob(id int64, d delta) (ready bool, err error) {
	var now struct {
		Running, Pending, Failed, Holds int
		State                           job.State
		Next                            *int64 `db:"next_task"`
		Parallel                        int
		Pooled, Linked                  bool
		Hooks                           *string
		hooksRow
	}
	state := d.state
	if state == "" && d.Running > 0 {
		state = job.StateWorking
	}
	_, err = t.exec(t.d.changeJob(),
		d.Pending, d.Running, d.Completed, d.Failed, d.blocked, d.added, text(string(state)), t.now, id)
	if err != nil {
		return false, err
	}
	if _, err := t.get(&now, t.d.changedJob(), d.task, id); err != nil {
		return false, err
	}
	t.told = now.hooksRow
	if d.Dismissed != 0 { // rarely, and so not in the statement above
		if _, err := t.exec(`UPDATE job SET dismissed = dismissed + ? WHERE id = ?`, d.Dismissed, id); err != nil {
			return false, err
		}
	}
	next := now.Next != nil
	ready = next && now.Holds == 0
	if now.Pooled {
		if err := t.keepPooled(id, d.ended, now.Running < now.Parallel); err != nil {
			return false, err
		}
	}
	if d.state == "" && now.Running == 0 {
		if !next && now.Pending > 0 { // what waits for a time or a place will be ready by itself
			if next, err = t.held(id); err == nil && !next && now.Linked {
				next, err = t.linkHeld(id, goesOn)
			}
			if err != nil {
				return ready, err
			}
		}
		if follows := settled(now.State, next, now.Pending, now.Failed); follows != now.State {
			if follows.Ended() && !now.State.Ended() {
				t.ended = append(t.ended, jobEnd{id, follows, now.Hooks, d.task})
			}
			if _, err := t.exec(`UPDATE job SET state = ? WHERE id = ?`, follows, id); err != nil {
				return ready, err
			}
		}
	}
	if now.Linked && !d.quiet() {
		err = t.reach(id, d.completed)
		t.told = now.hooksRow // not those of another job
	}
	return ready, err
}

func (d *DB) changeJob() string {
	return `
UPDATE job
SET pending = pending + ?,
    running = running + ?,
    completed = completed + ?,
    failed = failed + ?,
    blocked = blocked + ?,
    added = coalesce(?, added),
    state = coalesce(?, state),
    updated_at = ?,
    (next_task, next_priority) = (
        SELECT id, task.priority + job.priority
        FROM task ` + d.dialect.byReady + `
        WHERE task.job = job.id
          AND task.status = 'pending'
          AND task.blockers = 0
        ORDER BY task.priority DESC, task.place, task.id
        LIMIT 1)
WHERE id = ?`
}

// changedJob reads what the job has become. RETURNING in the statement before would
// cost more: SQLite compiles it as a trigger, and opens a table for its rows.
func (d *DB) changedJob() string {
	later := `hooks, linked,
       (SELECT t.hooks FROM task t WHERE t.id = ?) AS task_hooks, (SELECT value FROM setting WHERE key = 'hooks') AS everywhere`
	if d.agesNot() {
		later = `(SELECT NULL FROM task t WHERE t.id = ?) AS task_hooks`
	}
	return `
SELECT running, pending, failed, holds, state, next_task, parallel, pooled, ` + later + `
FROM job
WHERE id = ?`
}

// settled is the state of a job that has no running task. While a task is ready, or
// waits for times and places only, the job stays waiting or working. Otherwise it is
// failed if a task has failed and was not dismissed; waiting if a pending task depends on
// one that does not exist yet, or on one that was dismissed; else completed.
func settled(before job.State, goesOn bool, pending, failed int) job.State {
	switch {
	case goesOn && before.Ended():
		return job.StateWaiting
	case goesOn:
		return before
	case failed > 0:
		return job.StateFailed
	case pending > 0:
		return job.StateWaiting
	}
	return job.StateCompleted
}

// unblock removes a completed task from the blockers of the tasks that depend on it,
// and counts how many pending ones have none left.
func (t *tx) unblock(id int64, d *delta) error {
	// Most tasks have no dependents, and checking that is cheap.
	if found, err := t.get(new(int), hasDependents, id); err != nil || !found {
		return err
	}
	var conditional bool
	if _, err := t.get(&conditional, ofConditional, id); err != nil {
		return err
	}
	if conditional {
		return t.afterSuccess(id, d)
	}
	var changed []struct {
		Status   job.Status
		Blockers int
	}
	err := t.all(&changed, `
UPDATE task
SET blockers = blockers - (
    SELECT COUNT(*)
    FROM dependency d
    WHERE d.needs = ?
      AND d.task = task.id)
WHERE id IN (
    SELECT d.task
    FROM dependency d
    WHERE d.needs = ?)
RETURNING status, blockers`, id, id)
	for _, c := range changed {
		if c.Status == job.Pending && c.Blockers == 0 {
			d.blocked--
		}
	}
	return err
}

// hasDependents is prepared by every runner, and so it joins nothing.
const hasDependents = `SELECT 1 FROM dependency WHERE needs = ? LIMIT 1`

// The job is that of the task: links make both jobs conditional.
const ofConditional = `
SELECT j.conditional
FROM dependency d
JOIN task t ON t.id = d.needs
JOIN job j ON j.id = t.job
WHERE d.needs = ?
LIMIT 1`

// How values are stored in rows. Empty is NULL.

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func number(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func instant(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := t.UnixMicro()
	return &us
}

func fromText(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func fromInstant(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return time.UnixMicro(*us).UTC()
}

// encodeEnv never returns an empty slice: the driver would store it as NULL.
func encodeEnv(env []string) []byte {
	if len(env) == 0 {
		return []byte{0}
	}
	n := 0
	for _, kv := range env {
		n += len(kv) + 1
	}
	b := make([]byte, 0, n)
	for _, kv := range env {
		b = append(append(b, kv...), 0)
	}
	return b
}

func decodeEnv(content []byte) []string {
	env := []string{}
	for kv := range bytes.SplitSeq(bytes.TrimSuffix(content, []byte{0}), []byte{0}) {
		if len(kv) > 0 {
			env = append(env, string(kv))
		}
	}
	return env
}

func decodeArgs(s string) ([]string, error) {
	if s == "[]" {
		return nil, nil
	}
	var args []string
	if err := json.Unmarshal([]byte(s), &args); err != nil {
		return nil, fmt.Errorf("arguments %s: %w", strings.ToValidUTF8(s, "?"), err)
	}
	return args, nil
}
