package main

import (
	"context"
	"slices"

	"github.com/air-executor/air-executor/queue"
)

type resumeCmd struct {
	pausable
}

// Help is printed below the summary.
func (*resumeCmd) Help() string {
	return `Tasks of the jobs may start again, and frozen ones go on. A pause of all jobs ends with --all; a job that was also paused by its name is resumed by its name.

    air-executor resume nightly
    air-executor resume --all

To go on with a job file that was interrupted: air-executor run --resume FILE. To run failed tasks again: air-executor reset.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job; 130 interrupted.`
}

// Run ends the pause of jobs.
func (c *resumeCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	names, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	done, err := q.ResumeJobs(ctx, queue.PauseOptions{Jobs: names, Waiting: ui.slowRunner})
	if err != nil {
		return ws.suggestTask(err, names)
	}
	p, err := q.DB.Pauses(ctx)
	if err != nil {
		return err
	}
	if ui.json() {
		err = ui.printJSON(done)
	} else {
		for _, r := range done {
			was := "not paused"
			if r.Job == nil {
				was = "not paused together"
			}
			ui.tellPause(r.Job, r.Resumed, "resumed", was, "")
		}
		ws.hintNoManager()
	}
	var still []string
	for name := range p.Jobs {
		if len(names) == 0 {
			still = append(still, name)
		}
	}
	slices.Sort(still)
	if len(still) > 0 {
		ui.notef("%s still paused by name: %s", verb(len(still), "job is", "jobs are"), enumerate(still))
	}
	for _, text := range pauseRemarks(p, nil) {
		ui.notef("%s", text)
	}
	return err
}
