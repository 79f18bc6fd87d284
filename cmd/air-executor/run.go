package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfile"
	"github.com/air-executor/air-executor/manager"
)

type runCmd struct {
	Job    string   `short:"j" placeholder:"NAME" help:"Name for the job, instead of the one in the file."`
	Resume bool     `help:"Go on with a job that was interrupted or has failed: what is done stays done."`
	Args   []string `arg:"" optional:"" name:"file" help:"Job file (YAML or JSON; - is stdin), or -- and a command with its arguments."`
}

// Help is printed below the summary.
func (*runCmd) Help() string {
	return `Shows how the job gets on, and ends with it:

    air-executor run pipeline.yaml
    air-executor run -- make test

The tasks are run by the manager that serves this base path or, if none does, by one that lives until the job has ended. Ctrl-C ends the tasks in the second case, and only stops watching in the first.

A job of the same name that has completed is left alone, and the new one gets a number.

Exit codes: 0 the job has completed; 1 error; 2 wrong flags, configuration or job file; 3 the job has failed; 130 interrupted.`
}

// Run runs a job file or a command.
func (c *runCmd) Run(a *app) error {
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
		return c.file(a, c.Args[0])
	}
	return usage(errors.New("one job file at a time"), "to run a command, put -- before it")
}

// command runs a single command in a job of its own, and shows its output.
func (c *runCmd) command(a *app) error {
	s, err := (&enqueueCmd{Command: c.Args}).template()
	if err != nil {
		return err
	}
	s.Command, s.Args = c.Args[0], c.Args[1:]
	if err := s.Check(); err != nil {
		return usage(err, "")
	}
	name := c.Job
	if name == "" {
		// Two that begin in the same second are two jobs.
		name = fmt.Sprintf("run-%s-%d", time.Now().Format("20060102-150405"), os.Getpid())
	}
	return c.watch(a, name, []job.Spec{s}, true)
}

// file runs the job of a job file.
func (c *runCmd) file(a *app, path string) error {
	f, err := interruptible(a.ctx, func() (*jobfile.File, error) { return jobfile.Load(path) })
	if err != nil {
		return err
	}
	dir, err := taskDir("")
	if err != nil {
		return err
	}
	env := shellEnv()
	specs := make([]job.Spec, len(f.Tasks))
	for i, t := range f.Tasks {
		specs[i] = t.Spec
		if t.Dir == "" {
			specs[i].Dir = dir
		}
		specs[i].Env = env
		if len(t.AddEnv) > 0 {
			specs[i].Env = append(slices.Clone(env), t.AddEnv...)
		}
	}
	name := f.Name
	if c.Job != "" {
		name = c.Job
	}
	return c.watch(a, name, specs, false)
}

// watch queues the tasks, has them run, and shows how.
func (c *runCmd) watch(a *app, name string, specs []job.Spec, output bool) error {
	if err := job.CheckName(name); err != nil {
		return usage(err, "")
	}
	d, err := openForRunning(a, a.open)
	if err != nil {
		return err
	}
	defer d.Close()
	last, err := d.LastStep(a.ctx)
	if err != nil {
		return err
	}
	if name, err = c.queue(a, d, name, specs); err != nil {
		return explainEnqueue(err)
	}
	resume, err := lendPlace(a, d)
	if err != nil {
		return err
	}
	defer resume()
	w := &watcher{app: a, db: d, job: name, last: last, output: output, begin: time.Now(), screen: block{out: a.out}}
	o, err := c.serveAndWatch(a, w)
	if err != nil {
		return err
	}
	if a.json() {
		err = a.printJSON(o)
	}
	if err == nil && !o.ok() {
		err = silent(exitFailed)
	}
	return err
}

// queue stores the tasks and returns the name of their job.
func (c *runCmd) queue(a *app, d *db.DB, name string, specs []job.Spec) (string, error) {
	name, fresh, err := c.choose(a, d, name)
	if err != nil {
		return "", err
	}
	conf, err := a.config()
	if err != nil {
		return "", err
	}
	_, err = d.Enqueue(a.ctx, db.Batch{
		Job: name, IfAbsent: !fresh, Parent: parentToken(conf),
		MaxSubtasks: conf.MaxSubtasks, MaxDepth: conf.MaxSubtaskDepth,
		Tasks: func(yield func(job.Spec, error) bool) {
			for _, s := range specs {
				if !yield(s, nil) {
					return
				}
			}
		},
	})
	if err != nil || fresh {
		return name, err
	}
	_, err = d.Reset(a.ctx, name, "")
	return name, err
}

