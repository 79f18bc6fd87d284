package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

type enqueueCmd struct {
	Job      string       `short:"j" placeholder:"NAME" predictor:"job" help:"Job to add to; it is created if it does not exist. Inside a task the default is its own job, else 'default'."`
	ID       string       `name:"id" placeholder:"ID" help:"Id of the task, unique in its job. The default is the job's next free number."`
	After    []string     `short:"a" sep:"none" placeholder:"ID" predictor:"task" help:"Run only when this task of the same job has completed. May be given several times."`
	Priority taskPriority `short:"o" placeholder:"N" help:"Higher runs first; the default is 0."`
	Timeout  taskLimit    `placeholder:"D" help:"End the task after this time, such as 90s or 5m, or none; the default is task_timeout of the configuration, or 30m."`
	Dir      string       `name:"working-directory" short:"w" placeholder:"DIR" help:"Where to run; the default is the current directory."`
	Env      []string     `short:"e" sep:"none" placeholder:"KEY=VALUE" help:"Set a variable. May be given several times."`
	NoEnv    bool         `help:"Do not store this shell's environment; run with the manager's."`
	IfAbsent bool         `help:"If there is a task with this id already, do nothing and exit 0; if it differs, say so."`
	Missing  bool         `name:"allow-missing" help:"Accept dependencies on tasks that do not exist yet. The task waits for them."`
	FromFile string       `short:"f" placeholder:"FILE" help:"Add the tasks of a file: JSON lines, or a tasks.json array; - is stdin."`
	Command  []string     `arg:"" optional:"" predictor:"command" help:"Command and arguments, after --."`
}

// Help is printed below the summary.
func (*enqueueCmd) Help() string {
	return `Prints the id of the task once it is stored durably. The manager need not be running.

    air-executor enqueue --job build --id test --after compile -- make test

Exit codes: 0 stored; 1 not stored, nothing has changed, unless the error says that it is stored; 2 wrong flags, configuration or file; 4 a task that --after names does not exist.`
}

// quick reports whether there is nothing to wait for but the database.
func (c *enqueueCmd) quick() bool { return c.FromFile == "" }

// Run stores the task, or all tasks of a file.
func (c *enqueueCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if err := c.check(); err != nil {
		return usage(err, "see air-executor enqueue --help")
	}
	conf, err := ws.config()
	if err != nil {
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
		template.ID, template.Dependencies = c.ID, c.After
		template.Command, template.Args = c.Command[0], c.Command[1:]
		if err := template.Check(); err != nil {
			return usage(err, "")
		}
		return c.store(ctx, ui, ws, func(yield func(job.Spec, error) bool) { yield(template, nil) }, o)
	}
	o.Template = &template
	in, err := interruptible(ctx, func() (io.ReadSeekCloser, error) { return openInput(c.FromFile, conf.BasePath) })
	if err != nil {
		return err
	}
	defer in.Close()
	r := taskfile.NewSpecReader(inputName(c.FromFile), bufio.NewReaderSize(in, 1<<20))
	first, err := r.Next()
	if err == io.EOF {
		return usage(fmt.Errorf("%s: has no tasks", inputName(c.FromFile)), "")
	}
	if err != nil {
		return explainEnqueue(err)
	}
	return c.explainFile(c.store(ctx, ui, ws, c.fromFile(r, first), o), r, in)
}

// check refuses what does not go together.
func (c *enqueueCmd) check() error {
	switch {
	case c.FromFile == "" && len(c.Command) == 0:
		return errors.New("no command: give one after --, or --from-file")
	case c.FromFile != "" && len(c.Command) > 0:
		return errors.New("a command and --from-file do not go together")
	case c.FromFile != "" && (c.ID != "" || len(c.After) > 0):
		return errors.New("--id and --after do not go with --from-file; set ids and dependencies in the file")
	case c.IfAbsent && c.ID == "" && c.FromFile == "":
		return errors.New("--if-absent needs --id: without one, every task is a new one")
	}
	return c.shell().check()
}

// shell is what this shell gives the tasks.
func (c *enqueueCmd) shell() fromShell {
	return fromShell{dir: c.Dir, env: c.Env, noEnv: c.NoEnv, priority: int(c.Priority), timeout: time.Duration(c.Timeout)}
}

