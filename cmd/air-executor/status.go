package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

type statusCmd struct {
	jobArg
	Task  string `short:"t" placeholder:"ID" predictor:"task" help:"Show one task of the job with all its attempts."`
	Watch bool   `short:"w" help:"Show it again at every change, until Ctrl-C."`
}

// Help is printed below the summary.
func (*statusCmd) Help() string {
	return `Without a name, a line for each job. With a name, that job and its tasks, and by what pending tasks are blocked.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or task; 130 interrupted.`
}

// Run shows jobs, a job, or a task.
func (c *statusCmd) Run(a *app) error {
	if c.Task != "" {
		if _, err := c.required(); err != nil {
			return err
		}
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
	if c.Watch {
		return watch(a, d, func(w io.Writer) error { return c.show(a, d, w) })
	}
	if c.optional() == "" {
		defer a.remarkUnimported(d)
	}
	if err := c.show(a, d, a.out); err != nil {
		return err
	}
	if text := a.trouble(); text != "" {
		a.notef("%s", text)
	}
	return nil
}

// nothing says that there is nothing to show.
func nothing(a *app) error {
	if a.json() {
		return a.printJSON([]jobJSON{})
	}
	a.notef("no jobs yet in %s", a.conf.BasePath)
	return nil
}

func (c *statusCmd) show(a *app, d *db.DB, w io.Writer) error {
	switch name := c.optional(); {
	case c.Task != "":
		return showTask(a, d, w, name, c.Task)
	case name != "":
		return showJob(a, d, w, name)
	}
	return showJobs(a, d, w)
}

func showJobs(a *app, d *db.DB, w io.Writer) error {
	jobs, err := d.Jobs(a.ctx)
	if err != nil {
		return err
	}
	if a.json() {
		out := make([]jobJSON, len(jobs))
		for i, j := range jobs {
			out[i] = toJobJSON(j)
		}
		return a.printJSON(out)
	}
	if len(jobs) == 0 && w == a.out {
		return nothing(a)
	}
	width := a.width()
	g := newJobGrid()
	for _, j := range jobs {
		g.addJob(j, width)
	}
	return g.print(w, width)
}

// jobGrid is the documented table of jobs.
type jobGrid struct{ grid }

func newJobGrid() *jobGrid {
	return &jobGrid{grid{head: []string{"Job Name", "State", "Pending Tasks", "Active Runner", "Updated At"}}}
}

func (g *jobGrid) addJob(j job.Job, width int) {
	active := "✗"
	if j.Tasks.Running > 0 {
		active = "✓"
	}
	g.add(j.Name, string(j.State), fmt.Sprint(j.Tasks.Pending), active, when(j.UpdatedAt, width))
}

func showJob(a *app, d *db.DB, w io.Writer, name string) error {
	j, err := d.Job(a.ctx, name)
	if err != nil {
		return err
	}
	tasks, err := d.Tasks(a.ctx, name)
	if err != nil {
		return err
	}
	blockers, err := blockersOf(a, d, name)
	if err != nil {
		return err
	}
	if a.json() {
		out := toJobJSON(j)
		out.Tasks = []taskJSON{}
		for _, t := range tasks {
			out.Tasks = append(out.Tasks, toTaskJSON(t, blockers[t.ID]))
		}
		return a.printJSON(out)
	}
	width := a.width()
	head := newJobGrid()
	head.addJob(j, width)
	if err := head.print(w, width); err != nil {
		return err
	}
	if len(tasks) == 0 {
		return nil
	}
	g := grid{head: []string{"Task", "Status", "Started", "Took", "Note"}, flex: 4}
	for _, t := range tasks {
		g.add(t.ID, string(t.Status), when(t.StartedAt, min(width, 79)), duration(t), note(t, blockers[t.ID]))
	}
	fmt.Fprintln(w)
	return g.print(w, width)
}

func blockersOf(a *app, d *db.DB, name string) (map[string][]db.Blocker, error) {
	all, err := d.Blockers(a.ctx, name)
	out := map[string][]db.Blocker{}
	for _, b := range all {
		out[b.Task] = append(out[b.Task], b)
	}
	return out, err
}

func duration(t job.Task) string {
	switch {
	case t.StartedAt.IsZero():
		return "-"
	case t.CompletedAt.IsZero() && t.Status.Ended():
		return "-" // it was imported, and its end is not known
	case t.CompletedAt.IsZero():
		return took(time.Since(t.StartedAt))
	}
	return took(t.CompletedAt.Sub(t.StartedAt))
}

// note is what a person wants to know beside the status of a task.
func note(t job.Task, blockers []db.Blocker) string {
	if t.Status == job.Pending && len(blockers) > 0 {
		return blockedBy(blockers)
	}
	n := t.Error
	if t.Stuck != "" {
		n = t.Stuck
	}
	if t.Attempts > 1 {
		n = strings.TrimPrefix(fmt.Sprintf("%s; attempt %d", n, t.Attempts), "; ")
	}
	return n
}

// blockedBy names what keeps a task from running; what will not pass by itself
// comes alone, if there is any.
func blockedBy(blockers []db.Blocker) string {
	var bad, open []string
	for _, b := range blockers {
		switch b.Status {
		case job.Failed:
			bad = append(bad, fmt.Sprintf("%s (%s)", b.Needs, failedHow(b.Reason)))
		case "":
			bad = append(bad, b.Needs+" (no such task yet)")
		default:
			open = append(open, b.Needs)
		}
	}
	if len(bad) > 0 {
		return "blocked by " + enumerate(bad)
	}
	return "after " + enumerate(open)
}

func failedHow(r job.Reason) string {
	if r == job.Cancelled {
		return "cancelled"
	}
	return "failed"
}

// enumerate joins names, and only counts those beyond the third.
func enumerate(names []string) string {
	const most = 3
	if len(names) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func showTask(a *app, d *db.DB, w io.Writer, name, id string) error {
	t, err := d.Task(a.ctx, name, id)
	if err != nil {
		return err
	}
	attempts, err := d.Attempts(a.ctx, name, id)
	if err != nil {
		return err
	}
	blockers, err := blockersOf(a, d, name)
	if err != nil {
		return err
	}
	if a.json() {
		out := toTaskJSON(t, blockers[id])
		for _, at := range attempts {
			out.History = append(out.History, toAttemptJSON(at))
		}
		return a.printJSON(out)
	}
	fmt.Fprint(w, describe(t, blockers[id]))
	if len(attempts) == 0 {
		return nil
	}
	g := grid{head: []string{"Attempt", "Status", "Started", "Took", "CPU", "Peak memory", "Note"}, flex: 6}
	for _, at := range attempts {
		end := at.EndedAt
		if end.IsZero() {
			end = time.Now()
		}
		g.add(fmt.Sprint(at.Number), string(at.Status), when(at.StartedAt, min(a.width(), 79)), took(end.Sub(at.StartedAt)),
			took(at.UserTime+at.SystemTime), fmt.Sprintf("%.1f MiB", float64(at.MaxRSS)/(1<<20)), at.Error)
	}
	fmt.Fprintln(w)
	return g.print(w, a.width())
}

// describe is a task in a few lines.
func describe(t job.Task, blockers []db.Blocker) string {
	var b bytes.Buffer
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-13s%s\n", key, oneLine(value))
		}
	}
	line("Task", t.ID)
	line("Job", t.Job)
	line("Status", string(t.Status))
	line("Note", note(t, blockers))
	line("Command", shellLine(append([]string{t.Command}, t.Args...)))
	line("Directory", t.Dir)
	line("After", strings.Join(t.Dependencies, ", "))
	line("Queued by", t.Parent)
	line("Created", when(t.CreatedAt, 0))
	return b.String()
}

// shellLine writes words so that a shell reads the same words back.
func shellLine(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if w == "" || strings.ContainsAny(w, " \t\n'\"\\$`!*?[]{}()<>|&;#~") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out[i] = w
	}
	return strings.Join(out, " ")
}