// choose finds a name for the job: the one wanted if there is no such job yet,
// or if it is to be resumed; with a number if that one has completed.
func (c *runCmd) choose(a *app, d *db.DB, wanted string) (name string, fresh bool, err error) {
	name = wanted
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
				"go on with it with --resume, or give the new one another name with --job")
		}
		name = fmt.Sprintf("%s-%d", wanted, n)
	}
}

// serveAndWatch watches the job to its end. As long as no manager serves the
// base path, it has one of its own.
func (c *runCmd) serveAndWatch(a *app, w *watcher) (outcome, error) {
	// Whoever reads our output may go, and the terminal too: then as with Ctrl-C.
	ctx, stop := signal.NotifyContext(a.ctx, syscall.SIGPIPE)
	defer stop()
	a.ctx = ctx
	own := &ownManager{app: a, job: w.job}
	defer own.stop(db.StopLeave)
	obstacles := &obstacles{app: a, own: own, clear: w.clear}
	for {
		if err := own.ensure(); err != nil {
			if a.ctx.Err() != nil {
				return outcome{}, c.interrupted(a, w, own)
			}
			return outcome{}, err
		}
		obstacles.look()
		j, err := w.look()
		if err == nil && ended(j) {
			return outcome{Job: j.Name, State: j.State, Failed: j.Tasks.Failed}, w.finish(j)
		}
		if err == nil {
			err = pause(a.ctx, watchEvery)
		}
		if a.ctx.Err() != nil {
			return outcome{}, c.interrupted(a, w, own)
		}
		if err != nil {
			return outcome{}, err
		}
	}
}

// interrupted ends a run that Ctrl-C has come into.
func (c *runCmd) interrupted(a *app, w *watcher, own *ownManager) error {
	w.clear()
	if own.m == nil && !own.cut {
		a.notef("job %s goes on; air-executor cancel %s ends it", w.job, w.job)
		return silent(exitInterrupted)
	}
	own.stop(db.StopKill)
	if len(c.Args) == 1 && !w.output {
		a.notef("interrupted; to go on: air-executor run --resume %s", shellLine(c.Args))
	} else {
		a.notef("interrupted")
	}
	return silent(exitInterrupted)
}

// ownManager is a manager inside this process, for one job.
type ownManager struct {
	app  *app
	job  string
	m    *manager.Manager
	done chan error

	cut     bool                   // its start was interrupted
	trouble atomic.Pointer[string] // what keeps its tasks from starting
}

// ensure starts the manager if nobody serves, and returns its error if it failed.
func (o *ownManager) ensure() error {
	if o.m != nil {
		select {
		case err := <-o.done:
			o.m = nil
			return err
		default:
			return nil
		}
	}
	on, err := o.app.serving()
	if err != nil || on {
		return err
	}
	conf, err := o.app.config()
	if err != nil {
		return err
	}
	return o.start(conf)
}

func (o *ownManager) start(conf *config.Config) error {
	log, err := openManagerLog(conf)
	if err != nil {
		return err
	}
	// Once it works, Ctrl-C must not cut its transactions short; it is told to stop.
	ctx := context.WithoutCancel(o.app.ctx)
	m, err := manager.New(o.app.ctx, manager.Options{
		Config: conf, Log: newLogger(newSink(log), conf.LogLevel, conf.LogFormat), RunnerLog: log, OnlyJob: o.job,
		Trouble: func(text string) { o.trouble.Store(&text) },
	})
	if err != nil {
		o.cut = o.app.ctx.Err() != nil
		log.Close()
		if errors.Is(err, manager.ErrRunning) {
			return nil // another process was faster
		}
		return err
	}
	o.m, o.done = m, make(chan error, 1)
	keeper := startKeeper(conf.BasePath, log, nil)
	go func() {
		defer log.Close()
		defer keeper.close()
		o.done <- m.Run(ctx)
	}()
	return nil
}

// stop stops the manager, if there is one, and waits for its end.
func (o *ownManager) stop(how db.Stop) {
	if o.m == nil {
		return
	}
	o.m.Stop(how)
	if err := <-o.done; err != nil {
		o.app.notef("manager: %v", err)
	}
	o.m = nil
}
