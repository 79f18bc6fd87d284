package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// command returns the order for a single command in its own job, whose output is shown.
func (c *runCmd) command() (*order, error) {
	shell := fromShell{
		dir: c.Dir, env: c.Env, noEnv: c.NoEnv, priority: int(c.Priority), timeout: time.Duration(c.Timeout),
		retry: c.retryFlags, hooks: c.hookFlags, pools: c.Pool,
	}
	if err := shell.check(); err != nil {
		return nil, usage(err, "see air-executor run --help")
	}
	s, err := shell.template()
	if err != nil {
		return nil, err
	}
	s.ID, s.Command, s.Args = c.ID, c.Args[0], c.Args[1:]
	if err := s.Check(); err != nil {
		return nil, usage(err, "")
	}
	name := c.Job
	if name == "" {
		name = queue.CommandJob()
	}
	return &order{wanted: name, tasks: []job.Spec{s}, output: true}, nil
}

// commandFlag returns a given flag that only makes sense for a command.
func (c *runCmd) commandFlag() string {
	flag := firstGiven(
		givenFlag{"--id", c.ID != ""}, givenFlag{"--priority", c.Priority != 0}, givenFlag{"--timeout", c.Timeout != 0},
		givenFlag{"--pool", len(c.Pool) > 0}, givenFlag{"--working-directory", c.Dir != ""}, givenFlag{"--env", len(c.Env) > 0},
		givenFlag{"--no-env", c.NoEnv}, givenFlag{"--exit-code", c.ExitCode != "job"})
	return cmp.Or(flag, c.retryFlags.given())
}

// order returns what to run, from the command line and the job file.
func (c *runCmd) order(ctx context.Context, ui *ui, ws *workspace, args arguments) (*order, error) {
	if c.Follow && (ws.globals.Quiet || ui.json()) {
		return nil, usage(errors.New("--follow does not go with --quiet and --json"), "")
	}
	labels, err := job.ParseLabels(c.Label)
	if err != nil {
		return nil, usage(fmt.Errorf("--label: %w", err), "see air-executor run --help")
	}
	if slices.Contains(args, "--") {
		switch {
		case len(c.Param) > 0:
			return nil, usage(errors.New("--param goes with a job file"), "")
		case len(c.Args) == 0:
			return nil, usage(errors.New("no command after --"), "")
		case c.Parallel != 0:
			return nil, usage(errors.New("--parallel goes with a job file"), "")
		case c.Resume:
			return nil, usage(errors.New("--resume goes with a job file"), "")
		}
		o, err := c.command()
		if err == nil {
			o.labels = labels
		}
		return o, err
	}
	switch len(c.Args) {
	case 0:
		return nil, usage(errors.New("what to run? give a job file, or -- and a command"), "see air-executor run --help")
	case 1:
		if flag := c.commandFlag(); flag != "" {
			return nil, usage(fmt.Errorf("%s is for a command after --; in a job file, each task has its own", flag), "")
		}
		if c.Parallel < 0 || c.Parallel > job.MaxParallel {
			return nil, usage(fmt.Errorf("--parallel: want 1 to %d, got %d", job.MaxParallel, c.Parallel), "")
		}
		o, err := jobFile{c.Args[0], c.Job, c.Param, labels, c.hookFlags}.order(ctx)
		if err == nil && c.Parallel > 0 {
			o.settings.Parallel = &c.Parallel
		}
		return o, err
	}
	return nil, usage(errors.New("one job file at a time"), "to run a command, put -- before it")
}
