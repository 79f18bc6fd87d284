package main

import (
	"fmt"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// remarkUnimported reports jobs of other tools in the base path that the database does
// not have, so that users do not wait for them. If d is nil, the database is opened if
// necessary and if it exists.
func (ws *workspace) remarkUnimported(d *db.DB) {
	if text := ws.unimported(d); text != "" {
		ws.ui.notef("%s", text)
	}
}

// unimported returns the remark, or "".
func (ws *workspace) unimported(d *db.DB) string {
	folders := queue.Unimported(ws.ctx, ws.conf, d)
	if len(folders) == 0 {
		return ""
	}
	names := make([]string, len(folders))
	for i, f := range folders {
		names[i] = filepath.Base(f)
	}
	is, noun := "are", "folders"
	if len(folders) == 1 {
		is, noun = "is", "folder"
	}
	return fmt.Sprintf("there %s %d job %s in %s that %s not in the database (%s); to bring them in: air-executor import",
		is, len(folders), noun, filepath.Dir(folders[0]), is, enumerate(names))
}
