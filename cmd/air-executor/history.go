package main

import (
	"context"

	"github.com/air-executor/air-executor/queue"
)

type historyCmd struct {
	historyArgs
	Since  pastTime `placeholder:"WHEN" help:"Only what has ended since then: how long ago, as in 90m, 12h or 2d, or a time such as yesterday, 08:30 or '2026-03-01 08:30'."`
	Until  pastTime `placeholder:"WHEN" help:"Only what had ended before then."`
	Status string   `placeholder:"STATUS" enum:",completed,failed,exited,signaled,timed_out,cancelled,lost,too_much_output,not_started,imported,skipped" type:"word" words:"completed,failed,exited,signaled,timed_out,cancelled,lost,too_much_output,not_started,imported,skipped" default:"" help:"Only what is completed, or has failed, or has failed for this reason: exited, signaled, timed_out, cancelled, lost, too_much_output, not_started, imported or skipped."`
	Limit  signed   `short:"n" placeholder:"N" default:"50" help:"Show the newest N; 0 shows all (${default})."`
	Jobs   bool     `help:"List the jobs that have ended and not the attempts of their tasks."`
}

// Help is printed below the summary.
func (*historyCmd) Help() string {
	return `Lists what has ended, newest first: each attempt of each task of all jobs, also those that failed before a later one completed. Tasks that were cancelled before they started, or imported, are listed without an attempt.

    air-executor history
    air-executor history --since 2d --status failed
    air-executor history 'build-*' --label team=web --limit 0

With --jobs, it lists jobs that have nothing left to run, by when they have changed last.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or database; 130 interrupted.`
}

// Run shows the history.
func (c *historyCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, query, err := c.open(ws, c.Since, c.Until, c.Limit)
	if err != nil {
		return err
	}
	defer q.Close()
	query.Status, query.Limit = c.Status, int(c.Limit)
	if !ui.json() {
		ui.remarkOnTimeZone()
	}
	if c.Jobs {
		err = c.jobs(ctx, ui, q, query)
	} else {
		err = c.attempts(ctx, ui, q, query)
	}
	return asked(err)
}

// more remarks that there may be older ones.
func (c *historyCmd) more(ui *ui, shown int) {
	switch {
	case shown == 0:
		ui.notef("nothing has ended, or none of it is what was asked for")
	case shown == int(c.Limit) && isTerminal(ui.out):
		ui.notef("these are the newest %d; --limit 0 shows all, --until goes back in time", shown)
	}
}

func (c *historyCmd) jobs(ctx context.Context, ui *ui, q *queue.Queue, query queue.HistoryQuery) error {
	jobs, err := q.HistoryJobs(ctx, query)
	if err != nil {
		return err
	}
	if ui.json() {
		forms := []queue.EndedJobForm{}
		for _, j := range jobs {
			forms = append(forms, queue.ToEndedJobForm(j))
		}
		return ui.printJSON(forms)
	}
	if c.more(ui, len(jobs)); len(jobs) == 0 {
		return nil
	}
	return c.jobTable(ui, jobs).print(ui.out, ui.width())
}
