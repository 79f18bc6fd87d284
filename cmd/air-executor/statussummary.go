package main

import (
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// summary is a line of counts.
func (r *report) summary() string {
	if r.Query.Task != "" || r.Totals.Count() == 0 {
		return ""
	}
	sum, blocked := r.Totals.Tasks, r.Totals.Blocked
	var tasks []string
	count := func(list *[]string, n int, what string) {
		if n > 0 {
			*list = append(*list, fmt.Sprintf("%d %s", n, what))
		}
	}
	if r.Query.Job != "" {
		tasks = []string{fmt.Sprintf("%d of %s completed", sum.Completed, plural(sum.Total(), "task"))}
	}
	count(&tasks, sum.Failed, "failed")
	count(&tasks, sum.Dismissed, "dismissed")
	count(&tasks, sum.Running, "running")
	count(&tasks, sum.Pending-blocked, "pending")
	count(&tasks, blocked, "blocked")
	if r.Query.Job != "" {
		return strings.Join(tasks, ", ")
	}
	var jobs []string
	for _, s := range []job.State{job.StateWorking, job.StateFailed, job.StateWaiting, job.StateCompleted} {
		count(&jobs, r.Totals.Jobs[s], string(s))
	}
	line := strings.Join(jobs, ", ") + " job"
	if r.Totals.Count() > 1 {
		line += "s"
	}
	if len(tasks) > 0 {
		line += "; tasks: " + strings.Join(tasks, ", ")
	}
	return line
}

// remarks returns what a user should know besides the tables.
func (r *report) remarks() (out []string) {
	out = r.pauses()
	switch {
	case r.Manager == nil && r.Ready():
		out = append(out, noManager)
	case r.Manager != nil && r.Trouble != "":
		out = append(out, fmt.Sprintf("nothing starts: %s (since %s)", r.Trouble, when(r.Since, 0)))
	}
	if r.Query.Job != "" && r.Query.Task == "" && r.Jobs[0].State == job.StateFailed && isTerminal(r.ui.out) {
		name := shellLine([]string{r.Query.Job})
		out = append(out, "to see why: air-executor logs --failed "+name, "to run what failed again: air-executor reset "+name)
	}
	return out
}
