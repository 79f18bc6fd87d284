package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// defaultJob is where tasks go that name no job.
const defaultJob = "default"

type enqueueCmd struct {
	Job      string    `short:"j" placeholder:"NAME" predictor:"job" help:"Job to add to; it is created if need be. Inside a task the default is its own job, else 'default'."`
	ID       string    `name:"id" placeholder:"ID" help:"Id of the task, unique in its job. The default is the job's next free number."`
	After    []string  `short:"a" sep:"none" placeholder:"ID" predictor:"task" help:"Run only when this task has completed. May be given several times."`
	Priority signed    `short:"o" placeholder:"N" help:"Higher runs first; the default is 0."`
	Timeout  taskLimit `placeholder:"D" help:"End the task after this time, such as 90s or 5m, or none; the default is task_timeout of the configuration, or 30m."`
	Dir      string    `name:"working-directory" short:"w" placeholder:"DIR" help:"Where to run; the default is the current directory."`
	Env      []string  `short:"e" sep:"none" placeholder:"KEY=VALUE" help:"Set a variable. May be given several times."`
	NoEnv    bool      `help:"Do not store this shell's environment; run with the manager's."`
	IfAbsent bool      `help:"Do nothing, successfully, for a task whose id is there already; if that one differs, say so."`
	Missing  bool      `name:"allow-missing" help:"Keep dependencies on tasks that are not there yet, for they may still come."`
	FromFile string    `short:"f" placeholder:"FILE" help:"Add the tasks of a file: JSON lines, or a tasks.json array; - is stdin."`
	Command  []string  `arg:"" optional:"" predictor:"command" help:"Command and arguments, after --."`
}

// Help is printed below the summary.
func (*enqueueCmd) Help() string {
	return `Prints the id of the task once it is stored durably. The manager need not be running.

    air-executor enqueue --job build --id test --after compile -- make test

Exit codes: 0 stored; 1 not stored, nothing has changed, unless the error says that it is stored; 2 wrong flags or configuration; 4 a task that --after names does not exist.`
}

// quick reports whether there is nothing to wait for but the database.
func (c *enqueueCmd) quick() bool { return c.FromFile == "" }

// Run stores the task, or all tasks of a file.
func (c *enqueueCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return usage(err, "see air-executor enqueue --help")
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	batch := newBatch(conf)
	batch.Job, batch.IfAbsent, batch.AllowMissing = c.Job, c.IfAbsent, c.Missing
	if c.Job != "" {
		if err := job.CheckName(c.Job); err != nil {
			return usage(err, "")
		}
	}
	template, err := c.template()
	if err != nil {
		return err
	}
	if c.FromFile == "" {
		template.Command, template.Args = c.Command[0], c.Command[1:]
		if err := template.Check(); err != nil {
			return usage(err, "")
		}
		batch.Tasks = func(yield func(job.Spec, error) bool) { yield(template, nil) }
		return c.store(a, batch)
	}
	in, err := interruptible(a.ctx, func() (io.ReadCloser, error) { return openInput(c.FromFile, conf.BasePath) })
	if err != nil {
		return err
	}
	defer in.Close()
	batch.Tasks = c.fromFile(job.NewSpecReader(c.FromFile, bufio.NewReaderSize(in, 1<<20)), template)
	return c.store(a, batch)
}

// check refuses what does not go together.
func (c *enqueueCmd) check() error {
	switch {
	case c.FromFile == "" && len(c.Command) == 0:
		return errors.New("no command: give one after --, or --from-file")
	case c.FromFile != "" && len(c.Command) > 0:
		return errors.New("a command and --from-file do not go together")
	case c.FromFile != "" && (c.ID != "" || len(c.After) > 0):
		return errors.New("with --from-file, ids and dependencies stand in the file")
	case c.IfAbsent && c.ID == "" && c.FromFile == "":
		return errors.New("--if-absent needs --id: without one, every task is a new one")
	}
	for _, kv := range c.Env {
		if key, _, ok := strings.Cut(kv, "="); !ok || key == "" {
			return fmt.Errorf("--env %q is not KEY=VALUE", kv)
		}
		if err := job.CheckText("--env", kv); err != nil {
			return err
		}
	}
	return nil
}

// newBatch is a batch without a job and tasks. Inside a task that runs, and in the
// same database, that task is the parent.
func newBatch(conf *config.Config) db.Batch {
	b := db.Batch{
		Parent: os.Getenv(runner.EnvToken), ParentJob: os.Getenv(runner.EnvJob), ParentTask: os.Getenv(runner.EnvTask),
		DefaultJob:  defaultJob,
		MaxSubtasks: conf.MaxSubtasks, MaxDepth: conf.MaxSubtaskDepth,
	}
	if b.Parent == "" && b.ParentJob != "" && os.Getenv(runner.EnvBasePath) == conf.BasePath {
		b.DefaultJob = b.ParentJob // it has only put its token away
	}
	return b
}

