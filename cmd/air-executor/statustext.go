package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// blocks are the lines of a report: what stays in place when it scrolls, and the
// list.
func (r *report) blocks(width int) (head, list []string) {
	switch {
	case r.Query.Task != "":
		return nil, r.taskLines(width)
	case r.Query.Job != "":
		head = append(r.jobTable(width), "")
		if len(r.Tasks) == 0 {
			return head[:len(head)-1], nil
		}
		t := r.taskTable(width)
		return append(head, t[0]), t[1:]
	case r.Query.Listing():
		t := r.taskTable(width)
		return t[:1], t[1:]
	}
	t := r.jobTable(width)
	n := len(t) - len(r.Jobs) // the heading may have several lines
	return t[:n], t[n:]
}

// colourOf is the colour of a state or status.
func colourOf(state string) string {
	switch state {
	case string(job.Failed):
		return red
	case string(job.StateWorking), string(job.Running):
		return yellow
	case string(job.Completed):
		return green
	}
	return ""
}

// jobTable is the table of jobs. Its first five columns are documented.
func (r *report) jobTable(width int) []string {
	g := grid{
		head:    []string{"Job Name", "State", "Pending Tasks", "Active Runner", "Updated At", "Done", "Failed", "Running"},
		squeeze: []step{{1, 24}, {8, 0}, {1, 16}, {7, 0}, {1, 12}, {6, 0}, {1, 8}},
		names:   1,
		colours: colour(r.ui.out),
	}
	symbols := marks()
	for _, j := range r.Jobs {
		active := cell{symbols.no, grey}
		if j.Tasks.Running > 0 {
			active = cell{symbols.yes, green}
		}
		failed := cell{fmt.Sprint(j.Tasks.Failed), ""}
		if j.Tasks.Failed > 0 {
			failed.colour = red
		}
		g.addRow(
			cell{text: j.Name}, cell{string(j.State), colourOf(string(j.State))}, cell{text: fmt.Sprint(j.Tasks.Pending)}, active,
			cell{text: when(j.UpdatedAt, width)},
			cell{text: fmt.Sprintf("%d/%d", j.Tasks.Completed, j.Tasks.Total())}, failed, cell{text: fmt.Sprint(j.Tasks.Running)})
	}
	return g.lines(width)
}

// taskTable is a list of tasks. Without a terminal, commands are cut, for they
// may be whole scripts. On a narrow one, the notes keep their room longest.
func (r *report) taskTable(width int) []string {
	g := grid{
		head: []string{"Task", "Status", "Started", "Took", "Command", "Note"}, wrap: 6, colours: colour(r.ui.out),
		squeeze: []step{{5, 24}, {1, 24}, {6, 56}, {5, 14}, {6, 40}, {1, 14}, {3, 0}, {6, 28}, {5, 10}, {1, 10}, {4, 0}, {6, 20}, {5, 0}, {6, 16}, {1, 6}, {6, 8}},
	}
	if r.Query.Job == "" {
		g.head = append([]string{"Job"}, g.head...)
		g.wrap, g.names = 7, 1
		g.squeeze = []step{{6, 24}, {2, 24}, {1, 20}, {7, 56}, {6, 14}, {7, 40}, {2, 14}, {1, 14}, {4, 0}, {7, 28}, {6, 10}, {2, 10}, {1, 10}, {7, 26}, {5, 0}, {6, 0}, {7, 16}, {2, 6}, {1, 6}, {7, 8}}
	}
	for _, l := range r.Tasks {
		row := []cell{
			{text: l.ID}, statusCell(l.Task), {text: when(l.StartedAt, min(width, 79))}, {text: duration(l.Task)},
			{text: shorten(oneLine(shellCommand(l.Task)), 60)}, {text: r.note(l)},
		}
		if r.Query.Job == "" {
			row = append([]cell{{text: l.Job}}, row...)
		}
		g.addRow(row...)
	}
	return g.lines(width)
}

// statusCell is a task's status. A failure that was dismissed is no alarm.
func statusCell(t job.Task) cell {
	if !t.DismissedAt.IsZero() {
		return cell{string(t.Status), grey}
	}
	return cell{string(t.Status), colourOf(string(t.Status))}
}

func shellCommand(t job.Task) string { return shellLine(append([]string{t.Command}, t.Args...)) }

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

// remarks are what a person should know beside the tables.
func (r *report) remarks() (out []string) {
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
