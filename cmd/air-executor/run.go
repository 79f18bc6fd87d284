package main

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/taskfile"
)

type runCmd struct {
	Job      string       `short:"j" placeholder:"NAME" predictor:"job" help:"Name for the job, instead of the one in the file."`
	Resume   bool         `help:"Go on with a job that was interrupted or has failed. Completed tasks stay completed; the others run as the file says now."`
	Follow   bool         `short:"f" help:"Print what the tasks of a job file write, as 'logs --follow' does. The output of a command is always printed."`
	ID       string       `name:"id" placeholder:"ID" help:"Id of the task, for a command. The default is 1."`
	Priority taskPriority `short:"o" placeholder:"N" help:"Priority of a command among all ready tasks; higher runs first. The default is 0."`
	Timeout  taskLimit    `placeholder:"D" help:"End a command after this time, such as 90s or 5m, or none; the default is task_timeout of the configuration, or 30m."`
	Dir      string       `name:"working-directory" short:"w" placeholder:"DIR" help:"Where to run a command; the default is the current directory."`
	Env      []string     `short:"e" sep:"none" placeholder:"KEY=VALUE" help:"Set a variable for a command. May be given several times."`
	NoEnv    bool         `help:"Run a command with the manager's environment, not with this shell's."`
	ExitCode string       `placeholder:"job|command" enum:"job,command" default:"job" type:"word" words:"job,command" help:"With 'command', exit with the exit code of the command."`
	Args     []string     `arg:"" optional:"" name:"file" help:"Job file (YAML or JSON; - is stdin), or -- and a command with its arguments."`
	asksNothing
}

func (*runCmd) configured() {}

// Help is printed below the summary.
func (*runCmd) Help() string {
	return `Shows progress, and ends when the job has ended:

    air-executor run pipeline.yaml
    air-executor run --timeout none -- make test

If a manager serves this base path, it runs the tasks, and Ctrl-C only stops watching. If none does, this command runs them itself. Ctrl-C then ends running tasks and cancels pending ones, so that nothing of the job starts later. When nobody reads the output any more, as after "| head", that counts as Ctrl-C; the exit code is 141.

A task that sets no timeout is ended after task_timeout of the configuration, 30 minutes unless configured otherwise.

If a job of this name has completed, it is left alone, and the new one gets a number: build, build-2. --resume FILE runs every task that has not completed, as the file defines it now, drops tasks that are no longer in the file, and prints what has changed; if there is no such job, it says so and begins it.

With --quiet it prints neither progress nor output, only what has failed.

The standard input of a command is empty. With --exit-code command, the exit code is that of the command, or 128 plus the number of the signal that ended it, 124 if it ran out of time, 127 if there is no such command.

Exit codes: 0 the job has completed; 1 error; 2 wrong flags, configuration or job file; 3 the job has failed; 130 interrupted.`
}

// printsQuietly says that run prints what has failed with --quiet too.
func (*runCmd) printsQuietly() {}

// Run runs a job file or a command.
func (c *runCmd) Run(a *app) error {
	if c.Follow && (a.globals.Quiet || a.json()) {
		return usage(errors.New("--follow does not go with --quiet and --json"), "")
	}
	if slices.Contains(a.args, "--") {
		switch {
		case len(c.Args) == 0:
			return usage(errors.New("no command after --"), "")
		case c.Resume:
			return usage(errors.New("--resume goes with a job file"), "")
		}
		return c.command(a)
	}
	switch len(c.Args) {
	case 0:
		return usage(errors.New("what to run? give a job file, or -- and a command"), "see air-executor run --help")
	case 1:
		if flag := c.commandFlag(); flag != "" {
			return usage(fmt.Errorf("%s is for a command after --; in a job file, each task has its own", flag), "")
		}
		return c.file(a, c.Args[0])
	}
	return usage(errors.New("one job file at a time"), "to run a command, put -- before it")
}

// commandFlag is a flag that was given and makes sense for a command only.
func (c *runCmd) commandFlag() string {
	switch {
	case c.ID != "":
		return "--id"
	case c.Priority != 0:
		return "--priority"
	case c.Timeout != 0:
		return "--timeout"
	case c.Dir != "":
		return "--working-directory"
	case len(c.Env) > 0:
		return "--env"
	case c.NoEnv:
		return "--no-env"
	case c.ExitCode != "job":
		return "--exit-code"
	}
	return ""
}

// command runs a single command in a job of its own, and shows its output.
func (c *runCmd) command(a *app) error {
	shell := fromShell{dir: c.Dir, env: c.Env, noEnv: c.NoEnv, priority: int(c.Priority), timeout: time.Duration(c.Timeout)}
	if err := shell.check(); err != nil {
		return usage(err, "see air-executor run --help")
	}
	s, err := shell.template()
	if err != nil {
		return err
	}
	s.ID, s.Command, s.Args = c.ID, c.Args[0], c.Args[1:]
	if err := s.Check(); err != nil {
		return usage(err, "")
	}
	name := c.Job
	if name == "" {
		// Two that begin in the same second are two jobs.
		name = fmt.Sprintf("run-%s-%d", time.Now().Format("20060102-150405"), os.Getpid())
	}
	return c.watch(a, &order{wanted: name, specs: []job.Spec{s}, output: true})
}

// order is what is to be run.
type order struct {
	wanted string // name of the job
	specs  []job.Spec
	added  map[string][]string // by task, the variables that its file sets
	output bool                // a command, whose output is shown
	path   string              // of the job file
}

