package main

import (
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// note is what a person wants to know beside the status of a task.
func (r *report) note(l db.Listed) string {
	switch r.Waits(l) {
	case queue.WaitsForTasks:
		return blockedBy(l.Blockers)
	case queue.WaitsForManager:
		return "no manager runs"
	case queue.WaitsForJob:
		return "waits for " + r.RunningTask(l.Job)
	case queue.WaitsForPlace:
		return fmt.Sprintf("waits for a free place (%d of %d run)", len(r.Active), r.Places)
	case queue.WaitsForTurn:
		return "waits for its turn"
	}
	n := l.Error
	switch {
	case l.Stuck != "":
		n = l.Stuck
	case !l.DismissedAt.IsZero():
		n = "dismissed: " + n
	}
	if l.Attempts > 1 {
		n = strings.TrimPrefix(fmt.Sprintf("%s; attempt %d", n, l.Attempts), "; ")
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
