package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
)

type statusCmd struct {
	jobArg
	TaskArg string `arg:"" optional:"" name:"task" predictor:"task" help:"Id of one task of the job."`
	Task    string `short:"t" placeholder:"ID" predictor:"task" help:"Show one task of the job with all its attempts; same as the TASK argument."`
	Tasks   bool   `help:"List tasks; without a job, those of all jobs."`
	Failed  bool   `help:"List failed tasks, without dismissed ones."`
	Running bool   `help:"List running tasks."`
	Pending bool   `help:"List pending tasks."`
	Sort    string `placeholder:"KEY" enum:",name,state,created,updated,duration" words:"name,state,created,updated,duration" default:"" help:"Order of the list: name; state, what runs or has failed first; created or updated, newest first; duration, longest first."`
	Limit   signed `short:"n" placeholder:"N" help:"Show at most N jobs or tasks."`
	Watch   bool   `short:"w" help:"Show it again at every change, until Ctrl-C or q."`
}

// Help is printed below the summary.
func (*statusCmd) Help() string {
	return `Without a name, a line for each job. With a name, that job and its tasks, and why pending tasks do not run. With a task as well, all details of it.

    air-executor status --failed
    air-executor status build --sort duration --limit 10
    air-executor status build test

--watch shows running and failed ones first. On a terminal, arrow keys, PgUp, PgDn, Home and End scroll.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run shows jobs, a job, or a task.
func (c *statusCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	d, err := a.openExisting()
	if err != nil {
		if c.optional() == "" && !c.Watch && exitCode(err) == exitNoSuch {
			defer a.remarkUnimported(nil)
			return nothing(a)
		}
		return err
	}
	defer d.Close()
	if !a.json() {
		a.remarkOnTimeZone()
	}
	if c.Watch {
		return c.watch(a, d)
	}
	if c.optional() == "" {
		defer a.remarkUnimported(d)
	}
	p := page{limit: int(c.Limit)}
	if a.json() {
		return c.printJSON(a, d, p)
	}
	r, err := c.read(a, d, p)
	if err != nil {
		return err
	}
	return r.printTo(a)
}

// check refuses what does not go together, and settles what is asked for.
func (c *statusCmd) check() error {
	switch {
	case c.TaskArg != "" && c.Task != "" && c.TaskArg != c.Task:
		return usage(fmt.Errorf("two ids for one task: --task %s and %s", c.Task, c.TaskArg), "")
	case c.TaskArg != "" && c.Flag != "":
		// status --job J TASK: the parser has taken the first argument for the job.
		return usage(fmt.Errorf("two names for one job: --job %s and %s", c.Flag, c.Arg), "")
	case c.Limit < 0:
		return usage(fmt.Errorf("--limit %d is negative", c.Limit), "")
	}
	if c.Task == "" {
		c.Task = c.TaskArg
	}
	if c.Task == "" {
		return nil
	}
	if c.Tasks || c.Failed || c.Running || c.Pending || c.Sort != "" || c.Limit > 0 {
		return usage(errors.New("one task is not a list: --tasks, --failed, --running, --pending, --sort and --limit do not go with it"), "")
	}
	_, err := c.required()
	return err
}

// nothing says that there is nothing to show.
func nothing(a *app) error {
	if a.json() {
		return a.printJSON(statusJSON{Jobs: []jobJSON{}, Tasks: []taskJSON{}})
	}
	a.notef("no jobs yet in %s", a.conf.BasePath)
	return nil
}

// page is the part of a list that is wanted. A limit of 0 means all.
type page struct{ offset, limit int }

// report is what status has found.
type report struct {
	app       *app
	job, task string // what was asked for; empty: all
	listing   bool   // tasks are listed
	page      page
	rows      int // how many rows the whole list has

	manager   *db.Instance // nil: none serves
	trouble   string       // why it starts nothing
	since     time.Time    // when that began
	places    int          // how many tasks may run at once
	limit     time.Duration
	all       []job.Job // in question; counts are taken from them
	jobs      []job.Job // to show
	cancelled map[string]int
	tasks     []db.Listed
	active    []db.Active

	history   []job.Attempt
	envNames  []string
	envStored bool
}

func (c *statusCmd) report(a *app, p page) *report {
	return &report{
		app: a, job: c.optional(), task: c.Task, page: p, places: a.conf.MaxConcurrentRunners, limit: a.conf.TaskTimeout,
		listing: c.optional() != "" || c.Tasks || len(c.statuses()) > 0,
	}
}

// read asks the database.
func (c *statusCmd) read(a *app, d *db.DB, p page) (*report, error) {
	r := c.report(a, p)
	err := r.readHead(a, d)
	if err == nil && r.listing {
		err = c.eachTask(a, d, r, func(l db.Listed) error {
			r.tasks = append(r.tasks, l)
			return nil
		})
	}
	c.choose(r)
	return r, err
}

// readHead reads all but the list of tasks.
func (r *report) readHead(a *app, d *db.DB) error {
	for _, ask := range []func(*app, *db.DB) error{r.readManager, r.readJobs, r.readTask} {
		if err := ask(a, d); err != nil {
			return err
		}
	}
	return nil
}

// choose picks the jobs to show.
func (c *statusCmd) choose(r *report) {
	r.jobs = r.all
	if p := r.page; !r.listing {
		c.sortJobs(r.all)
		r.rows = len(r.all)
		from := min(p.offset, len(r.all))
		r.jobs = r.all[from:]
		if p.limit > 0 {
			r.jobs = r.jobs[:min(p.limit, len(r.jobs))]
		}
	}
}

func (r *report) readManager(a *app, d *db.DB) error {
	h, on, err := manager.Serving(a.conf.BasePath)
	if err != nil || !on {
		return err
	}
	r.trouble, r.since = h.Trouble, h.Since
	r.manager, err = d.Manager(a.ctx)
	return err
}

func (r *report) readJobs(a *app, d *db.DB) (err error) {
	if r.job == "" {
		r.all, err = d.Jobs(a.ctx)
	} else {
		var j job.Job
		j, err = d.Job(a.ctx, r.job)
		r.all = []job.Job{j}
	}
	if err == nil && a.json() {
		r.cancelled, err = d.Cancelled(a.ctx, r.job)
	}
	if err == nil {
		r.active, err = d.Active(a.ctx)
	}
	return err
}

// statuses are those of the tasks to list; none: any.
func (c *statusCmd) statuses() (out []job.Status) {
	for _, s := range []struct {
		on     bool
		status job.Status
	}{{c.Running, job.Running}, {c.Failed, job.Failed}, {c.Pending, job.Pending}} {
		if s.on {
			out = append(out, s.status)
		}
	}
	return out
}

// eachTask calls fn with the tasks to list.
func (c *statusCmd) eachTask(a *app, d *db.DB, r *report, fn func(db.Listed) error) error {
	f := db.Filter{Job: r.job, Task: r.task, Statuses: c.statuses(), Order: db.Order(c.Sort), Limit: r.page.limit, Offset: r.page.offset}
	r.rows = countTasks(r.all, f.Statuses)
	return d.ListTasks(a.ctx, f, fn)
}

// countTasks counts those that have one of the statuses.
func countTasks(jobs []job.Job, statuses []job.Status) (n int) {
	for _, j := range jobs {
		if len(statuses) == 0 {
			n += j.Tasks.Total()
		}
		for _, s := range statuses {
			switch s {
			case job.Running:
				n += j.Tasks.Running
			case job.Failed:
				n += j.Tasks.Failed
			case job.Pending:
				n += j.Tasks.Pending
			}
		}
	}
	return n
}

// readTask reads what is shown of a single task only.
func (r *report) readTask(a *app, d *db.DB) (err error) {
	if r.task == "" {
		return nil
	}
	if r.history, err = d.Attempts(a.ctx, r.job, r.task); err != nil {
		return err
	}
	r.envNames, r.envStored, err = d.EnvNames(a.ctx, r.job, r.task)
	return err
}

// sortJobs puts jobs that are sorted by their names in the order that is asked for.
func (c *statusCmd) sortJobs(jobs []job.Job) {
	rank := map[job.State]int{job.StateWorking: 0, job.StateFailed: 1, job.StateWaiting: 2, job.StateCompleted: 3}
	compare := map[string]func(x, y job.Job) int{
		"state":    func(x, y job.Job) int { return cmp.Compare(rank[x.State], rank[y.State]) },
		"created":  func(x, y job.Job) int { return y.CreatedAt.Compare(x.CreatedAt) },
		"updated":  func(x, y job.Job) int { return y.UpdatedAt.Compare(x.UpdatedAt) },
		"duration": func(x, y job.Job) int { return cmp.Compare(y.UpdatedAt.Sub(y.CreatedAt), x.UpdatedAt.Sub(x.CreatedAt)) },
	}[c.Sort]
	if compare != nil {
		slices.SortStableFunc(jobs, compare)
	}
}

// waitsFor is why a pending task does not run.
type waitsFor string

const (
	waitsForTasks   waitsFor = "dependencies" // other tasks must complete first
	waitsForManager waitsFor = "manager"      // none serves
	waitsForJob     waitsFor = "job"          // another task of its job runs
	waitsForPlace   waitsFor = "place"        // as many run as may at once
	waitsForTurn    waitsFor = "turn"         // it is about to start, or others of its job come first
)

// waits says why a task does not run; nothing if it is not pending.
func (r *report) waits(l db.Listed) waitsFor {
	switch {
	case l.Status != job.Pending:
		return ""
	case len(l.Blockers) > 0:
		return waitsForTasks
	case r.manager == nil:
		return waitsForManager
	case r.runningTask(l.Job) != "":
		return waitsForJob
	case len(r.active) >= r.places:
		return waitsForPlace
	}
	return waitsForTurn
}

// runningTask is the one of a job that runs, or nothing.
func (r *report) runningTask(name string) string {
	for _, a := range r.active {
		if a.Job == name {
			return a.Task
		}
	}
	return ""
}

// ready reports whether a task of the jobs in question could start.
func (r *report) ready() bool {
	return slices.ContainsFunc(r.all, func(j job.Job) bool { return j.Tasks.Pending > j.Blocked })
}

// printTo prints the report on stdout, and remarks on stderr.
func (r *report) printTo(a *app) error {
	if len(r.all) == 0 {
		return nothing(a)
	}
	width := a.width()
	if err := r.print(a.out, width); err != nil {
		return err
	}
	if summary := r.summary(); isTerminal(a.out) && summary != "" {
		a.printf("\n%s\n", painted(strings.Join(fold(summary, width, 2), "\n"))) // it has numbers and words of ours
	}
	if left := r.rows - r.shown(); left > 0 && r.task == "" {
		a.notef("%d more are not shown, for --limit %d", left, r.page.limit)
	}
	for _, remark := range r.remarks() {
		a.notef("%s", remark)
	}
	return nil
}

// shown is how many rows of the list the report has.
func (r *report) shown() int {
	if r.listing {
		return len(r.tasks)
	}
	return len(r.jobs)
}

// print writes the tables.
func (r *report) print(w io.Writer, width int) error {
	head, list := r.blocks(width)
	for _, line := range append(head, list...) {
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}
