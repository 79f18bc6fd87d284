package queue

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
)

// CancelOptions say what to cancel, and which events to report. Any of the functions
// may be nil.
type CancelOptions struct {
	Task    string                  // only this one of the job, which must not have ended; empty: Tasks
	Tasks   []string                // only these; those that have ended are passed over; empty: all
	Untold  func(db.Active, error)  // the runner cannot be signalled; it will check for the request by itself
	Settled func(db.Active)         // the runner had died; what was left of the command was ended
	Waiting func(db.Active, string) // after two seconds, for each that has not ended; with the reason if it is known
}

// CancelResult counts the cancelled tasks, and lists those that ended before they could
// be cancelled.
type CancelResult struct {
	Job       string        `json:"job"`
	Task      *string       `json:"task"`              // the one that was named
	Cancelled int           `json:"cancelled"`         // tasks, the sum of the next two
	Pending   int           `json:"cancelled_pending"` // had not started
	Running   int           `json:"cancelled_running"` // ran
	Otherwise []EndedResult `json:"ended_otherwise"`   // ran, and ended before they could be cancelled
}

// EndedResult is a task that ended before it could be cancelled.
type EndedResult struct {
	Task    string      `json:"task"`
	Attempt int         `json:"attempt"`
	Status  job.Status  `json:"status"`
	Reason  *job.Reason `json:"reason"`
	Error   *string     `json:"error"`
}

// Unsettled is the error about a task whose runner has died, and whose remaining
// processes cannot be ended from here.
type Unsettled struct{ err error }

// Error says why.
func (e *Unsettled) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *Unsettled) Unwrap() error { return e.err }

// Cancel ends tasks of a job, and returns when none of them is running. The request is
// stored first: even if ctx ends before that, the tasks end. Errors: db.ErrNoJob,
// db.ErrNoTask, *Unsettled.
func (q *Queue) Cancel(ctx context.Context, name string, o CancelOptions) (CancelResult, error) {
	done, err := q.cancel(ctx, name, o)
	if err != nil {
		return CancelResult{}, err
	}
	w := &endings{queue: q, options: o, open: done.Running, changes: -1}
	if err := w.await(ctx); err != nil {
		return CancelResult{}, err
	}
	out := CancelResult{Job: name, Task: OrNull(o.Task), Pending: done.Pending, Otherwise: []EndedResult{}}
	for _, b := range w.ended {
		if b.Reason == job.Cancelled {
			out.Running++
			continue
		}
		out.Otherwise = append(out.Otherwise, EndedResult{b.Task, b.Number, b.Status, OrNull(b.Reason), OrNull(b.Error)})
	}
	out.Cancelled = out.Pending + out.Running
	return out, nil
}

func (q *Queue) cancel(ctx context.Context, name string, o CancelOptions) (db.Cancelling, error) {
	if o.Task == "" && len(o.Tasks) > 0 {
		return q.DB.CancelTasks(ctx, name, o.Tasks)
	}
	return q.DB.Cancel(ctx, name, o.Task)
}

// endings are attempts that were asked to end.
type endings struct {
	queue   *Queue
	options CancelOptions
	open    []db.Active // running when last seen
	ended   []db.Became
	changes int64
}

// await signals the runners of the attempts to check for the request, and waits until
// none of the attempts is running.
func (w *endings) await(ctx context.Context) error {
	for _, r := range w.open {
		if err := manager.Tell(r); err != nil && w.options.Untold != nil {
			w.options.Untold(r, err)
		}
	}
	words := time.Now().Add(2 * time.Second)
	settle := time.Now()
	for {
		if err := w.look(ctx); err != nil || len(w.open) == 0 {
			return err
		}
		if now := time.Now(); now.After(settle) {
			if err := w.settle(ctx); err != nil {
				return err
			}
			settle = now.Add(time.Second)
			continue
		}
		if !words.IsZero() && time.Now().After(words) {
			w.explain(ctx)
			words = time.Time{}
		}
		if err := Pause(ctx, CheckEvery/2); err != nil {
			return err
		}
	}
}

// look finds out which have ended.
func (w *endings) look(ctx context.Context) error {
	now, err := w.queue.DB.Changes(ctx)
	if err != nil || now == w.changes {
		return err
	}
	w.changes = now
	return w.sort(ctx)
}

// sort separates the attempts that have ended.
func (w *endings) sort(ctx context.Context) error {
	became, err := w.queue.DB.Become(ctx, w.open)
	if err != nil {
		return err
	}
	w.open = nil
	for _, b := range became {
		if b.Status == job.Running {
			w.open = append(w.open, b.Active)
		} else {
			w.ended = append(w.ended, b)
		}
	}
	return nil
}

// settle ends attempts whose runner has died, if there is no manager to do it.
func (w *endings) settle(ctx context.Context) error {
	on, err := Served(w.queue.conf)
	if err != nil || on {
		return err
	}
	settled, err := manager.Settle(ctx, w.queue.conf, w.queue.DB, w.open)
	if w.options.Settled != nil {
		for _, a := range settled {
			w.options.Settled(a)
		}
	}
	if err != nil {
		return &Unsettled{err}
	}
	if len(settled) > 0 { // by this process, whose own changes Changes does not show
		return w.sort(ctx)
	}
	return nil
}

// explain reports what is being waited for.
func (w *endings) explain(ctx context.Context) {
	if w.options.Waiting == nil {
		return
	}
	for _, r := range w.open {
		stuck := ""
		if t, err := w.queue.DB.Task(ctx, r.Job, r.Task); err == nil {
			stuck = t.Stuck
		}
		w.options.Waiting(r, stuck)
	}
}

// Lose records a running task as lost because the caller says that nothing of it is
// alive, although that cannot be seen. Errors: db.ErrNoJob, db.ErrNoTask,
// manager.ErrRunnerLives, and one if the task is not running.
func (q *Queue) Lose(ctx context.Context, name, task string) (CancelResult, error) {
	if _, err := q.DB.Task(ctx, name, task); err != nil {
		return CancelResult{}, err
	}
	active, err := q.DB.Active(ctx)
	if err != nil {
		return CancelResult{}, err
	}
	i := slices.IndexFunc(active, func(r db.Active) bool { return r.Job == name && r.Task == task })
	lost := false
	if i >= 0 {
		lost, err = manager.Lose(ctx, q.conf, q.DB, active[i])
	}
	if err == nil && !lost {
		err = fmt.Errorf("task %q of job %q does not run", task, name)
	}
	if err != nil {
		return CancelResult{}, err
	}
	return CancelResult{Job: name, Task: &task, Otherwise: []EndedResult{
		{task, active[i].Number, job.Failed, OrNull(active[i].LostAs()), nil},
	}}, nil
}
