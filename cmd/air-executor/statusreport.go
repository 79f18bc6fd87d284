package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// nothing reports that there is nothing to show.
func nothing(ui *ui, ws *workspace) error {
	if ui.json() {
		return ui.printJSON(queue.StatusForm{Jobs: []queue.JobForm{}, Tasks: []queue.TaskForm{}})
	}
	ui.notef("no jobs yet in %s", ws.conf.BasePath)
	return nil
}

// report is the output of status.
type report struct {
	*queue.Status
	ui *ui
	ws *workspace
}

// read asks the database.
func (c *statusCmd) read(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, query queue.StatusQuery) (*report, error) {
	s, err := q.Status(ctx, query)
	return &report{s, ui, ws}, err
}

// printTo prints the report on stdout, and remarks on stderr.
func (r *report) printTo(ui *ui, ws *workspace) error {
	if r.Totals.Count() == 0 && len(r.Query.Labels) > 0 {
		ui.notef("nothing has this label")
		return nil
	}
	if r.Rows == 0 && r.Totals.Count() == 0 {
		return nothing(ui, ws)
	}
	width := ui.width()
	if err := r.print(ui.out, width); err != nil {
		return err
	}
	if summary := r.summary(); isTerminal(ui.out) && summary != "" {
		ui.printf("\n%s\n", painted(strings.Join(fold(summary, width, 2), "\n"))) // only our own words and numbers
	}
	if left := r.Rows - r.shown(); left > 0 && r.Query.First > 0 {
		ui.notef("%d more jobs are not shown: air-executor status --limit 0", left)
	} else if left > 0 && r.Query.Task == "" {
		ui.notef("%d more are not shown because of --limit %d", left, r.Query.Limit)
	}
	for _, remark := range r.remarks() {
		ui.notef("%s", remark)
	}
	return nil
}

// shown returns how many rows of the list the report has.
func (r *report) shown() int {
	if r.Query.Listing() {
		return len(r.Tasks)
	}
	return len(r.Jobs)
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

// query returns the query for the flags.
func (c *statusCmd) query(ui *ui) queue.StatusQuery {
	q := queue.StatusQuery{
		Job: c.optional(), Task: c.Task, Only: c.only, Tasks: c.Tasks, Statuses: c.statuses(), Order: db.Order(c.Sort), Limit: c.limit(), Labels: c.labels, ForJSON: ui.json(),
	}
	q.Sums = isTerminal(ui.out)
	if !q.Listing() && !q.ForJSON && c.Limit == nil && c.Sort == "" && len(q.Labels) == 0 {
		q.First = firstJobs
	}
	return q
}

// firstJobs is how many jobs are shown if nothing says which or how many.
const firstJobs = 100

// statuses returns the statuses of the tasks to list; none: any.
func (c *statusCmd) statuses() (out []job.Status) {
	for _, s := range []struct {
		on     bool
		status job.Status
	}{{c.Running, job.Running}, {c.Failed, job.Failed}, {c.Pending, job.Pending}} {
		if s.on {
			out = append(out, s.status)
		}
	}
	for _, s := range c.Status {
		if !slices.Contains(out, job.Status(s)) {
			out = append(out, job.Status(s))
		}
	}
	return out
}
