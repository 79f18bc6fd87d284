package main

import (
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
)

type cancelCmd struct {
	jobArg
	Task string `short:"t" placeholder:"ID" predictor:"task" help:"Cancel one task of the job only."`
}

// Help is printed below the summary.
func (*cancelCmd) Help() string {
	return `Pending tasks will not run. Running ones get SIGTERM, with every process that they have started, and SIGKILL after kill_grace, five seconds unless configured otherwise. They all fail, as cancelled. Returns when none of them runs any more, and says what has become of them: one may have ended by itself before it could be cancelled.

The request is stored, and runners look for it: none need be reached by a signal. Without a manager, cancel itself ends what is left of a task whose runner has died.

Exit codes: 0 done; 1 error, or the task (--task) ended before it could be cancelled; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run cancels, and waits for the end of what ran.
func (c *cancelCmd) Run(a *app) error {
	name, d, err := c.open(a)
	if err != nil {
		return err
	}
	defer d.Close()
	done, err := d.Cancel(a.ctx, name, c.Task)
	if err != nil {
		return err
	}
	became, err := awaitEnd(a, d, done.Running)
	if err != nil {
		return err
	}
	return c.tell(a, name, done.Pending, became)
}

// cancelledText says what was cancelled.
func cancelledText(c queue.CancelResult) string {
	var parts []string
	if c.Running > 0 {
		parts = append(parts, plural(c.Running, "task")+" that ran")
	}
	if c.Pending > 0 {
		parts = append(parts, plural(c.Pending, "task")+" that had not started")
	}
	if len(parts) == 0 {
		return "nothing was left to cancel"
	}
	return "cancelled " + strings.Join(parts, " and ")
}

// tell prints what has become of the tasks.
func (c *cancelCmd) tell(a *app, name string, pending int, became []db.Became) error {
	out := queue.CancelResult{Job: name, Task: queue.OrNull(c.Task), Pending: pending, Otherwise: []queue.EndedResult{}}
	for _, b := range became {
		if b.Reason == job.Cancelled {
			out.Running++
			continue
		}
		out.Otherwise = append(out.Otherwise, queue.EndedResult{
			Task: b.Task, Attempt: b.Number, Status: b.Status, Reason: queue.OrNull(b.Reason), Error: queue.OrNull(b.Error),
		})
	}
	out.Cancelled = out.Pending + out.Running
	if a.json() {
		if err := a.printJSON(out); err != nil {
			return err
		}
	} else {
		for _, o := range out.Otherwise {
			a.printf("Task %s of job %s %s before it could be cancelled%s\n", o.Task, name, o.Status, because(o.Error))
		}
		if c.Task == "" || len(out.Otherwise) == 0 {
			a.printf("Job %s: %s\n", name, cancelledText(out))
		}
	}
	if c.Task != "" && len(out.Otherwise) > 0 {
		return silent(exitError)
	}
	return nil
}

func because(why *string) string {
	if why == nil {
		return ""
	}
	return ": " + oneLine(*why)
}

// awaitEnd tells the runners of these attempts to look, and waits until none of
// the attempts is under way.
func awaitEnd(a *app, d *db.DB, attempts []db.Active) ([]db.Became, error) {
	w := &endings{app: a, db: d, open: attempts, changes: -1}
	for _, r := range attempts {
		if err := manager.Tell(r); err != nil {
			a.notef("the runner of task %q cannot be signalled: %v; it looks for the request by itself", r.Task, err)
		}
	}
	words := time.Now().Add(2 * time.Second)
	settle := time.Now()
	for {
		if err := w.look(); err != nil || len(w.open) == 0 {
			return w.ended, err
		}
		if now := time.Now(); now.After(settle) {
			if err := w.settle(); err != nil {
				return w.ended, err
			}
			settle = now.Add(time.Second)
			continue
		}
		if !words.IsZero() && time.Now().After(words) {
			w.explain()
			words = time.Time{}
		}
		if err := queue.Pause(a.ctx, queue.CheckEvery/2); err != nil {
			return w.ended, err
		}
	}
}

// endings are attempts that are to end.
type endings struct {
	app     *app
	db      *db.DB
	open    []db.Active // under way when last seen
	ended   []db.Became
	changes int64
}

// look finds out which have ended.
func (w *endings) look() error {
	now, err := w.db.Changes(w.app.ctx)
	if err != nil || now == w.changes {
		return err
	}
	w.changes = now
	return w.sort()
}

// sort puts the attempts that have ended apart.
func (w *endings) sort() error {
	became, err := w.db.Become(w.app.ctx, w.open)
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
func (w *endings) settle() error {
	on, err := w.app.serving()
	if err != nil || on {
		return err
	}
	settled, err := manager.Settle(w.app.ctx, w.app.conf, w.db, w.open)
	for _, a := range settled {
		w.app.notef("the runner of task %q had died; what was left of its command was ended", a.Task)
	}
	if err != nil {
		return fail(exitError, err, "air-executor start, where that task ran, settles it")
	}
	if len(settled) > 0 { // by ourselves, of which Changes does not tell
		return w.sort()
	}
	return nil
}

// explain says what is being waited for.
func (w *endings) explain() {
	for _, r := range w.open {
		w.app.notef("waiting for the end of task %q (runner PID %d on %s)", r.Task, r.Runner.PID, r.Runner.Host)
	}
}
