package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// note returns what a user wants to know besides the status of a task.
func (r *report) note(l db.Listed) string {
	switch r.Waits(l) {
	case queue.WaitsForTasks:
		return blockedBy(l.Blockers)
	case queue.WaitsForResume:
		return "paused"
	case queue.WaitsForTime, queue.WaitsForRetry:
		return dueNote(l.Task, time.Now())
	case queue.WaitsForManager:
		return "no manager runs"
	case queue.WaitsForJob:
		return "waits for " + r.RunningTask(l.Job)
	case queue.WaitsForPool:
		return shortNote(r.Short(l))
	case queue.WaitsForPlace:
		return fmt.Sprintf("waits for a free place (%d of %d run)", len(r.Active), r.Places)
	case queue.WaitsForTurn:
		return "waits for its turn"
	}
	n := l.Error
	frozen := r.FrozenAt(l.Task)
	switch {
	case !frozen.IsZero():
		n = "frozen since " + when(frozen, 0)
	case l.Stuck != "":
		n = l.Stuck
	case l.Reason == job.Skipped:
	case !l.DismissedAt.IsZero():
		n = "dismissed: " + n
	}
	if l.Attempts > 1 {
		n = strings.TrimPrefix(fmt.Sprintf("%s; attempt %d", n, l.Attempts), "; ")
	}
	return n
}

// dueNote says until when a task waits, and why.
func dueNote(t job.Task, now time.Time) string {
	form := "15:04:05"
	if due := t.Due.Local(); due.Sub(now) > 12*time.Hour || due.Day() != now.Local().Day() {
		form = "2006-01-02 15:04:05"
	}
	at := t.Due.Local().Format(form)
	why := ""
	if t.Error != "" {
		why, _, _ = strings.Cut(t.Error, ";")
		why = " (" + why + ")"
	}
	if t.Tries > 0 {
		return fmt.Sprintf("retry %d of %d at %s%s", t.Tries, t.Retries, at, why)
	}
	return "waits until " + at + why
}

// shortNote says who holds the places that a task waits for.
func shortNote(s *queue.Short) string {
	places := "a place"
	if s.Places > 1 {
		places = fmt.Sprintf("%d places", s.Places)
	}
	if s.Pool.Capacity < s.Places {
		return fmt.Sprintf("waits for %s in pool %s, which has %d", places, s.Pool.Name, s.Pool.Capacity)
	}
	var holders []string
	for _, p := range s.Pool.Taken {
		if holder := p.Job + "/" + p.Task; !slices.Contains(holders, holder) {
			holders = append(holders, holder)
		}
	}
	return fmt.Sprintf("waits for %s in pool %s (%d of %d taken by %s)", places, s.Pool.Name, len(s.Pool.Taken), s.Pool.Capacity, enumerate(holders))
}

// blockedBy names the dependencies that block a task. If some will not complete by
// themselves, it names only those.
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
