package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/air-executor/air-executor/queue"
)

type statsCmd struct {
	historyArgs
	Since everOrPast `placeholder:"WHEN" default:"24h" help:"Of what has ended since then: how long ago, as in 90m, 12h or 30d, or a time such as yesterday, 08:30 or '2026-03-01 08:30', or 'ever' (${default})."`
	Until pastTime   `placeholder:"WHEN" help:"Of what had ended before then."`
	By    string     `placeholder:"WHAT" enum:"job,command" type:"word" words:"job,command" default:"job" help:"A line for each job, or for each command, which is a program without its folder and arguments."`
	Limit signed     `short:"n" placeholder:"N" default:"20" help:"Show the N jobs or commands with most attempts; 0 shows all (${default})."`
}

// Help is printed below the summary.
func (*statsCmd) Help() string {
	return `Sums up the attempts that have ended: how many there were, how many failed, how long tasks waited from when they could have run to their first start, and how long attempts ran. p50, p95 and p99 are the times that 50, 95 and 99 of 100 did not exceed. CPU is the time of all attempts together, memory the peak of the largest process. The chart below shows how many ended per hour.

    air-executor stats
    air-executor stats --since 30d --by command
    air-executor stats 'build-*' --since yesterday

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or database; 130 interrupted.`
}

// Run shows figures.
func (c *statsCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, query, err := c.open(ws, c.Since.pastTime, c.Until, c.Limit)
	if err != nil {
		return err
	}
	defer q.Close()
	s, err := q.Stats(ctx, query, c.By == "command")
	if err != nil {
		return asked(err)
	}
	if ui.json() {
		return ui.printJSON(s.Form(c.By == "command", int(c.Limit)))
	}
	ui.remarkOnTimeZone()
	if s.Total.Count == 0 {
		ui.notef("nothing has ended, or none of it is what was asked for")
		return nil
	}
	return c.print(ui, s)
}

// print prints a line of sums, a table and a chart.
func (c *statsCmd) print(ui *ui, s *queue.Stats) error {
	t := &s.Total
	ui.printf("%s since %s, %d failed, %s per hour\n\n", plural(t.Count, "attempt"), when(s.Since, ui.width()), t.Failed, rate(s.PerHour(t.Count, s.Span())))
	if err := c.table(ui, s).print(ui.out, ui.width()); err != nil {
		return err
	}
	if more := len(s.Groups) - int(c.Limit); c.Limit > 0 && more > 0 {
		ui.notef("and %d more; --limit 0 shows all", more)
	}
	ui.printf("\n")
	for _, line := range chart(s) {
		ui.printf("%s\n", line)
	}
	return nil
}

func (c *statsCmd) table(ui *ui, s *queue.Stats) *grid {
	g := &grid{
		head: []string{"Job", "Attempts", "Failed", "Wait p50", "p95", "p99", "Run p50", "p95", "p99", "CPU", "Memory", "Per hour"},
		squeeze: []step{
			{1, 24}, {12, 0}, {6, 0}, {11, 0}, {5, 0}, {1, 16}, {10, 0}, {9, 0}, {1, 10}, {4, 0}, {1, 6},
		},
		names: 1, colours: colour(ui.out),
	}
	if c.By == "command" {
		g.head[0] = "Command"
	}
	for i := range s.Groups {
		f := &s.Groups[i]
		if c.Limit > 0 && i == int(c.Limit) {
			break
		}
		failed := cell{text: fmt.Sprint(f.Failed)}
		if f.Failed > 0 {
			failed.colour = red
		}
		w, r := f.Waited(), f.Took()
		waited := func(d time.Duration) cell {
			if w.Of == 0 {
				return cell{text: "-"}
			}
			return cell{text: took(d)}
		}
		g.addRow(cell{text: f.Name}, cell{text: fmt.Sprint(f.Count)}, failed,
			waited(w.P50), waited(w.P95), waited(w.P99), cell{text: took(r.P50)}, cell{text: took(r.P95)}, cell{text: took(r.P99)},
			cell{text: took(f.CPU)}, cell{text: fmt.Sprintf("%.1f MiB", float64(f.MaxRSS)/(1<<20))},
			cell{text: rate(s.PerHour(f.Count, s.Span()))})
	}
	return g
}

// rate is a number of things per hour.
func rate(n float64) string {
	switch {
	case n == 0 || n >= 10:
		return fmt.Sprintf("%.0f", n)
	case n < 0.1:
		return fmt.Sprintf("%.3f", n)
	}
	return fmt.Sprintf("%.1f", n)
}

// chart draws how many have ended per hour, in at most 60 columns.
func chart(s *queue.Stats) (lines []string) {
	const width = 60
	most, digits := 0.0, len("per hour")
	for _, p := range s.Periods {
		n := s.PerHour(p.Count, s.Size)
		most, digits = max(most, n), max(digits, len(rate(n)))
	}
	form := "Jan _2 15:04"
	if s.Size >= 24*time.Hour {
		form = "2006-01-02  "
	}
	room := width - len(form) - digits - 2*gap
	lines = append(lines, fmt.Sprintf("%-*s  %*s", len(form), "Ended", digits, "per hour"))
	for _, p := range s.Periods {
		n := s.PerHour(p.Count, s.Size)
		bar := 0
		if n > 0 {
			bar = max(1, int(n/most*float64(room)+0.5))
		}
		line := fmt.Sprintf("%s  %*s  %s", p.From.Local().Format(form), digits, rate(n), strings.Repeat(marks().bar, bar))
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}
