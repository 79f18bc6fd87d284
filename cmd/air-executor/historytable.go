package main

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// attempts lists them. As JSON, and where there may be many, they are printed as they
// are read.
func (c *historyCmd) attempts(ctx context.Context, ui *ui, q *queue.Queue, query queue.HistoryQuery) error {
	if ui.json() {
		return c.attemptsJSON(ctx, ui, q, query)
	}
	const most = 1000 // rows of one table
	width, shown := ui.width(), 0
	g := c.attemptTable(ui)
	err := q.History(ctx, query, func(e db.Ended) error {
		g.addRow(
			cell{text: when(e.EndedAt, width)}, cell{text: e.Job}, cell{text: e.Task}, cell{text: attemptNumber(e)},
			cell{string(e.Status), colourOf(string(e.Status))}, cell{text: tookOf(e)},
			cell{text: shorten(oneLine(shellLine(append([]string{e.Command}, e.Args...))), 60)},
			cell{text: noteOf(e)})
		if shown++; shown%most > 0 {
			return nil
		}
		err := g.print(ui.out, width)
		g.rows = nil
		return err
	})
	if err != nil {
		return err
	}
	if c.more(ui, shown); len(g.rows) == 0 {
		return nil
	}
	return g.print(ui.out, width)
}

func (c *historyCmd) attemptTable(ui *ui) *grid {
	return &grid{
		head:    []string{"Ended", "Job", "Task", "Attempt", "Status", "Took", "Command", "Note"},
		squeeze: []step{{7, 24}, {3, 24}, {2, 20}, {8, 40}, {7, 14}, {3, 14}, {2, 14}, {4, 0}, {8, 24}, {7, 0}, {3, 10}, {2, 10}, {6, 0}, {8, 14}, {3, 6}, {2, 6}, {8, 0}},
		wrap:    8, names: 2, colours: colour(ui.out),
	}
}

func attemptNumber(e db.Ended) string {
	if e.Number == 0 {
		return "-"
	}
	return fmt.Sprint(e.Number)
}

func tookOf(e db.Ended) string {
	if e.StartedAt.IsZero() {
		return "-"
	}
	return took(e.EndedAt.Sub(e.StartedAt))
}

// noteOf says how it has failed.
func noteOf(e db.Ended) string {
	if e.Error != "" {
		return e.Error
	}
	return string(e.Reason)
}

// attemptsJSON prints an array, an object in a line.
func (c *historyCmd) attemptsJSON(ctx context.Context, ui *ui, q *queue.Queue, query queue.HistoryQuery) error {
	list := newJSONList(ui.out, []byte("["), "", "")
	err := q.History(ctx, query, func(e db.Ended) error { return list.add(q.EndedForm(e)) })
	if err != nil {
		return err
	}
	return list.end("\n")
}

func (c *historyCmd) jobTable(ui *ui, jobs []db.HistoryJob) *grid {
	g := &grid{
		head:    []string{"Ended", "Job", "State", "Done", "Failed", "Dismissed", "Took"},
		squeeze: []step{{2, 24}, {6, 0}, {2, 16}, {7, 0}, {2, 8}},
		names:   2, colours: colour(ui.out),
	}
	width := ui.width()
	for _, j := range jobs {
		g.addRow(
			cell{text: when(j.EndedAt, width)}, cell{text: j.Name}, cell{string(j.State), colourOf(string(j.State))},
			cell{text: fmt.Sprintf("%d/%d", j.Tasks.Completed, j.Tasks.Total())}, cell{text: fmt.Sprint(j.Tasks.Failed)},
			cell{text: fmt.Sprint(j.Tasks.Dismissed)}, cell{text: took(j.EndedAt.Sub(j.CreatedAt))})
	}
	return g
}
