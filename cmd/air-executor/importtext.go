package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/air-executor/air-executor/queue"
)

// settleRunning finds out what is to become of the tasks that are to be imported
// and were running when the files were written. It asks on a terminal, and
// refuses elsewhere.
func (c *importCmd) settleRunning(a *app, folders []string) error {
	if c.Running != "" {
		return nil
	}
	ran, err := queue.FindRunning(a.ctx, a.conf, folders, c.options())
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
	if a.json() {
		return c.undecided(len(ran), " ("+enumerate(names)+")")
	}
	const most = 20
	for i, what := range names {
		if i == most {
			a.notef("… and %d more", len(ran)-most)
			break
		}
		a.notef("%s was running when its file was written", what)
	}
	if !isTerminal(os.Stdin) || !isTerminal(a.err) {
		return c.undecided(len(ran), "")
	}
	return c.ask(a)
}

// undecided is the error where nobody can be asked.
func (*importCmd) undecided(n int, which string) error {
	return usage(fmt.Errorf("%s that ran when the files were written may have ended since, and would run a second time%s; nothing is imported", plural(n, "task"), which),
		"--running rerun lets them run again, --running failed counts them as failed; their logs may show how far they came")
}

// ask has a person decide.
func (c *importCmd) ask(a *app) error {
	fmt.Fprint(a.err, "Whether the commands have ended since is not known. Run them again, or count them as failed? [rerun/failed] ")
	answer, err := interruptible(a.ctx, func() (string, error) { return bufio.NewReader(os.Stdin).ReadString('\n') })
	if a.ctx.Err() != nil {
		return a.ctx.Err()
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

// importedText is a line for people.
func importedText(r queue.ImportResult) string {
	var b strings.Builder
	switch {
	case r.Again:
		fmt.Fprintf(&b, "Job %s: was imported before", r.Job)
	case r.PassedOver:
		fmt.Fprintf(&b, "Job %s: passed over, it is there already", r.Job)
	case r.Merged:
		fmt.Fprintf(&b, "Job %s: %s added, %d there already", r.Job, plural(r.Imported, "task"), r.Present)
	default:
		fmt.Fprintf(&b, "Job %s: %s", r.Job, plural(r.Imported, "task"))
	}
	if r.MovedTo != nil {
		fmt.Fprintf(&b, "; its files are now in %s", *r.MovedTo)
	}
	return b.String()
}

// remark says, beside the result, what should not go unnoticed.
func (c *importCmd) remark(a *app, r queue.ImportResult) {
	for _, text := range r.Remarks {
		a.notef("%s", text)
	}
	for _, id := range r.WasRunning {
		what := "it is pending, and runs again"
		if c.Running == string(queue.RunningFailed) {
			what = "it has failed, as lost"
		}
		a.notef("task %q of job %q was running when its file was written; %s", id, r.Job, what)
	}
	for _, d := range r.Differing {
		a.notef("task %q of job %q is there already and stays as it is: %s", d.Task, r.Job, d.What)
	}
}
