package main

import (
	"strings"

	"github.com/air-executor/air-executor/queue"
)

// tell prints what happened to the tasks.
func (c *cancelCmd) tell(ui *ui, done queue.CancelResult) error {
	if ui.json() {
		if err := ui.printJSON(done); err != nil {
			return err
		}
	} else {
		ui.tellEnded(done.Job, done.Otherwise, "it could be cancelled")
		if done.Task == nil || len(done.Otherwise) == 0 {
			ui.printf("Job %s: %s\n", done.Job, cancelledText(done))
		}
	}
	if done.Task != nil && len(done.Otherwise) > 0 {
		return silent(exitError)
	}
	return nil
}

// tellEnded says which tasks had ended before something could be done to them.
func (ui *ui) tellEnded(job string, ended []queue.EndedResult, before string) {
	for _, o := range ended {
		ui.printf("Task %s of job %s %s before %s%s\n", o.Task, job, o.Status, before, because(o.Error))
	}
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
