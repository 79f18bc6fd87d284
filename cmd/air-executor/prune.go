package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type pruneCmd struct {
	OlderThan *age   `placeholder:"AGE" help:"What has ended so long ago, such as 30d, 2w or 12h."`
	Keep      *count `placeholder:"N" help:"The N jobs that have ended last stay."`
	KeepTasks *count `placeholder:"N" help:"The N tasks that have ended last stay in each job that is not deleted itself; older ones go."`
	Status    string `enum:",completed,failed" type:"word" words:"completed,failed" default:"" placeholder:"STATUS" help:"Only what is completed, or only what has failed; the default is both."`
	DryRun    bool   `short:"n" help:"Say what would be deleted, and delete nothing."`
	jobPatterns
	asks
}

// Help is printed below the summary.
func (*pruneCmd) Help() string {
	return `Deletes jobs that have ended, with their tasks, attempts and logs, for good: those that have not changed for as long as --older-than says, but for the newest ones that --keep says. In jobs that go on, and in ended ones that stay, it deletes tasks that have ended so long ago, and those beyond the newest that --keep-tasks says.

What something still needs stays: a task on which one depends that has not completed, or which has queued one that has not ended; one whose unique key has time left; a job that is paused, or into which a schedule queues. The tasks of a job file stay as long as their job.

It deletes in small commits, and holds up nothing that runs or is queued meanwhile. On a terminal it first says how much it would delete, and asks. To have the manager do this by itself, see retention in the configuration.

Exit codes: 0 done, also where there was nothing to delete; 1 error, or the answer was no; 2 wrong flags or configuration; 4 no such job or database; 130 interrupted.`
}

// Run prunes.
func (c *pruneCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	if !c.Yes && !c.DryRun && isTerminal(os.Stdin) { // to count takes as long as to look for all of it
		would := o
		would.DryRun = true
		found, err := q.Prune(ctx, would)
		if err != nil {
			return asked(err)
		}
		if err := c.confirm(ctx, ui, found.Jobs+found.Tasks, "this deletes "+pruned(found)); err != nil {
			return err
		}
	}
	done, err := q.Prune(ctx, o)
	if left := (*queue.FilesLeft)(nil); err != nil && !errors.As(err, &left) {
		if done.Jobs+done.Tasks > 0 {
			ui.notef("deleted before that: %s", pruned(done))
		}
		return asked(err)
	}
	return errors.Join(c.tell(ui, done), err)
}

func (c *pruneCmd) tell(ui *ui, done queue.PruneForm) error {
	switch {
	case ui.json():
		return ui.printJSON(done)
	case c.DryRun:
		ui.printf("Would delete %s\n", pruned(done))
	default:
		ui.printf("Deleted %s\n", pruned(done))
	}
	return nil
}

// pruned says how much was deleted.
func pruned(f queue.PruneForm) string {
	return fmt.Sprintf("%s, %s and %s of logs", plural(f.Jobs, "job"), plural(f.Tasks, "task"), size(f.Bytes))
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	const unit = 1024
	if bytes < unit {
		return plural(int(bytes), "byte")
	}
	value, units := float64(bytes)/unit, "KMGT"
	for value >= unit && len(units) > 1 {
		value, units = value/unit, units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", value, units[0])
}

func (c *pruneCmd) options() (queue.PruneOptions, error) {
	if c.OlderThan == nil && c.Keep == nil && c.KeepTasks == nil {
		return queue.PruneOptions{}, usage(errors.New("prune needs --older-than, --keep or --keep-tasks"), "what ended a month ago: air-executor prune --older-than 30d; everything that has ended: air-executor prune --older-than 0")
	}
	o := queue.PruneOptions{
		OlderThan: (*time.Duration)(c.OlderThan), Keep: (*int)(c.Keep), KeepTasks: (*int)(c.KeepTasks),
		Status: job.Status(strings.ToLower(c.Status)), Jobs: c.names(), DryRun: c.DryRun, Now: time.Now(),
	}
	return o, nil
}

// age is how old something is.
type age time.Duration

// Decode reads the age.
func (a *age) Decode(c *kong.DecodeContext) error {
	return decodeTime((*time.Duration)(a), c, job.ParseAge)
}

// count is a number that is not negative.
type count int

// Decode reads the number.
func (n *count) Decode(c *kong.DecodeContext) error {
	var s signed
	if err := s.Decode(c); err != nil {
		return err
	}
	if s < 0 {
		return fmt.Errorf("want a number from 0 on, got %d", s)
	}
	*n = count(s)
	return nil
}
