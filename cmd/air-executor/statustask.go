package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/taskfile"
)

// taskLines returns all details of one task.
func (r *report) taskLines(width int) []string {
	if len(r.Tasks) == 0 {
		return nil
	}
	lines := r.describe()
	if len(r.History) == 0 {
		return lines
	}
	g := grid{
		head: []string{"Attempt", "Status", "Started", "Took", "CPU", "Peak memory", "Note"}, wrap: 7, colours: colour(r.ui.out),
		squeeze: []step{{7, 40}, {6, 0}, {5, 0}, {7, 24}, {4, 0}, {3, 0}, {7, 10}},
	}
	for _, at := range r.History {
		end := at.EndedAt
		if end.IsZero() {
			end = time.Now()
		}
		cpu, memory := took(at.UserTime+at.SystemTime), fmt.Sprintf("%.1f MiB", float64(at.MaxRSS)/(1<<20))
		if at.Status == job.Running {
			cpu, memory = "-", "-" // known at its end
		}
		g.addRow(cell{text: fmt.Sprint(at.Number)}, cell{string(at.Status), colourOf(string(at.Status))},
			cell{text: when(at.StartedAt, min(width, 79))}, cell{text: took(end.Sub(at.StartedAt))},
			cell{text: cpu}, cell{text: memory}, cell{text: at.Error})
	}
	return append(append(lines, ""), g.lines(width)...)
}

// describe describes a task in a few lines.
func (r *report) describe() (lines []string) {
	const indent = 13
	t := r.Tasks[0]
	line := func(key, value string) {
		if value != "" {
			folded := fold(strings.Repeat(" ", indent)+oneLine(value), r.ui.width(), indent)
			folded[0] = fmt.Sprintf("%-*s", indent, key) + folded[0][indent:]
			lines = append(lines, folded...)
		}
	}
	line("Task", t.ID)
	line("Job", t.Job)
	line("Status", string(t.Status))
	line("Note", r.note(t))
	line("Command", shellCommand(t.Task))
	line("Directory", t.Dir)
	line("Time limit", r.timeLimit(t.Task))
	taskfile.Numbers(&t.Spec, func(name string, n int) {
		if n != 0 {
			line(strings.ToUpper(name[:1])+name[1:], strconv.Itoa(n))
		}
	})
	line("Retries", retriesText(t.Task))
	shownHooks(t.Hooks, line)
	line("Labels", strings.Join(t.Labels, ", "))
	if t.Unique != "" {
		line("Unique key", t.Unique+" ("+t.UniqueFor.String()+")")
	}
	line("Pools", strings.Join(t.Pools, ", "))
	line("After", strings.Join(t.Dependencies, ", "))
	line("After any", strings.Join(t.AfterAny, ", "))
	line("Runs on", map[job.RunIf]string{job.RunOnFailure: "failure", job.RunAlways: "any end"}[t.RunIf])
	line("Queued by", t.Parent)
	line("Created", when(t.CreatedAt, 0))
	if t.Attempts > 0 {
		line("Log", runner.LogPath(r.ws.conf.BasePath, t.Job, t.ID))
	}
	if r.EnvStored {
		line("Environment", fmt.Sprintf("%s: %s", plural(len(r.EnvNames), "variable"), strings.Join(slices.Sorted(slices.Values(r.EnvNames)), ", ")))
	} else {
		line("Environment", "that of the manager")
	}
	return lines
}

// retriesText is how often a task is tried again; nothing for one that is not.
func retriesText(t job.Task) string {
	if t.Retries <= 0 {
		return ""
	}
	return fmt.Sprintf("%d, of which %d are used", t.Retries, min(t.Tries, t.Retries))
}

// timeLimit is how long a task may run.
func (r *report) timeLimit(t job.Task) string {
	if t.Timeout == 0 {
		return job.TimeoutText(r.ws.conf.TaskTimeout) + " (default)"
	}
	return job.TimeoutText(t.Timeout)
}
