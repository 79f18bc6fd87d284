package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WaitOptions say how to wait.
type WaitOptions struct {
	Task    string        // only for this task of the one job; empty: for jobs
	Timeout time.Duration // maximum time to wait; 0: unlimited
	Caller  Caller        // the task that waits, whose place is lent meanwhile
	Form    bool          // outcomes will be shown in their JSON form
	Ended   func(Outcome) // called as each ends; may be nil
	Waiting func()        // called repeatedly while waiting; may be nil
}

// ErrOwnJob is returned to a task that would wait for its own job: the job runs one
// task at a time.
var ErrOwnJob = errors.New("the job runs one task at a time")

// NotEnded is the error of a wait that has timed out.
type NotEnded struct {
	Jobs    []string // those that have not ended
	Task    string   // of the one job; empty: the jobs were waited for
	Timeout time.Duration
}

// Error names a few of them.
func (e *NotEnded) Error() string {
	const most = 5
	what := ""
	switch {
	case e.Task != "":
		what = fmt.Sprintf("task %q of job %q has", e.Task, e.Jobs[0])
	case len(e.Jobs) == 1:
		what = fmt.Sprintf("job %q has", e.Jobs[0])
	case len(e.Jobs) > most:
		what = fmt.Sprintf("%d jobs have", len(e.Jobs))
	default:
		quoted := make([]string, len(e.Jobs))
		for i, name := range e.Jobs {
			quoted[i] = strconv.Quote(name)
		}
		what = "jobs " + strings.Join(quoted, ", ") + " have"
	}
	return fmt.Sprintf("%s not ended within %s", what, e.Timeout)
}

// Wait waits until all of the jobs have ended, or can no longer run (see Over), and
// returns how they ended, in the order of the names. Errors: db.ErrNoJob, db.ErrNoTask,
// ErrOwnJob, *NotEnded.
func (q *Queue) Wait(ctx context.Context, names []string, o WaitOptions) ([]Outcome, error) {
	if o.Caller.BasePath == q.conf.BasePath && slices.Contains(names, o.Caller.Job) {
		return nil, fmt.Errorf("a task cannot wait for its own job %q: %w", o.Caller.Job, ErrOwnJob)
	}
	resume, err := q.Park(ctx, o.Caller)
	if err != nil {
		return nil, err
	}
	defer resume()
	var late <-chan time.Time
	if o.Timeout > 0 {
		late = time.After(o.Timeout)
	}
	tick := time.NewTicker(CheckEvery / 2)
	defer tick.Stop()
	w := &waiting{queue: q, names: names, ends: make([]Outcome, len(names)), options: o}
	for i := range names {
		w.open = append(w.open, i)
	}
	for {
		if err := w.look(ctx); err != nil || len(w.open) == 0 {
			return w.ends, err
		}
		if o.Waiting != nil {
			o.Waiting()
		}
		select {
		case <-tick.C:
		case <-late:
			return nil, w.late()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// waiting is the state of a wait.
type waiting struct {
	queue   *Queue
	options WaitOptions
	names   []string
	open    []int // indexes of names that have not ended
	ends    []Outcome
}

// look finds out which have ended.
func (w *waiting) look(ctx context.Context) error {
	var open []int
	for _, i := range w.open {
		o, ended, err := w.queue.end(ctx, w.names[i], w.options)
		if err != nil {
			return err
		}
		if !ended {
			open = append(open, i)
			continue
		}
		w.ends[i] = o
		if w.options.Ended != nil {
			w.options.Ended(o)
		}
	}
	w.open = open
	return nil
}

func (w *waiting) late() error {
	e := &NotEnded{Task: w.options.Task, Timeout: w.options.Timeout}
	for _, i := range w.open {
		e.Jobs = append(e.Jobs, w.names[i])
	}
	return e
}

// end reports whether the job or task has ended, and how.
func (q *Queue) end(ctx context.Context, name string, o WaitOptions) (Outcome, bool, error) {
	if o.Task != "" {
		t, err := q.DB.Task(ctx, name, o.Task)
		return Outcome{Name: name, Task: &t}, t.Status.Ended(), err
	}
	j, err := q.DB.Job(ctx, name)
	if err != nil {
		return Outcome{}, false, err
	}
	done, err := q.Over(ctx, j)
	if err != nil || !done {
		return Outcome{}, false, err
	}
	out, err := q.JobOutcome(ctx, j, o.Form)
	return out, true, err
}
