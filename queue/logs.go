package queue

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// LogQuery selects logs of a job. The zero value selects those of all tasks that have
// started.
type LogQuery struct {
	Task    string   // only this one; empty: all
	Tasks   []string // only these; empty: all. A Task leaves no more to choose
	Attempt int      // this one of the task, from 1; 0: the newest
	Failed  bool     // only of tasks that have failed, without those that were dismissed

	Since time.Time // only of tasks that run, or have ended then or later; zero: all
}

// NoAttempt is the error about an attempt that does not exist.
type NoAttempt struct {
	Task    string
	Attempt int // the one that was asked for
	Had     int // how many there are
}

// Error says which it is.
func (e *NoAttempt) Error() string {
	return fmt.Sprintf("no such attempt: %d of task %q, which had %d", e.Attempt, e.Task, e.Had)
}

// Logs lists logs of a job, in the order in which the tasks were queued, and counts
// the tasks that have none yet, unless only failed ones are wanted. Errors: db.ErrNoJob, db.ErrNoTask, *NoAttempt.
func (q *Queue) Logs(ctx context.Context, name string, query LogQuery) (logs []*Log, pending int, err error) {
	if query.Task != "" {
		t, err := q.DB.Task(ctx, name, query.Task)
		if err != nil {
			return nil, 0, err
		}
		l, err := q.logOf(t, query)
		if l == nil {
			return nil, 1, err
		}
		return []*Log{l}, 0, err
	}
	wanted := db.TasksQuery{Job: &name}
	if query.Failed {
		wanted.Statuses = []job.Status{job.Failed}
	}
	only := map[string]bool{}
	for _, id := range query.Tasks {
		only[id] = true
	}
	err = q.DB.ListTasks(ctx, wanted, func(t db.Listed) error {
		if len(only) > 0 && !only[t.ID] || !query.recent(t.Task) {
			return nil
		}
		if t.Attempts == 0 && !t.Status.Ended() { // imported tasks may have a log
			pending++
		} else {
			logs = append(logs, q.newestLog(t.Task))
		}
		return nil
	})
	return logs, pending, err
}

// recent reports whether a task has ended late enough to be of interest, or not yet.
func (query *LogQuery) recent(t job.Task) bool {
	return !t.Status.Ended() || !t.CompletedAt.Before(query.Since)
}

// logOf returns the log of the selected attempt, or nil if there is none yet.
func (q *Queue) logOf(t job.Task, query LogQuery) (*Log, error) {
	l := q.newestLog(t)
	n := query.Attempt
	switch {
	case n > t.Attempts:
		return nil, &NoAttempt{Task: t.ID, Attempt: n, Had: t.Attempts}
	case n == t.Attempts && n > 0:
		return l, nil
	case n > 0:
		l.Attempt, l.Path = n, runner.OldLogPath(q.conf.BasePath, t.Job, t.ID, n)
		return l, nil
	case t.Attempts == 0:
		// An imported task may have brought its log along.
		if _, err := os.Lstat(l.Path); err != nil {
			return nil, nil
		}
	}
	if query.Failed && !hasFailed(t) || !query.recent(t) {
		return nil, nil
	}
	return l, nil
}

func (q *Queue) newestLog(t job.Task) *Log {
	l := q.LogOf(t.Job, t.ID)
	l.Attempt, l.Status, l.Error = t.Attempts, t.Status, t.Error
	return l
}

// LogOf returns the log of a task's newest attempt, without its status.
func (q *Queue) LogOf(name, task string) *Log { return NewLog(q.conf.BasePath, name, task) }

// NewLog is LogOf for a queue that is not open.
func NewLog(base, name, task string) *Log {
	return &Log{Job: name, Task: task, Path: runner.LogPath(base, name, task), base: base}
}

// hasFailed reports whether a task has failed and was not dismissed.
func hasFailed(t job.Task) bool { return t.Status == job.Failed && t.DismissedAt.IsZero() }

// WithFailures lists the names of jobs that have failed tasks.
func (q *Queue) WithFailures(ctx context.Context) (names []string, err error) {
	jobs, err := q.DB.ListJobs(ctx, db.JobsQuery{Failed: new(true)})
	for _, j := range jobs {
		names = append(names, j.Name)
	}
	return names, err
}

// WithLogs lists the names of jobs of which something may have run since then, or, for
// zero, at all.
func (q *Queue) WithLogs(ctx context.Context, since time.Time) (names []string, err error) {
	jobs, err := q.DB.ListJobs(ctx, db.JobsQuery{})
	for _, j := range jobs {
		if !Ended(j) || !j.UpdatedAt.Before(since) {
			names = append(names, j.Name)
		}
	}
	return names, err
}
