package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/air-executor/air-executor/queue"
)

type importCmd struct {
	Running             string   `placeholder:"WHAT" type:"word" words:"rerun,failed" help:"What becomes of tasks that were running when the files were written: rerun (they become pending, and run a second time) or failed (as lost)."`
	KeepRunningAsFailed bool     `hidden:"" help:"The same as --running failed."`
	IfAbsent            bool     `xor:"present" help:"Skip jobs that exist already, without an error."`
	Merge               bool     `xor:"present" help:"Add to existing jobs the tasks that they do not have; existing tasks are not changed."`
	Path                []string `arg:"" optional:"" help:"Folders: of one job, of several jobs, a base path, or one that holds a base path (jobs in the base path)."`
}

func (*importCmd) configured() {}

// Help is printed below the summary.
func (*importCmd) Help() string {
	return `A job's folder holds state.json and tasks.json. Each job is imported as a whole or not at all; if one fails, the others are still imported.

A task that was running when the files were written may have ended since. You decide whether it runs again: with --running, or when asked on a terminal. There is no --yes, because it would not say which.

The files of jobs in the base path itself are moved to imported/DATE in it, or, with mirror_json, kept up to date.

Exit codes: 0 all imported; 1 some could not be; 2 wrong flags, configuration or files, or --running is missing; 5 the program that wrote the files is still running.`
}

// check validates the flags about tasks that were running.
func (c *importCmd) check() error {
	if c.KeepRunningAsFailed && c.Running == "" {
		c.Running = string(queue.RunningFailed)
	}
	switch {
	case c.Running != "" && c.Running != string(queue.RunningAgain) && c.Running != string(queue.RunningFailed):
		return fmt.Errorf("--running: want rerun or failed, got %q", c.Running)
	case c.KeepRunningAsFailed && c.Running != string(queue.RunningFailed):
		return errors.New("--running rerun and --keep-running-as-failed do not go together")
	}
	return nil
}

// options are how jobs are imported.
func (c *importCmd) options() queue.ImportOptions {
	return queue.ImportOptions{Running: queue.Running(c.Running), IfAbsent: c.IfAbsent, Merge: c.Merge}
}

// Run imports every job that it finds.
func (c *importCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if err := c.check(); err != nil {
		return usage(err, "")
	}
	conf, err := ws.config()
	if err != nil {
		return err
	}
	folders, notes, err := queue.FindFolders(ctx, conf, c.Path)
	for _, note := range notes {
		ui.notef("%s", note)
	}
	if err != nil {
		return usage(err, "name the folder of a job, of several jobs, or of a base path")
	}
	if len(folders) == 0 {
		return c.all(ctx, ui, ws, nil, nil) // all were imported before
	}
	if err := queue.CheckServed(folders); err != nil {
		h := err.(*queue.StillServed).By
		return fail(exitManager, err, fmt.Sprintf("stop it first; if process %d is something else, remove %s", h.PID, h.File))
	}
	if err := c.settleRunning(ctx, ui, ws, folders); err != nil {
		return err
	}
	q, err := ws.openUpgraded(ws.ctx, false)
	if err != nil {
		return err
	}
	defer q.Close()
	return c.all(ctx, ui, ws, q, folders)
}
