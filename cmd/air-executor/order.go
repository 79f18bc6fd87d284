package main

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/taskfile"
)

// order is what to run.
type order struct {
	wanted string // requested name of the job
	tasks  []job.Spec
	added  map[string][]string // variables that the file sets, by task
	output bool                // a command, whose output is shown
	path   string              // of the job file
	labels []string            // of the job
	params []string            // NAME=VALUE

	retryHolds *bool        // what the file says of it
	settings   db.JobChange // of the job
}

// jobFile is a job file with what the command line says of it.
type jobFile struct {
	path, name string   // name of the job; empty: that of the file
	params     []string // NAME=VALUE
	labels     []string // of the job, beside those of the file
	hooks      hookFlags
}

// order is the job of the file.
func (j jobFile) order(ctx context.Context) (*order, error) {
	path := j.path
	hooks, err := j.hooks.hooks()
	if err != nil {
		return nil, err
	}
	f, err := interruptible(ctx, func() (*taskfile.JobFile, error) {
		return taskfile.LoadJobWith(path, taskfile.JobOptions{As: j.name, Params: j.params, Output: queue.Output(ctx)})
	})
	if at := (*taskfile.Error)(nil); errors.As(err, &at) && at.Key == "name" && at.Line == 0 {
		return nil, usage(err, "or give the name here: --job NAME")
	}
	if errors.Is(err, fs.ErrNotExist) {
		if _, e := exec.LookPath(path); e == nil {
			return nil, usage(err, "to run a command, put -- before it: air-executor run -- "+shellLine([]string{path}))
		}
	}
	if err != nil {
		return nil, err
	}
	dir, err := taskDir("")
	if err != nil {
		return nil, err
	}
	o := &order{
		wanted: f.Name, path: path, labels: queue.MergeLabels(f.Labels, j.labels), params: j.params, retryHolds: f.RetryHolds,
		settings: db.JobChange{Parallel: f.Parallel, Priority: f.Priority, Hooks: hooks.Over(f.Hooks)},
	}
	o.tasks, o.added = queue.FileTasks(f, dir, shellEnv())
	return o, nil
}

// noteTimes says what is odd about the times at which tasks are to start.
func (o *order) noteTimes(ui *ui) {
	for _, s := range o.tasks {
		if s.DueNote != "" {
			ui.notef("task %s: %s", oneLine(s.ID), s.DueNote)
		}
	}
}

// openFor opens the queue for an order.
func openFor(ctx context.Context, ws *workspace, o *order) (*queue.Queue, error) {
	if err := ws.checkJobName(o.wanted); err != nil {
		return nil, err
	}
	conf, err := ws.config()
	if err != nil {
		return nil, err
	}
	if err := runner.CheckJobs(conf.BasePath); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err // before there is a job
	}
	return ws.openUpgraded(ctx, false)
}

// explainBegin adds what to do about a job that could not begin.
func explainBegin(err error, o *order) error {
	if there := (*queue.Unfinished)(nil); errors.As(err, &there) {
		return fail(exitError, err, otherName(there.Job.Name, o))
	}
	if errors.Is(err, db.ErrContradict) {
		return fail(exitError, err, "undo that in the file, or run it as a new job: --job NAME")
	}
	return explainEnqueue(err)
}

// otherName returns the hint about a job that exists and has not completed. A command
// cannot be resumed.
func otherName(name string, o *order) string {
	if o.path == "" {
		return "give the new one another name with --job"
	}
	return "to go on with it: " + resumeLine(name, o) + "; for a new job, give another name with --job"
}

// resumeLine returns the command that resumes the job of a file.
func resumeLine(name string, o *order) string {
	line := []string{name}
	for _, p := range o.params {
		line = append(line, "--param", p)
	}
	return "air-executor run --resume --job " + shellLine(append(line, o.path))
}
