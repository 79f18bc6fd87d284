package main

import (
	"errors"

	"github.com/air-executor/air-executor/db"
)

// pausable is what pause and resume are about.
type pausable struct {
	jobsArg
	All bool `help:"All jobs, and those that are queued later."`
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

// slowRunner says whose runner has not done what it was asked.
func (ui *ui) slowRunner(a db.Active) {
	ui.notef("waiting for the runner of task %q of job %q (PID %d on %s)", a.Task, a.Job, a.Runner.PID, a.Runner.Host)
}
