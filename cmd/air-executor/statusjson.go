package main

import (
	"bufio"
	"bytes"
	"context"
	"io"

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
	out := bufio.NewWriterSize(ui.out, 64<<10)
	out.Write(bytes.TrimSuffix(head.Bytes(), []byte(end)))
	between := "\n    "
	err = s.EachTask(ctx, func(l db.Listed) error {
		b, err := marshalJSON(s.TaskForm(l), "    ", "  ")
		if err != nil {
			return err
		}
		io.WriteString(out, between)
		between = ",\n    "
		_, err = out.Write(b)
		return err
	})
	if err != nil {
		return err
	}
	if between[0] == ',' {
		io.WriteString(out, "\n  ")
	}
	io.WriteString(out, end)
	return out.Flush() // it remembers the first error
}
