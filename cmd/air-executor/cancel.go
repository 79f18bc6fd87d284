package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner/process"
)

type cancelCmd struct {
	jobArg
	Task string `short:"t" placeholder:"ID" predictor:"task" help:"Cancel one task of the job only."`
	Lost bool   `help:"With --task: nothing of the task lives any more, although air-executor cannot see that. It fails, as lost."`
	asksNothing
}

// Help is printed below the summary.
func (*cancelCmd) Help() string {
	return `Pending tasks will not run. Running ones get SIGTERM, with every process that they have started, and SIGKILL after kill_grace, five seconds unless configured otherwise. They all fail, as cancelled. Returns when none of them runs any more, and says what has become of them: one may have ended by itself before it could be cancelled.

The request is stored, and runners look for it: none need be reached by a signal. Without a manager, cancel itself ends what is left of a task whose runner has died.

With --lost, a running task whose runner has died in another container is recorded as lost, on your word: the next task of its job may start at once. It is for a container that is gone, when status says that nothing can be seen of it.

Exit codes: 0 done; 1 error, or the task (--task) ended before it could be cancelled; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run cancels, and waits for the end of what ran.
func (c *cancelCmd) Run(a *app) error {
	if c.Lost && c.Task == "" {
		return usage(errors.New("--lost is for one task"), "give --task ID, too")
	}
	name, d, err := c.open(a)
	if err != nil {
		return err
	}
	defer d.Close()
	if c.Lost {
		return c.lose(a, d, name)
	}
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

// lose records that the task is lost.
func (c *cancelCmd) lose(a *app, d *db.DB, name string) error {
	if _, err := d.Task(a.ctx, name, c.Task); err != nil {
		return err
	}
	active, err := d.Active(a.ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(active, func(r db.Active) bool { return r.Job == name && r.Task == c.Task })
	lost := false
	if i >= 0 {
		lost, err = manager.Lose(a.ctx, a.conf, d, active[i])
	}
	if errors.Is(err, manager.ErrRunnerLives) {
		return fail(exitError, err, "without --lost, air-executor cancel ends it")
	}
	if err == nil && !lost {
		err = fmt.Errorf("task %q of job %q does not run", c.Task, name)
	}
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(cancelledJSON{Job: name, Task: value(c.Task), Otherwise: []endedJSON{
			{c.Task, active[i].Number, job.Failed, value(active[i].LostAs()), nil},
		}})
	}
	a.printf("Task %s of job %s is recorded as lost\n", c.Task, name)
	return nil
}

// text says what was cancelled.
func (c *cancelledJSON) text() string {
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
	out := cancelledJSON{Job: name, Task: value(c.Task), Pending: pending, Otherwise: []endedJSON{}}
	for _, b := range became {
		if b.Reason == job.Cancelled {
			out.Running++
			continue
		}
		out.Otherwise = append(out.Otherwise, endedJSON{b.Task, b.Number, b.Status, value(b.Reason), value(b.Error)})
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
			a.printf("Job %s: %s\n", name, out.text())
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
		if err := pause(a.ctx, watchEvery/2); err != nil {
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
	if left := process.Survivors(err); len(left) > 0 {
		return fail(exitError, err, endThem(left))
	}
	if err != nil {
		return fail(exitError, err, manager.SettleHint)
	}
	if len(settled) > 0 { // by ourselves, of which Changes does not tell
		return w.sort()
	}
	return nil
}

// endThem is what to do about processes that could not be ended.
func endThem(left []process.Survivor) string {
	var refused []string
	for _, s := range left {
		if s.Refused {
			refused = append(refused, strconv.Itoa(s.PID))
		}
	}
	if len(refused) == 0 {
		return "it hangs in the kernel; the task stays running until that ends"
	}
	return "the task stays running until that ends; as its owner or root: kill -9 " + strings.Join(refused, " ")
}

// explain says what is being waited for.
func (w *endings) explain() {
	for _, r := range w.open {
		if t, err := w.db.Task(w.app.ctx, r.Job, r.Task); err == nil && t.Stuck != "" {
			w.app.notef("waiting for the end of task %q: %s", r.Task, oneLine(t.Stuck))
			continue
		}
		w.app.notef("waiting for the end of task %q (runner PID %d on %s)", r.Task, r.Runner.PID, r.Runner.Host)
	}
}
