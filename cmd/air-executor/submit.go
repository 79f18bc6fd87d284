package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type submitCmd struct {
	Job   string   `short:"j" placeholder:"NAME" predictor:"job" help:"Name for the job, instead of the one in the file."`
	Param []string `sep:"none" placeholder:"NAME=VALUE" help:"Give a parameter of the file its value. May be given several times."`
	Label []string `sep:"none" placeholder:"KEY=VALUE" help:"Give the job a label, by which status finds it. May be given several times."`
	hookFlags
	File string `arg:"" name:"file" help:"Job file (YAML or JSON; - is stdin)."`
}

// Help is printed below the summary.
func (*submitCmd) Help() string {
	return `Prints the name of the job once it is stored durably, with all of its tasks. The manager need not be running.

    air-executor submit report.yaml --param day=2026-01-31

If a job of this name has completed, it is left alone, and the new one gets a number: report, report-2. "run FILE" does the same, and watches it to its end.

Exit codes: 0 stored; 1 not stored, nothing has changed, unless the error says that it is stored; 2 wrong flags, configuration or job file; 130 interrupted.`
}

// Run stores the job.
func (c *submitCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	labels, err := job.ParseLabels(c.Label)
	if err != nil {
		return usage(fmt.Errorf("--label: %w", err), "see air-executor submit --help")
	}
	o, err := jobFile{c.File, c.Job, c.Param, labels, c.hookFlags}.order(ctx)
	if err != nil {
		return err
	}
	if err := ws.checkJobName(o.wanted); err != nil {
		return err
	}
	q, err := ws.openUpgraded(ws.ctx, false)
	if err != nil {
		return err
	}
	defer q.Close()
	o.noteTimes(ui)
	done, err := q.Submit(ctx, o.tasks, queue.BeginOptions{EnqueueOptions: queue.EnqueueOptions{
		Job: o.wanted, Caller: queue.CallerByEnv(os.Getenv), FromFile: true, Labels: o.labels,
		RetryHolds: o.retryHolds, Settings: &o.settings,
	}})
	if there := (*queue.Unfinished)(nil); errors.As(err, &there) {
		return fail(exitError, err, otherName(there.Job.Name, o))
	}
	if err != nil {
		return explainEnqueue(err)
	}
	signal.Ignore(syscall.SIGPIPE) // which would end it without a word
	if ui.json() {
		err = ui.printJSON(done)
	} else {
		_, err = fmt.Fprintln(ui.out, done.Job)
	}
	if err != nil {
		return fail(exitError, fmt.Errorf("job %s is stored, but its name could not be printed: %w", done.Job, err), "")
	}
	ws.hintNoManager()
	return nil
}
