package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// all imports the jobs one by one and says what became of each.
func (c *importCmd) all(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, folders []string) error {
	done := []queue.ImportResult{}
	failed, code, present := 0, exitError, false
	for _, folder := range folders {
		r, err := q.Import(ctx, folder, c.options())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed++
			present = present || errors.Is(err, db.ErrDuplicate)
			if errors.As(err, new(*queue.BadFolder)) {
				code = exitUsage
			}
			ui.notef("%v", err)
			continue
		}
		done = append(done, r)
		if !ui.json() {
			c.remark(ui, r)
			ui.printf("%s\n", importedText(r))
		}
	}
	if ui.json() {
		if err := ui.printJSON(done); err != nil {
			return err
		}
	}
	if failed > 0 {
		hint := ""
		if present {
			hint = "--if-absent skips jobs that exist; --merge adds the tasks that they lack"
		}
		return fail(code, fmt.Errorf("%d of %s not imported", failed, plural(len(folders), "job")), hint)
	}
	if len(folders) > 0 {
		ws.hintNoManager()
	}
	return nil
}