// template is a task with all that the flags and this shell say.
func (c *enqueueCmd) template() (job.Spec, error) {
	dir, err := taskDir(c.Dir)
	if err != nil {
		return job.Spec{}, err
	}
	s := job.Spec{ID: c.ID, Dependencies: c.After, Dir: dir, Priority: int(c.Priority), Timeout: time.Duration(c.Timeout)}
	if !c.NoEnv {
		s.Env = shellEnv()
	} else if len(c.Env) > 0 {
		return s, usage(errors.New("--env and --no-env do not go together"), "")
	}
	s.Env = append(s.Env, c.Env...)
	return s, nil
}

// taskDir is where a task runs that is queued from here.
func taskDir(dir string) (string, error) {
	given := dir
	dir, err := filepath.Abs(dir)
	if err != nil {
		what := "the current directory is gone, and a task would run there"
		if given != "" {
			what = fmt.Sprintf("--working-directory %s is relative, and the current directory is gone", given)
		}
		return "", fail(exitError, errors.New(what), "give an absolute --working-directory, or cd to one that is there")
	}
	return dir, job.CheckText("working directory", dir)
}

// shellEnv is the environment of this shell, as a task may inherit it.
func shellEnv() []string { return runner.Inheritable(os.Environ()) }

// parentToken is the token of the attempt inside which we run, if it belongs to
// the same base path.
func parentToken(conf *config.Config) string {
	if os.Getenv(runner.EnvBasePath) != conf.BasePath {
		return ""
	}
	return os.Getenv(runner.EnvToken)
}

// fromFile yields the tasks of a file, filled up with the template.
func (c *enqueueCmd) fromFile(r *job.SpecReader, template job.Spec) iter.Seq2[job.Spec, error] {
	return func(yield func(job.Spec, error) bool) {
		for {
			s, err := r.Next()
			if err == io.EOF {
				return
			}
			if err == nil {
				err = c.fill(&s, template)
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// fill gives a task of a file what it does not say itself.
func (c *enqueueCmd) fill(s *job.Spec, template job.Spec) error {
	if s.Dir == "" {
		s.Dir = template.Dir
	} else if !filepath.IsAbs(s.Dir) {
		s.Dir = filepath.Join(template.Dir, s.Dir)
	}
	if len(s.Env) > 0 {
		s.Env = append(template.Env[:len(template.Env):len(template.Env)], s.Env...)
	} else {
		s.Env = template.Env
	}
	if s.Priority == 0 {
		s.Priority = template.Priority
	}
	if s.Timeout == 0 {
		s.Timeout = template.Timeout
	}
	return nil
}

// store stores the batch and prints the ids.
func (c *enqueueCmd) store(a *app, batch db.Batch) error {
	d, err := a.open()
	if err != nil {
		return err
	}
	defer d.Close()
	added, err := d.Enqueue(a.ctx, batch)
	if err != nil {
		return explainEnqueue(err)
	}
	signal.Ignore(syscall.SIGPIPE) // which would end it without a word
	if err := c.print(a, d, added); err != nil {
		// Who queues it again would have it twice.
		return fail(exitError, fmt.Errorf("it is stored, but its id could not be printed: %w", err), "")
	}
	if c.IfAbsent && c.FromFile == "" && !added.New[0] {
		return c.remark(a, d, added.Job, batch)
	}
	a.hintNoManager()
	return nil
}

// remark says how the task that was there already differs from the one that was
// to be stored. Environments are not compared.
func (c *enqueueCmd) remark(a *app, d *db.DB, jobName string, batch db.Batch) error {
	there, err := d.Task(a.ctx, jobName, c.ID)
	if err != nil {
		return err
	}
	for wanted := range batch.Tasks {
		for _, line := range differ(there.Spec, wanted) {
			a.notef("task %s of job %s was there already, and stays as it was: %s", oneLine(c.ID), jobName, line)
		}
	}
	return nil
}

func (c *enqueueCmd) print(a *app, d *db.DB, added db.Added) error {
	if a.globals.Quiet {
		return nil // they need not be read
	}
	out := bufio.NewWriter(a.out)
	one := func(id string, isNew bool) error {
		if a.json() {
			return writeLine(out, enqueuedJSON{added.Job, id, isNew})
		}
		_, err := fmt.Fprintln(out, id)
		return err
	}
	if added.IDs == nil {
		if err := d.EachAdded(a.ctx, added, func(id string) error { return one(id, true) }); err != nil {
			return err
		}
	}
	for i, id := range added.IDs {
		if err := one(id, added.New[i]); err != nil {
			return err
		}
	}
	return out.Flush()
}

// explainEnqueue adds what to do about an error.
func explainEnqueue(err error) error {
	switch {
	case errors.Is(err, db.ErrDuplicate):
		return fail(exitError, err, "choose another --id, or give --if-absent if it is the same task")
	case errors.Is(err, db.ErrNoTask):
		return fail(exitNoSuch, err, "if that task is still to come, give --allow-missing")
	case errors.Is(err, db.ErrFenced):
		return fail(exitError, err, "this shell belongs to a task that has ended; to queue tasks as a user: unset "+runner.EnvToken)
	case errors.Is(err, db.ErrLimit):
		return fail(exitError, err, "if this is no runaway, raise the limit in config.yaml")
	}
	return err
}
