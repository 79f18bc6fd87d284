package db

import (
	"errors"
	"fmt"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/job"
)

// Errors that callers tell apart. All are wrapped in errors that name the job, task or
// file.
var (
	ErrNoDatabase = engine.ErrNoDatabase                              // nothing at that base path, and none was to be created
	ErrNewer      = engine.ErrNewer                                   // a later version has migrated it
	ErrOlder      = errors.New("database is older than this program") // the operation needs an upgrade
	ErrUnreleased = engine.ErrUnreleased                              // no upgrade leads from there
	ErrForeign    = engine.ErrForeign
	ErrTaken      = engine.ErrTaken // under a name that we need in the base path
	ErrNetwork    = engine.ErrNetwork
	ErrCorrupt    = engine.ErrCorrupt
	ErrReplaced   = engine.ErrReplaced
	ErrFull       = engine.ErrFull
	ErrReadOnly   = engine.ErrReadOnly // no permission, or mounted read-only
	ErrBusy       = engine.ErrBusy     // returned only after several tries
	ErrStuck      = engine.ErrStuck    // a writer did not let go in time
	ErrNoJob      = errors.New("no such job")
	ErrNoTask     = errors.New("no such task")
	ErrEmpty      = errors.New("there are no tasks to queue")
	ErrDuplicate  = errors.New("already exists")
	ErrCycle      = errors.New("dependency cycle")
	ErrFenced     = errors.New("the attempt is over") // an update came from an attempt that no longer counts
	ErrLimit      = errors.New("limit reached")
	ErrInDoubt    = errors.New("it is not known whether this was stored") // the commit itself failed
	ErrJobExists  = errors.New("exists already")                          // where a new job was wanted
	ErrNoRunner   = errors.New("is running, and cannot be without a runner")
	ErrInUse      = errors.New("cannot be removed") // it runs, or another task depends on it
	ErrContradict = errors.New("the change contradicts what is done")
	ErrOrder      = errors.New("cannot be moved there") // something else than the order decides
	ErrKeyTaken   = errors.New("the unique key is taken")
)

// inDoubt wraps an error of a commit: the transaction may be durable or not.
func inDoubt(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrInDoubt, err)
}

// Missing is the error about a named job or task that does not exist. It wraps ErrNoJob
// or ErrNoTask.
type Missing struct {
	Job  string
	Task string // empty: there is no such job
	By   string // the task that depends on Task, if any; the same as Task if that is the new task's own number
}

// Error names what is missing.
func (m *Missing) Error() string {
	switch {
	case m.Task == "":
		return fmt.Sprintf("%v: %q", ErrNoJob, m.Job)
	case m.By == m.Task:
		return fmt.Sprintf("%v: %q in job %q is the number that the new task itself gets", ErrNoTask, m.Task, m.Job)
	case m.By != "":
		if other, id, ok := job.SplitLink(m.Task); ok {
			return fmt.Sprintf("task %q depends on %q: %v in job %q, and no %q in job %q", m.By, m.Task, ErrNoTask, m.Job, id, other)
		}
		return fmt.Sprintf("task %q depends on %q: %v in job %q", m.By, m.Task, ErrNoTask, m.Job)
	}
	return fmt.Sprintf("%v: %q in job %q", ErrNoTask, m.Task, m.Job)
}

// Unwrap returns ErrNoJob or ErrNoTask.
func (m *Missing) Unwrap() error {
	if m.Task == "" {
		return ErrNoJob
	}
	return ErrNoTask
}

func noJob(name string) error { return &Missing{Job: name} }

func noTask(job, id string) error { return &Missing{Job: job, Task: id} }

// Cycle lists the tasks of a cycle: each waits for the next, and the last for the
// first. It wraps ErrCycle.
type Cycle struct{ Tasks []string }

// Error names the tasks.
func (c *Cycle) Error() string { return fmt.Sprintf("%v: %s", ErrCycle, job.DescribeCycle(c.Tasks)) }

// Unwrap returns ErrCycle.
func (*Cycle) Unwrap() error { return ErrCycle }

func cycleError(names []string) error { return &Cycle{names} }
