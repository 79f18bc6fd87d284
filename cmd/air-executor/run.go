package main

import (
	"context"
)

type runCmd struct {
	Job      string       `short:"j" placeholder:"NAME" predictor:"job" help:"Name for the job, instead of the one in the file."`
	Resume   bool         `help:"Continue a job that was interrupted or has failed. Completed tasks stay completed; the others run as the file says now."`
	Follow   bool         `short:"f" help:"Print what the tasks of a job file write, as 'logs --follow' does. The output of a command is always printed."`
	ID       string       `name:"id" placeholder:"ID" help:"Id of the task, for a command. The default is 1."`
	Priority taskPriority `short:"o" placeholder:"N" help:"Priority of a command among all ready tasks; higher runs first. The default is 0."`
	Timeout  taskLimit    `placeholder:"D" help:"End a command after this time, such as 90s or 5m, or none; the default is task_timeout of the configuration, or 30m."`
	Pool     []string     `sep:"none" placeholder:"NAME" predictor:"pool" help:"Hold a place in this pool while a command runs; NAME:2 for two places. May be given several times."`
	Parallel int          `placeholder:"N" help:"How many tasks of the job file may run at once; the default is that of the file, or 1."`
	Dir      string       `name:"working-directory" short:"w" placeholder:"DIR" help:"Where to run a command; the default is the current directory."`
	Env      []string     `short:"e" sep:"none" placeholder:"KEY=VALUE" help:"Set a variable for a command. May be given several times."`
	NoEnv    bool         `help:"Run a command with the manager's environment, not with this shell's."`
	retryFlags
	hookFlags
	ExitCode string   `placeholder:"job|command" enum:"job,command" default:"job" type:"word" words:"job,command" help:"With 'command', exit with the exit code of the command."`
	Param    []string `sep:"none" placeholder:"NAME=VALUE" help:"Give a parameter of the job file its value. May be given several times."`
	Label    []string `sep:"none" placeholder:"KEY=VALUE" help:"Give the job a label, by which status finds it. May be given several times."`
	Args     []string `arg:"" optional:"" name:"file" help:"Job file (YAML or JSON; - is stdin), or -- and a command with its arguments."`
	asksNothing
}

func (*runCmd) configured() {}

// Help is printed below the summary.
func (*runCmd) Help() string {
	return `Shows live progress, and exits when the job has ended:

    air-executor run pipeline.yaml
    air-executor run report.yaml --param day=2026-01-31
    air-executor run --timeout none -- make test

If a manager serves this base path, it runs the tasks, and Ctrl-C only stops watching. If none does, this command runs them itself. Ctrl-C then ends running tasks and cancels pending ones, so that nothing of the job starts later. If the reader of the output goes away, as after "| head", that counts as Ctrl-C; the exit code is 141.

A task that sets no timeout is ended after task_timeout of the configuration, 30 minutes unless configured otherwise.

If a job of this name has completed, it is left alone, and the new one gets a number: build, build-2. --resume FILE runs every task that has not completed, as the file defines it now, drops tasks that are no longer in the file, and prints what has changed; if there is no such job, it says so and starts a new one.

With --quiet it prints neither progress nor output, only what has failed.

The standard input of a command is empty. With --exit-code command, the exit code is that of the command, or 128 plus the number of the signal that ended it, 124 if it ran out of time, 127 if there is no such command.

Exit codes: 0 the job has completed; 1 error; 2 wrong flags, configuration or job file; 3 the job has failed; 130 interrupted.`
}

// printsQuietly says that run prints what has failed with --quiet too.
func (*runCmd) printsQuietly() {}

// Run runs a job file or a command.
func (c *runCmd) Run(ctx context.Context, ui *ui, ws *workspace, args arguments) error {
	o, err := c.order(ctx, ui, ws, args)
	if err != nil {
		return err
	}
	q, err := openFor(ctx, ws, o)
	if err != nil {
		return err
	}
	defer q.Close()
	w := newWatcher(ui, ws, q, o.output)
	if err := c.begin(ctx, q, w, o); err != nil {
		return explainBegin(err, o)
	}
	if c.Follow && !o.output {
		w.followOutput()
		defer w.follow.Close()
	}
	end, err := w.toTheEnd(ctx, o)
	if err != nil {
		return err
	}
	if ui.json() {
		err = ui.printJSON(end.Form())
	}
	if err == nil && !end.OK() {
		err = silent(c.failure(end))
	}
	return err
}
