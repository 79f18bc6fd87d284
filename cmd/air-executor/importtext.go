package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/air-executor/air-executor/queue"
)

// settleRunning decides what to do with tasks to be imported that were running when the
// files were written. It asks on a terminal, and refuses elsewhere.
func (c *importCmd) settleRunning(ctx context.Context, ui *ui, ws *workspace, folders []string) error {
	if c.Running != "" {
		return nil
	}
	ran, err := queue.FindRunning(ctx, ws.conf, folders, c.options())
	if err != nil {
		return err
	}
	if len(ran) == 0 {
		return nil
	}
	names := make([]string, len(ran))
	for i, t := range ran {
		names[i] = t.String()
	}
	if ui.json() {
		return c.undecided(len(ran), " ("+enumerate(names)+")")
	}
	const most = 20
	for i, what := range names {
		if i == most {
			ui.notef("… and %d more", len(ran)-most)
			break
		}
		ui.notef("%s was running when its file was written", what)
	}
	if !isTerminal(os.Stdin) || !isTerminal(ui.err) {
		return c.undecided(len(ran), "")
	}
	return c.ask(ctx, ui)
}

// undecided returns the error if there is no terminal to ask on.
func (*importCmd) undecided(n int, which string) error {
	return usage(fmt.Errorf("%s that ran when the files were written may have ended since, and would run a second time%s; nothing is imported", plural(n, "task"), which),
		"--running rerun lets them run again, --running failed counts them as failed; their logs may show how far they came")
}

// ask lets the user decide.
func (c *importCmd) ask(ctx context.Context, ui *ui) error {
	fmt.Fprint(ui.err, "It is not known whether the commands have ended since. Run them again, or count them as failed? [rerun/failed] ")
	answer, err := interruptible(ctx, func() (string, error) { return bufio.NewReader(os.Stdin).ReadString('\n') })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && err != io.EOF {
		return err
	}
	switch answer = strings.ToLower(strings.TrimSpace(answer)); answer {
	case string(queue.RunningAgain), string(queue.RunningFailed):
		c.Running = answer
		return nil
	}
	return usage(fmt.Errorf("%q is neither rerun nor failed; nothing is imported", answer), "")
}

// importedText describes the result of an import in one line.
func importedText(r queue.ImportResult) string {
	var b strings.Builder
	switch {
	case r.Again:
		fmt.Fprintf(&b, "Job %s: was imported before", r.Job)
	case r.PassedOver:
		fmt.Fprintf(&b, "Job %s: skipped, it exists already", r.Job)
	case r.Merged:
		fmt.Fprintf(&b, "Job %s: %s added, %d existed already", r.Job, plural(r.Imported, "task"), r.Present)
	default:
		fmt.Fprintf(&b, "Job %s: %s", r.Job, plural(r.Imported, "task"))
	}
	if r.MovedTo != nil {
		fmt.Fprintf(&b, "; its files are now in %s", *r.MovedTo)
	}
	return b.String()
}

// remark reports, besides the result, what should not go unnoticed.
func (c *importCmd) remark(ui *ui, r queue.ImportResult) {
	for _, text := range r.Remarks {
		ui.notef("%s", text)
	}
	for _, id := range r.WasRunning {
		what := "it is pending, and runs again"
		if c.Running == string(queue.RunningFailed) {
			what = "it has failed, as lost"
		}
		ui.notef("task %q of job %q was running when its file was written; %s", id, r.Job, what)
	}
	for _, d := range r.Differing {
		ui.notef("task %q of job %q exists already and was not changed: %s", d.Task, r.Job, d.What)
	}
}
