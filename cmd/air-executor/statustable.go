package main

import (
	"fmt"
	"time"

	"github.com/air-executor/air-executor/job"
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

// taskTable is the table of tasks. Without a terminal, commands are truncated, because
// they may be whole scripts. On a narrow one, notes are narrowed last.
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

// statusCell returns a task's status. A dismissed failure is not shown as an alarm.
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
		return "-" // it was imported, and its end is unknown
	case t.CompletedAt.IsZero():
		return took(time.Since(t.StartedAt))
	}
	return took(t.CompletedAt.Sub(t.StartedAt))
}
