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
		for _, o := range done.Otherwise {
			ui.printf("Task %s of job %s %s before it could be cancelled%s\n", o.Task, done.Job, o.Status, because(o.Error))
		}
		if done.Task == nil || len(done.Otherwise) == 0 {
			ui.printf("Job %s: %s\n", done.Job, cancelledText(done))
		}
	}
	if done.Task != nil && len(done.Otherwise) > 0 {
		return silent(exitError)
	}
	return nil
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
