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

	settings db.JobChange // of the job
}

// fileOrder is the job of a job file, under another name if one is given.
func fileOrder(ctx context.Context, path, name string) (*order, error) {
	f, err := interruptible(ctx, func() (*taskfile.JobFile, error) { return taskfile.LoadJob(path, name) })
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
	o := &order{wanted: f.Name, path: path, settings: db.JobChange{Parallel: f.Parallel, Priority: f.Priority}}
	o.tasks, o.added = queue.FileTasks(f, dir, shellEnv())
	return o, nil
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
	return ws.openForRunning(ctx, false)
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
	return "air-executor run --resume --job " + shellLine([]string{name, o.path})
}
