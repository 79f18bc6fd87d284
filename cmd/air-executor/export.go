package main

import (
	"context"
	"errors"

	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/queue"
)

type exportCmd struct {
	Job  string `short:"j" placeholder:"NAME" predictor:"job" help:"Export this job only."`
	Path string `arg:"" optional:"" help:"Folder to write to, with a folder for each job (jobs in the base path)."`
}

// Help is printed below the summary.
func (*exportCmd) Help() string {
	return `Writes JOB/state.json and JOB/tasks.json. Each file is replaced as a whole.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job.`
}

// Run exports one job or all.
func (c *exportCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if c.Path == "-" {
		return usage(errors.New("export writes two files for each job; it cannot write them to standard output"), "give a folder; if it is called -, write ./-")
	}
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	done := []queue.ExportResult{}
	err = q.Export(ctx, c.Job, c.Path, func(r queue.ExportResult) {
		done = append(done, r)
		if !ui.json() {
			ui.printf("%s\n", r.Path)
		}
	})
	if errors.Is(err, jobfolder.ErrOther) {
		return fail(exitError, err, "import or remove that one, or export to another folder")
	}
	if err == nil && ui.json() {
		err = ui.printJSON(done)
	}
	return err
}
