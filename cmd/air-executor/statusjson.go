package main

import (
	"bytes"
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// printJSON prints the report as JSON. Tasks are written as they are read, for
// they may be many.
func (c *statusCmd) printJSON(ctx context.Context, ui *ui, q *queue.Queue) error {
	s, err := q.StatusHead(ctx, c.query(ui))
	if err != nil {
		return err
	}
	var head bytes.Buffer
	if err := writeJSON(&head, s.Form(), "  "); err != nil {
		return err
	}
	const end = "]\n}\n" // of the empty list of tasks, which comes last
	list := newJSONList(ui.out, bytes.TrimSuffix(head.Bytes(), []byte(end)), "  ", "  ")
	if err := s.EachTask(ctx, func(l db.Listed) error { return list.add(s.TaskForm(l)) }); err != nil {
		return err
	}
	return list.end(end[1:])
}