// fromFile yields the tasks of a file. The first was read already: a file in which
// nothing is right makes no base path.
func (c *enqueueCmd) fromFile(r *taskfile.SpecReader, first job.Spec) iter.Seq2[job.Spec, error] {
	return func(yield func(job.Spec, error) bool) {
		var err error
		for s := first; err != io.EOF; s, err = r.Next() {
			if err == nil && c.IfAbsent && s.ID == "" {
				err = r.At("id", errors.New("is missing; with --if-absent every task needs one, for a task without is always a new one"))
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// store stores the tasks and prints their ids.
func (c *enqueueCmd) store(ctx context.Context, ui *ui, ws *workspace, tasks iter.Seq2[job.Spec, error], o queue.EnqueueOptions) error {
	q, err := ws.openQueue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	added, err := q.Enqueue(ctx, tasks, o)
	if err != nil {
		return explainEnqueue(explainMissing(ctx, ws, q.DB, err))
	}
	signal.Ignore(syscall.SIGPIPE) // which would end it without a word
	if err := c.print(ctx, ui, ws, q, added); err != nil {
		// Who queues it again would have it twice.
		return fail(exitError, fmt.Errorf("it is stored, but its id could not be printed: %w", err), "")
	}
	remarkDiffering(ui, added)
	if added.Count > 0 {
		ws.hintNoManager()
	}
	return nil
}

// remarkDiffering says how tasks that were there already differ from those that
// were to be stored.
func remarkDiffering(ui *ui, added db.Added) {
	const most = 20
	for i, d := range added.Differ {
		if i == most {
			ui.notef("… and %d more differences", len(added.Differ)-most)
			return
		}
		ui.notef("task %s of job %s was there already, and stays as it was: %s", oneLine(d.Task), added.Job, d.What)
	}
}

func (c *enqueueCmd) print(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, added db.Added) error {
	if ws.globals.Quiet {
		return nil // they need not be read
	}
	out := bufio.NewWriter(ui.out)
	err := q.EachEnqueued(ctx, added, func(e queue.EnqueuedForm) error {
		if ui.json() {
			return writeLine(out, e)
		}
		_, err := fmt.Fprintln(out, e.Task)
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// explainFile adds to an error about the tasks of a file where it is, and what to
// do about it in the file, which in reads.
func (c *enqueueCmd) explainFile(err error, r *taskfile.SpecReader, in io.Seeker) error {
	cause, hint := bare(err), ""
	if coded := (*codedError)(nil); errors.As(err, &coded) {
		hint = coded.hint
	}
	code := exitUsage
	var at *taskfile.Error
	var missing *db.Missing
	var cycle *db.Cycle
	again := func() taskfile.Again {
		_, _ = in.Seek(0, io.SeekStart) // what cannot be read again has no place
		return taskfile.Again{File: inputName(c.FromFile), From: bufio.NewReaderSize(in.(io.Reader), 1<<20)}
	}
	switch {
	case errors.Is(err, db.ErrDuplicate):
		last := r.At("id", cause) // it was met at the task that was read last
		code, hint = exitError, "choose another id, or give --if-absent if it is the same task"
		if at = again().Twice(last.ID, cause); at == nil {
			at = last
		}
	case errors.As(err, &missing) && missing.By != "":
		code, at = exitNoSuch, again().Missing(missing.By, missing.Task, cause)
		if missing.By == missing.Task && at != nil {
			at.Msg = cause.Error()
		}
	case errors.As(err, &cycle):
		at = again().Cycle(cycle.Tasks, cause)
	default:
		return err
	}
	if at == nil {
		return fail(code, fmt.Errorf("%s: %w", inputName(c.FromFile), cause), hint)
	}
	return fail(code, at, hint)
}

// bare is an error without an exit code and a hint.
func bare(err error) error {
	if coded := (*codedError)(nil); errors.As(err, &coded) {
		return coded.err
	}
	return err
}

// explainMissing adds to an error about a dependency that is not there what may be
// meant by it. Only a task of the same job can be one; another that --allow-missing
// keeps would never come.
func explainMissing(ctx context.Context, ws *workspace, d *db.DB, err error) error {
	var m *db.Missing
	if !errors.As(err, &m) {
		return err
	}
	there := func(name string) bool {
		_, err := d.Job(ctx, name)
		return err == nil
	}
	other, task, slash := strings.Cut(m.Task, "/")
	const hint = "a task waits for tasks of its own job only; to wait for others, put a task before it that runs: air-executor wait "
	switch {
	case m.By == m.Task:
		return fail(exitNoSuch, err, "name a task that was queued before")
	case slash && there(other):
		return fail(exitNoSuch, err, hint+"--job "+other+" --task "+shellLine([]string{task}))
	case there(m.Task):
		return fail(exitNoSuch, err, hint+"--job "+m.Task)
	}
	still := "if that task is still to come, give --allow-missing"
	if near := ws.nearest(m); near != "" {
		still = fmt.Sprintf("did you mean %s? %s", shellLine([]string{near}), still)
	}
	return fail(exitNoSuch, err, still)
}