// file runs the job of a job file.
func (c *runCmd) file(a *app, path string) error {
	f, err := interruptible(a.ctx, func() (*taskfile.JobFile, error) { return taskfile.LoadJob(path, c.Job) })
	if at := (*taskfile.Error)(nil); errors.As(err, &at) && at.Key == "name" && at.Line == 0 {
		return usage(err, "or give the name here: --job NAME")
	}
	if errors.Is(err, fs.ErrNotExist) {
		if _, e := exec.LookPath(path); e == nil {
			return usage(err, "to run a command, put -- before it: air-executor run -- "+shellLine([]string{path}))
		}
	}
	if err != nil {
		return err
	}
	dir, err := taskDir("")
	if err != nil {
		return err
	}
	env := shellEnv()
	o := &order{wanted: f.Name, specs: make([]job.Spec, len(f.Tasks)), added: map[string][]string{}, path: path}
	for i, t := range f.Tasks {
		o.specs[i] = t.Spec
		if t.Dir == "" {
			o.specs[i].Dir = dir
		}
		o.specs[i].Env = env
		if len(t.AddEnv) > 0 {
			o.specs[i].Env = append(slices.Clone(env), t.AddEnv...)
			o.added[t.ID] = t.AddEnv
		}
	}
	return c.watch(a, o)
}

// watch queues the tasks, has them run, and shows how.
func (c *runCmd) watch(a *app, o *order) error {
	if err := a.checkJobName(o.wanted); err != nil {
		return err
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	if err := runner.CheckJobs(conf.BasePath); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // before there is a job
	}
	q, err := a.openForRunning(a.ctx, false)
	if err != nil {
		return err
	}
	defer q.Close()
	w := &watcher{ui: a.ui, ws: a.workspace, queue: q, db: q.DB, output: o.output, quiet: a.globals.Quiet, begin: time.Now(), screen: block{out: a.out}}
	if err := c.queue(a, w, o); err != nil {
		return explainRun(err)
	}
	if c.Follow && !o.output {
		w.followOutput()
		defer w.follow.Close()
	}
	end, err := c.serveAndWatch(a, w, o)
	if err != nil {
		return err
	}
	if a.json() {
		err = a.printJSON(end.Form())
	}
	if err == nil && !end.OK() {
		err = silent(c.failure(end))
	}
	return err
}

// queue stores the tasks of a new job, or changes those of one that is to go on.
// Then the watcher knows the name of the job, and where to begin.
func (c *runCmd) queue(a *app, w *watcher, o *order) error {
	tasks := func(yield func(job.Spec, error) bool) {
		for _, s := range o.specs {
			if !yield(s, nil) {
				return
			}
		}
	}
	options := queue.EnqueueOptions{Caller: queue.CallerByEnv(os.Getenv), NewJob: true, FromFile: !o.output}
	for {
		name, fresh, err := c.choose(a, w.db, o)
		if err != nil {
			return err
		}
		options.Job = name
		if !fresh {
			return c.resume(a, w, o, tasks, options)
		}
		if c.Resume {
			a.notef("there is no job %q to go on with; all of it runs, as a new job", name)
		}
		last, err := w.db.LastStep(a.ctx)
		if err != nil {
			return err
		}
		w.watch(name, last)
		_, err = w.queue.Enqueue(a.ctx, tasks, options)
		if !errors.Is(err, db.ErrJobExists) {
			return err
		}
		// Another run was faster. What it has made of the name is the next question.
	}
}

// resume lets a job go on as the file says now, and says what differs.
func (c *runCmd) resume(a *app, w *watcher, o *order, tasks iter.Seq2[job.Spec, error], options queue.EnqueueOptions) error {
	r, err := w.queue.Resume(a.ctx, tasks, options)
	if err != nil && !errors.As(err, new(*queue.FilesLeft)) {
		return err
	}
	w.watch(options.Job, r.LastStep)
	for _, line := range differences(r, o.added) {
		a.notef("%s", line)
	}
	return err
}

// explainRun adds what to do about an error of the queueing.
func explainRun(err error) error {
	if errors.Is(err, db.ErrContradict) {
		return fail(exitError, err, "undo that in the file, or run it as a new job: --job NAME")
	}
	return explainEnqueue(err)
}

// choose finds a name for the job: the one wanted if there is no such job yet,
// or if it is to be resumed; with a number if that one has completed.
func (c *runCmd) choose(a *app, d *db.DB, o *order) (name string, fresh bool, err error) {
	name = o.wanted
	for n := 2; ; n++ {
		j, err := d.Job(a.ctx, name)
		switch {
		case errors.Is(err, db.ErrNoJob):
			return name, true, nil
		case err != nil:
			return "", false, err
		case c.Resume:
			return name, false, nil
		case j.State != job.StateCompleted:
			return "", false, fail(exitError,
				fmt.Errorf("job %q exists already, in state %s with %d of %d tasks completed", name, j.State, j.Tasks.Completed, j.Tasks.Total()),
				otherName(name, o))
		}
		name = fmt.Sprintf("%s-%d", o.wanted, n)
	}
}

// otherName is the hint about a job that is there and has not completed. A command
// cannot be resumed.
func otherName(name string, o *order) string {
	if o.path == "" {
		return "give the new one another name with --job"
	}
	return "to go on with it: " + resumeLine(name, o) + "; for a new job, give another name with --job"
}

// resumeLine is the command that goes on with a job of a file.
func resumeLine(name string, o *order) string {
	return "air-executor run --resume --job " + shellLine([]string{name, o.path})
}
