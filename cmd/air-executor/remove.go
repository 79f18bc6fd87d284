package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type removeCmd struct {
	jobsArg
	tasksArg
	Cascade bool `help:"With --task: remove what of the job depends on these tasks as well, and what depends on that."`
	asks
}

// Help is printed below the summary.
func (*removeCmd) Help() string {
	return `Deletes jobs, or tasks of one job, with their attempts and logs, for good. A running task, or one that another task depends on, is not removed; --cascade removes the others with it. If --task removes the last task of a job, the empty job stays.

With a job, its logs are deleted, and its state.json and tasks.json if they belong to this job. Other files in its folder stay.

Exit codes: 0 done; 1 error, nothing has changed; 2 wrong flags or configuration; 4 no such job or task.`
}

// Run removes jobs or tasks.
func (c *removeCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	names, err := c.required()
	if err != nil {
		return err
	}
	some := !c.selection().All()
	if c.Cascade && !some {
		return usage(errors.New("--cascade goes with --task: a job is removed with all of its tasks"), "")
	}
	if some && len(names) > 1 {
		what := "--task"
		if len(c.Task) == 0 {
			what = "--status"
		}
		return usage(errors.New(what+" is for one job"), "")
	}
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	if some {
		return c.tasks(ctx, ui, q, names[0])
	}
	if err := c.confirmJobs(ctx, ui, q, names); err != nil {
		return ws.suggestTask(noPattern(err), names)
	}
	removed, err := q.RemoveJobs(ctx, names)
	if err == nil && ui.json() {
		return ui.printJSON(removed)
	}
	if !ui.json() {
		for _, r := range removed {
			ui.printf("Job %s removed, with %s\n", r.Job, plural(r.Removed, "task"))
		}
	}
	return ws.suggestTask(explainRemove(noPattern(err), names[0]), names)
}

func (c *removeCmd) tasks(ctx context.Context, ui *ui, q *queue.Queue, name string) error {
	ids, _, err := c.pick(ctx, q, name, "removed", job.Pending, job.Completed, job.Failed)
	if err != nil {
		return err
	}
	if c.Cascade && len(ids) > 0 {
		if ids, err = q.DB.Dependents(ctx, name, ids); err != nil {
			return err
		}
	}
	if err := c.confirm(ctx, ui, len(ids), fmt.Sprintf("This deletes %s of job %s for good, with their logs", plural(len(ids), "task"), name)); err != nil {
		return err
	}
	r := queue.RemoveResult{Job: name}
	if len(ids) > 0 {
		r, err = q.RemoveTasks(ctx, name, ids)
	}
	if err != nil {
		return explainRemove(err, name)
	}
	if ui.json() {
		return ui.printJSON([]queue.RemoveResult{r})
	}
	ui.printf("Job %s: %s removed\n", name, plural(r.Removed, "task"))
	return nil
}

// confirmJobs asks about jobs that have more than one task in all, or are several.
func (c *removeCmd) confirmJobs(ctx context.Context, ui *ui, q *queue.Queue, names []string) error {
	tasks := 0
	for _, name := range names {
		j, err := q.DB.Job(ctx, name)
		if err != nil {
			return err
		}
		tasks += j.Tasks.Total()
	}
	text := fmt.Sprintf("This deletes %s with %s for good, with their logs", plural(len(names), "job"), plural(tasks, "task"))
	return c.confirm(ctx, ui, max(len(names), tasks), text)
}

// noPattern adds to the error about a missing job that names are not patterns.
func noPattern(err error) error {
	var missing *db.Missing
	if errors.As(err, &missing) && missing.Task == "" && strings.ContainsAny(missing.Job, "*?[") {
		return fail(exitNoSuch, err, "names are not patterns; give several names: air-executor status --json | jq -r '.jobs[].job' lists them, one a line")
	}
	return err
}

// explainRemove adds what to do about an error.
func explainRemove(err error, name string) error {
	if errors.Is(err, db.ErrInUse) {
		return fail(exitError, err, fmt.Sprintf("air-executor cancel %s ends what runs; what others of the job depend on can be removed together with them: --cascade", shellLine([]string{name})))
	}
	return err
}
