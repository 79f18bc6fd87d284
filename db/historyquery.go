package db

import (
	"math"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// source is a list of entries of the history, newest first.
type source struct {
	query string
	args  []any
}

// sources are the lists of which the history is made: of these jobs one by one, if
// they have few tasks, or of all.
func (q *HistoryQuery) sources(d *dialect, jobs []int64, few bool) (out []source) {
	if !few {
		return []source{q.attempts(d, 0), q.unstarted(d, 0)}
	}
	for _, id := range jobs {
		out = append(out, q.attempts(d, id), q.unstarted(d, id))
	}
	return out
}

const endedAttempts = `
SELECT a.id, t.id, t.job, j.name, t.name, a.number, a.status, a.reason, a.exit_code, a.signal, a.error,
       t.command, t.args, t.created_at, a.started_at, a.ended_at, a.pid, a.user_time, a.system_time, a.max_rss,
       t.attempts`

// Failures have an index of their own, so that a few among millions are found.
func (q *HistoryQuery) attempts(d *dialect, jobID int64) (s source) {
	q.attemptList(&s, d, jobID)
	since, last, id := q.bounds(false)
	s.add(`
  AND a.ended_at BETWEEN ? AND ?
  AND (a.ended_at < ? OR a.id < ?)`, since, last, last, id)
	q.only(&s, "a")
	s.add("\nORDER BY a.ended_at DESC, a.id DESC")
	return s
}

// attemptList begins the list of attempts of a job, or of all.
func (q *HistoryQuery) attemptList(s *source, d *dialect, jobID int64) {
	s.query = endedAttempts
	switch {
	case jobID != 0:
		s.add(`
FROM job j
CROSS JOIN task t
CROSS JOIN attempt a
WHERE j.id = ?
  AND t.job = j.id
  AND a.task = t.id
  AND a.ended_at IS NOT NULL`, jobID)
	case q.Failed || q.Reason != "":
		s.add(`
FROM attempt a ` + d.byFailure + `
CROSS JOIN task t
CROSS JOIN job j
WHERE a.status = 'failed'
  AND t.id = a.task
  AND j.id = t.job`)
	default:
		s.add(`
FROM attempt a ` + d.byEnd + `
CROSS JOIN task t
CROSS JOIN job j
WHERE a.ended_at IS NOT NULL
  AND t.id = a.task
  AND j.id = t.job`)
	}
}

const endedTasks = `
SELECT t.id, t.id, t.job, j.name, t.name, 0, t.status, t.reason, t.exit_code, t.signal, t.error,
       t.command, t.args, t.created_at, CASE WHEN t.attempts = 0 THEN t.started_at END, t.completed_at, 0, 0, 0, 0,
       0`

// A task that was reset, and then cancelled before it started, has attempts, but none
// that ended with it.
func (q *HistoryQuery) unstarted(d *dialect, jobID int64) (s source) {
	q.unstartedList(&s, d, jobID)
	since, last, id := q.bounds(true)
	s.add(`
  AND t.completed_at BETWEEN ? AND ?
  AND (t.completed_at < ? OR t.id < ?)`, since, last, last, id)
	q.only(&s, "t")
	s.add("\nORDER BY t.completed_at DESC, t.id DESC")
	return s
}

// unstartedList begins the list of the tasks of a job, or of all, that have ended
// without an attempt.
func (q *HistoryQuery) unstartedList(s *source, d *dialect, jobID int64) {
	s.query = endedTasks
	if jobID != 0 {
		s.add(`
FROM job j
CROSS JOIN task t
WHERE j.id = ?
  AND t.job = j.id`, jobID)
	} else {
		s.add(`
FROM task t ` + d.byUnstarted + `
CROSS JOIN job j
WHERE j.id = t.job`)
	}
	s.add(`
  AND t.completed_at IS NOT NULL
  AND (t.attempts = 0 OR t.reason IN ('cancelled', 'skipped'))
  AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.task = t.id AND a.number = t.attempts AND a.ended_at = t.completed_at)`)
}

func (s *source) add(part string, args ...any) {
	s.query += part
	s.args = append(s.args, args...)
}

// bounds are the first and the last instant that are wanted, and below which row at
// the last one. Where an attempt and a task without have ended in the same instant,
// the attempt comes first.
func (q *HistoryQuery) bounds(unstarted bool) (since, last, id int64) {
	since, last, id = 0, math.MaxInt64-1, math.MaxInt64
	if !q.Since.IsZero() {
		since = q.Since.UnixMicro()
	}
	if !q.Until.IsZero() {
		last = q.Until.UnixMicro() - 1
	}
	switch c := q.After; {
	case c == nil:
	case c.unstarted == unstarted:
		last, id = c.ended, c.id
	case c.unstarted:
		last = c.ended - 1
	default:
		last = c.ended
	}
	return since, last, id
}

// only adds what the entries must be, whose status is in this table.
func (q *HistoryQuery) only(s *source, table string) {
	if q.Completed {
		s.add("\n  AND " + table + ".status = 'completed'")
	}
	if q.Failed {
		s.add("\n  AND " + table + ".status = 'failed'")
	}
	if q.Reason != "" {
		s.add("\n  AND "+table+".reason = ?", string(q.Reason))
	}
	q.labelled(s, "l.job = t.job AND l.task IN (0, t.id)")
}

// labelled adds that there are the labels, each with this condition.
func (q *HistoryQuery) labelled(s *source, at string) {
	for _, f := range q.Labels {
		s.add("\n  AND EXISTS (SELECT 1 FROM label l WHERE "+at+" AND l.key = ?", f.Key)
		if f.Value != nil {
			s.add(" AND l.value = ?", *f.Value)
		}
		s.add(")")
	}
}

// scanEnded reads an entry, and of which job it is.
func scanEnded(rows *sqlx.Rows) (e Ended, jobID int64, err error) {
	var reason, signal, failure *string
	var args string
	var queued, ended, user, system int64
	var started *int64
	var newest int
	err = rows.Scan(&e.id, &e.Key, &jobID, &e.Job, &e.Task, &e.Number, &e.Status, &reason, &e.ExitCode, &signal, &failure,
		&e.Command, &args, &queued, &started, &ended, &e.RunnerPID, &user, &system, &e.MaxRSS,
		&newest)
	if err != nil {
		return e, jobID, err
	}
	e.Reason, e.Signal, e.Error = job.Reason(fromText(reason)), fromText(signal), fromText(failure)
	e.QueuedAt, e.StartedAt, e.EndedAt = time.UnixMicro(queued).UTC(), fromInstant(started), time.UnixMicro(ended).UTC()
	e.UserTime, e.SystemTime = time.Duration(user)*time.Microsecond, time.Duration(system)*time.Microsecond
	e.Newest = e.Number == newest
	e.Args, err = decodeArgs(args)
	return e, jobID, err
}
