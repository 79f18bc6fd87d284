package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type enqueueCmd struct {
	Job      string       `short:"j" placeholder:"NAME" predictor:"job" help:"Job to add to; it is created if it does not exist. Inside a task the default is its own job, else 'default'."`
	ID       string       `name:"id" placeholder:"ID" help:"Id of the task, unique in its job. The default is the job's next free number."`
	After    []string     `short:"a" sep:"none" placeholder:"ID" predictor:"task" help:"Run only when this task of the same job has completed, or JOB:ID of another job. May be given several times."`
	AfterAny []string     `sep:"none" placeholder:"ID" predictor:"task" help:"Run only when this task of the same job, or JOB:ID of another job, has ended, in whatever way, or can never run. May be given several times."`
	Priority taskPriority `short:"o" placeholder:"N" help:"Higher runs first; the default is 0."`
	Timeout  taskLimit    `placeholder:"D" help:"End the task after this time, such as 90s or 5m, or none; the default is task_timeout of the configuration, or 30m."`
	Pool     []string     `sep:"none" placeholder:"NAME" predictor:"pool" help:"Hold a place in this pool while the task runs, and wait until it is free; NAME:2 for two places. May be given several times."`
	Dir      string       `name:"working-directory" short:"w" placeholder:"DIR" help:"Where to run; the default is the current directory."`
	Env      []string     `short:"e" sep:"none" placeholder:"KEY=VALUE" help:"Set a variable. May be given several times."`
	NoEnv    bool         `help:"Do not store this shell's environment; run with the manager's."`
	IfAbsent bool         `help:"If there is a task with this id already, do nothing and exit 0; if it differs, say so."`
	Label    []string     `sep:"none" placeholder:"KEY=VALUE" help:"Give the task a label, by which status finds it. May be given several times."`
	Unique   string       `placeholder:"KEY" help:"If a task of the job has this key, print its id, and do nothing."`
	For      string       `name:"unique-for" placeholder:"TIME" help:"How long the task has its key: running, until it has ended (the default); pending, until it starts; or a time such as 10m."`
	Missing  bool         `name:"allow-missing" help:"Accept dependencies on tasks that do not exist yet. The task waits for them."`
	retryFlags
	laterFlags
	hookFlags
	FromFile string   `short:"f" placeholder:"FILE" help:"Add the tasks of a file: JSON lines, or a tasks.json array; - is stdin."`
	Command  []string `arg:"" optional:"" predictor:"command" help:"Command and arguments, after --."`
}

// Help is printed below the summary.
func (*enqueueCmd) Help() string {
	return `Prints the id of the task once it is stored durably. The manager need not be running.

    air-executor enqueue --job build --id test --after compile -- make test
    air-executor enqueue --retries 3 --retry-delay 1m -- rsync -a data/ backup:data/
    air-executor enqueue --at 'tomorrow 09:00' -- ./report
    air-executor enqueue --job sync --unique docs --label team=web -- rsync -a docs/ host:docs

Which failures are tried again, and when tasks start: docs/retries.md. With --unique, the same command from many shells at once stores one task, and each of them prints its id.

Exit codes: 0 stored; 1 not stored, nothing has changed, unless the error says that it is stored; 2 wrong flags, configuration or file; 4 a task that --after or --after-any names does not exist.`
}

// quick reports whether the command waits for nothing but the database.
func (c *enqueueCmd) quick() bool { return c.FromFile == "" }

// Run stores the task, or all tasks of a file.
func (c *enqueueCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if err := c.check(); err != nil {
		return usage(err, "see air-executor enqueue --help")
	}
	if _, err := ws.config(); err != nil {
		return err
	}
	if c.Job != "" {
		if err := ws.checkJobName(c.Job); err != nil {
			return err
		}
	}
	template, err := c.shell().template()
	if err != nil {
		return err
	}
	o := queue.EnqueueOptions{
		Job: c.Job, Caller: queue.CallerByEnv(os.Getenv), IfAbsent: c.IfAbsent, AllowMissing: c.Missing,
		Compare: comparer(len(template.Env) - len(c.Env)),
	}
	if c.FromFile == "" {
		if err := c.laterFlags.set(&template); err != nil {
			return err
		}
		template.ID, template.Dependencies, template.AfterAny, template.Unique = c.ID, c.After, c.AfterAny, c.Unique
		if c.For != "" {
			template.UniqueFor, _ = job.ParseUniqueFor(c.For) // it was checked
		}
		template.Command, template.Args = c.Command[0], c.Command[1:]
		if err := template.Check(); err != nil {
			return usage(err, "")
		}
		return store(ctx, ui, ws, func(yield func(job.Spec, error) bool) { yield(template, nil) }, o)
	}
	o.Template = &template
	return c.file(ctx, ui, ws, o)
}

// check refuses flags that cannot be combined.
func (c *enqueueCmd) check() error {
	switch {
	case c.FromFile == "" && len(c.Command) == 0:
		return errors.New("no command: give one after --, or --from-file")
	case c.FromFile != "" && len(c.Command) > 0:
		return errors.New("a command and --from-file do not go together")
	case c.FromFile != "" && (c.ID != "" || len(c.After)+len(c.AfterAny) > 0):
		return errors.New("--id, --after and --after-any do not go with --from-file; set ids and dependencies in the file")
	case c.FromFile != "" && c.laterFlags.given() != "":
		return fmt.Errorf("%s does not go with --from-file; in a file, each task has its own", c.laterFlags.given())
	case c.IfAbsent && c.ID == "" && c.FromFile == "":
		return errors.New("--if-absent needs --id: without one, every task is a new one")
	}
	if err := c.checkUnique(); err != nil {
		return err
	}
	return c.shell().check()
}

// checkUnique refuses keys that are none.
func (c *enqueueCmd) checkUnique() error {
	switch {
	case c.Unique == "" && c.For == "":
		return nil
	case c.Unique == "":
		return errors.New("--unique-for goes with --unique KEY")
	case c.FromFile != "":
		return errors.New("--unique does not go with --from-file; set unique in the file")
	}
	if err := job.CheckUniqueKey(c.Unique); err != nil {
		return fmt.Errorf("--unique: %w", err)
	}
	if c.For == "" {
		return nil
	}
	if _, err := job.ParseUniqueFor(c.For); err != nil {
		return fmt.Errorf("--unique-for: %w", err)
	}
	return nil
}

// shell returns what tasks get from this shell.
func (c *enqueueCmd) shell() fromShell {
	return fromShell{
		dir: c.Dir, env: c.Env, noEnv: c.NoEnv, priority: int(c.Priority), timeout: time.Duration(c.Timeout),
		retry: c.retryFlags, hooks: c.hookFlags, labels: c.Label, pools: c.Pool,
	}
}
