package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/taskfile"
)

// taskFile is the tasks.json of a folder; one that is not there has no tasks.
type taskFile struct {
	file   *os.File // nil: there is none
	reader *taskfile.TaskReader
	count  int // tasks read
}

func openTasks(folder, name string) (*taskFile, error) {
	path := filepath.Join(folder, jobfolder.TasksFile)
	f, err := jobfolder.OpenTasks(folder)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return &taskFile{reader: taskfile.NewTaskReader(path, name, strings.NewReader("[]"))}, nil
	}
	return &taskFile{file: f, reader: taskfile.NewTaskReader(path, name, bufio.NewReaderSize(f, 1<<20))}, nil
}

// Close closes the file.
func (f *taskFile) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// errRunning is returned for a task that began to run after all were looked at.
var errRunning = errors.New("is running in the file")

// tasks yields the tasks of a file as they are here, where none of them runs.
// Those that ran it hands to ran first.
func (c *importCmd) tasks(f *taskFile, ran func(job.Task)) iter.Seq2[job.Task, error] {
	return func(yield func(job.Task, error) bool) {
		for {
			t, err := f.reader.Next()
			if err == io.EOF {
				return
			}
			if err == nil && t.Status == job.Running {
				ran(t)
				err = c.stopRunning(&t)
			}
			f.count++
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// stopRunning turns a task that ran elsewhere into one that does not.
func (c *importCmd) stopRunning(t *job.Task) error {
	switch c.Running {
	case runAgain:
		t.Status, t.StartedAt, t.CompletedAt = job.Pending, time.Time{}, time.Time{}
	case asFailed:
		// When it ended is not known.
		t.Status, t.Reason, t.CompletedAt = job.Failed, job.Lost, time.Time{}
		if t.Error == "" {
			t.Error = "was running when its file was written"
		}
	default:
		return usage(fmt.Errorf("task %q %w", t.ID, errRunning), "say what becomes of it with --running rerun or --running failed")
	}
	return nil
}

// settleRunning finds out what is to become of the tasks that are to be imported
// and were running when the files were written. It asks on a terminal, and
// refuses elsewhere.
func (c *importCmd) settleRunning(a *app, folders []string) error {
	if c.Running != "" {
		return nil
	}
	d, err := db.Open(a.ctx, a.conf.BasePath, db.Options{MustExist: true})
	if err != nil && !errors.Is(err, db.ErrNoDatabase) {
		return err
	}
	if d != nil {
		defer d.Close()
	}
	var ran []string
	for _, folder := range folders {
		some, err := c.runningIn(a, d, folder)
		if err != nil {
			return err
		}
		ran = append(ran, some...)
	}
	if len(ran) == 0 {
		return nil
	}
	if a.json() {
		return c.undecided(len(ran), " ("+enumerate(ran)+")")
	}
	const most = 20
	for i, what := range ran {
		if i == most {
			a.notef("… and %d more", len(ran)-most)
			break
		}
		a.notef("%s was running when its file was written", what)
	}
	if !isTerminal(os.Stdin) || !isTerminal(a.err) {
		return c.undecided(len(ran), "")
	}
	return c.ask(a)
}

// undecided is the error where nobody can be asked.
func (*importCmd) undecided(n int, which string) error {
	return usage(fmt.Errorf("%s that ran when the files were written may have ended since, and would run a second time%s; nothing is imported", plural(n, "task"), which),
		"--running rerun lets them run again, --running failed counts them as failed; their logs may show how far they came")
}

// ask has a person decide.
func (c *importCmd) ask(a *app) error {
	fmt.Fprint(a.err, "Whether the commands have ended since is not known. Run them again, or count them as failed? [rerun/failed] ")
	answer, err := interruptible(a.ctx, func() (string, error) { return bufio.NewReader(os.Stdin).ReadString('\n') })
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	if err != nil && err != io.EOF {
		return err
	}
	switch answer = strings.ToLower(strings.TrimSpace(answer)); answer {
	case runAgain, asFailed:
		c.Running = answer
		return nil
	}
	return usage(fmt.Errorf("%q is neither rerun nor failed; nothing is imported", answer), "")
}

// runningIn returns the tasks of a folder, for people, that were running and are
// to be imported. What is wrong with the files is told when they are imported.
func (c *importCmd) runningIn(a *app, d *db.DB, folder string) ([]string, error) {
	j, err := jobfolder.ReadState(folder)
	if err != nil || job.CheckName(j.Name) != nil {
		return nil, nil
	}
	there := false
	if d != nil {
		_, err := d.Job(a.ctx, j.Name)
		if there = err == nil; !there && exitCode(err) != exitNoSuch {
			return nil, err
		}
	}
	if there && !c.Merge {
		return nil, nil
	}
	f, err := openTasks(folder, j.Name)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	var out []string
	for a.ctx.Err() == nil {
		t, err := f.reader.Next()
		if err != nil {
			return out, nil
		}
		if t.Status != job.Running {
			continue
		}
		if there {
			if _, err := d.Task(a.ctx, j.Name, t.ID); err == nil {
				continue // it stays as it is
			}
		}
		out = append(out, fmt.Sprintf("task %q of job %q", t.ID, j.Name))
	}
	return nil, a.ctx.Err()
}

// badInput marks an error as one of what was given: exit code 2.
func badInput(err error) error {
	if err == nil {
		return nil
	}
	return usage(err, "")
}

// placed is an error that says which folder it is about. What is wrong with a
// file says that itself, and has exit code 2.
func placed(folder string, err error) error {
	var at *taskfile.Error
	if errors.As(err, &at) || errors.Is(err, errRunning) && exitCode(err) == exitUsage {
		return usage(err, "")
	}
	var file *os.PathError
	if errors.As(err, &file) || strings.HasPrefix(err.Error(), folder) {
		return err
	}
	return fail(exitCode(err), fmt.Errorf("%s: %w", folder, err), "")
}

// merged takes over what became of the tasks of a job that was there.
func (r *imported) merged(m db.Merged, running []string) {
	r.Imported, r.Present = m.Added, len(m.Present)
	for _, d := range m.Differ {
		r.Differing = append(r.Differing, differingJSON(d))
	}
	for _, id := range running {
		if !slices.Contains(m.Present, id) {
			r.WasRunning = append(r.WasRunning, id)
		}
	}
}

// text is a line for people.
func (r imported) text() string {
	var b strings.Builder
	switch {
	case r.again:
		fmt.Fprintf(&b, "Job %s: was imported before", r.Job)
	case r.PassedOver:
		fmt.Fprintf(&b, "Job %s: passed over, it is there already", r.Job)
	case r.merge:
		fmt.Fprintf(&b, "Job %s: %s added, %d there already", r.Job, plural(r.Imported, "task"), r.Present)
	default:
		fmt.Fprintf(&b, "Job %s: %s", r.Job, plural(r.Imported, "task"))
	}
	if r.MovedTo != nil {
		fmt.Fprintf(&b, "; its files are now in %s", *r.MovedTo)
	}
	return b.String()
}

// remark says, beside the result, what should not go unnoticed.
func (c *importCmd) remark(a *app, r imported) {
	for _, text := range r.Remarks {
		a.notef("%s", text)
	}
	for _, id := range r.WasRunning {
		what := "it is pending, and runs again"
		if c.Running == asFailed {
			what = "it has failed, as lost"
		}
		a.notef("task %q of job %q was running when its file was written; %s", id, r.Job, what)
	}
	for _, d := range r.Differing {
		a.notef("task %q of job %q is there already and stays as it is: %s", d.Task, r.Job, d.What)
	}
}
