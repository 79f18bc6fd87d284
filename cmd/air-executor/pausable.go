package main

import (
	"errors"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// pausable is what pause and resume are about.
type pausable struct {
	jobsArg
	All bool `help:"All jobs, and those that are queued later."`
}

// open returns the names of the jobs, none for all, and opens the queue.
func (p *pausable) open(ws *workspace) ([]string, *queue.Queue, error) {
	names, err := p.jobs()
	if err != nil {
		return nil, nil, err
	}
	q, err := ws.queue()
	return names, q, err
}

// jobs returns the names; none: all.
func (p *pausable) jobs() ([]string, error) {
	given := len(p.Flag)+len(p.Arg) > 0
	switch {
	case p.All && given:
		return nil, usage(errors.New("--all and the name of a job do not go together"), "")
	case p.All:
		return nil, nil
	case !given:
		return nil, usage(errors.New("which job? give --job NAME, or --all"), "air-executor status lists the jobs")
	}
	return p.required()
}

// subject names a job, or all.
func subject(name *string) string {
	if name == nil {
		return "All jobs"
	}
	return "Job " + *name
}

// tellPause says what a pause or its end has done to a job or to all: what was done, or
// what it was already.
func (ui *ui) tellPause(job *string, changed bool, done, was, more string) {
	verb := ""
	switch {
	case changed && job == nil:
		verb = "are "
	case changed:
	case job == nil:
		verb = "were "
	default:
		verb = "was "
	}
	if !changed {
		done = was
	}
	ui.printf("%s %s%s%s\n", subject(job), verb, done, more)
}

// slowRunner says whose runner has not done what it was asked.
func (ui *ui) slowRunner(a db.Active) {
	ui.notef("waiting for the runner of task %q of job %q (PID %d on %s)", a.Task, a.Job, a.Runner.PID, a.Runner.Host)
}
