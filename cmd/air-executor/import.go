package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

const (
	stateFile = "state.json"
	tasksFile = "tasks.json"
)

type importCmd struct {
	KeepRunningAsFailed bool     `help:"Tasks that were running when the files were written fail, as lost, instead of becoming pending."`
	Path                []string `arg:"" optional:"" help:"Folders: of one job, of several jobs, or a base path (jobs in the base path)."`
}

// Help is printed below the summary.
func (*importCmd) Help() string {
	return `A job's folder holds state.json and tasks.json. Each job is imported as a whole or not at all; the others are imported all the same.

Exit codes: 0 all imported; 1 some could not be; 2 wrong flags or configuration.`
}

// Run imports every job that it finds.
func (c *importCmd) Run(a *app) error {
	folders, err := c.folders(a)
	if err != nil {
		return err
	}
	if len(folders) == 0 {
		return errors.New("nothing to import: no folder with a state.json or tasks.json")
	}
	d, err := a.open()
	if err != nil {
		return err
	}
	defer d.Close()
	type imported struct {
		Job   string `json:"job"`
		Tasks int    `json:"tasks"`
	}
	done := []imported{}
	failed := 0
	for _, f := range folders {
		name, n, err := c.one(a, d, f)
		switch {
		case a.ctx.Err() != nil:
			return a.ctx.Err()
		case err != nil:
			failed++
			a.notef("%v", err)
		case a.json():
			done = append(done, imported{name, n})
		default:
			a.printf("Job %s: %s\n", name, plural(n, "task"))
		}
	}
	if a.json() {
		if err := a.printJSON(done); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %s not imported", failed, plural(len(folders), "job"))
	}
	if len(done) > 0 {
		a.hintNoManager()
	}
	return nil
}

// folders finds the folders of jobs below the paths that were given.
func (c *importCmd) folders(a *app) ([]string, error) {
	conf, err := a.config()
	if err != nil {
		return nil, err
	}
	paths := c.Path
	if len(paths) == 0 {
		paths = []string{filepath.Join(conf.BasePath, "jobs")}
	}
	var out []string
	for _, p := range paths {
		found, err := jobFolders(p)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no folder with a %s or %s in it", p, stateFile, tasksFile)
		}
		out = append(out, found...)
	}
	return out, nil
}

// jobFolders looks for jobs in a folder: the folder itself, its subfolders, or
// those of its subfolder jobs.
func jobFolders(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", path)
	}
	if isJobFolder(path) {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if sub := filepath.Join(path, e.Name()); isJobFolder(sub) {
			out = append(out, sub)
		}
	}
	if sub := filepath.Join(path, "jobs"); len(out) == 0 && isDir(sub) {
		return jobFolders(sub)
	}
	return out, nil
}

func isJobFolder(path string) bool {
	for _, name := range []string{stateFile, tasksFile} {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return true
		}
	}
	return false
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// one imports the job in a folder, and returns its name and number of tasks.
func (c *importCmd) one(a *app, d *db.DB, folder string) (string, int, error) {
	j, err := readState(folder)
	if err != nil {
		return "", 0, err
	}
	path := filepath.Join(folder, tasksFile)
	f, err := openFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return j.Name, 0, d.Import(a.ctx, j, func(func(job.Task, error) bool) {})
	}
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	n := 0
	tasks := c.tasks(job.NewTaskReader(path, j.Name, bufio.NewReaderSize(f, 1<<20)), &n)
	if err := d.Import(a.ctx, j, tasks); err != nil {
		var placed *job.FileError
		if !errors.As(err, &placed) {
			err = fmt.Errorf("%s: %w", folder, err)
		}
		return "", 0, err
	}
	return j.Name, n, nil
}

// openFile opens a file that can be read to its end without waiting for anybody:
// other writers wait while it is read. A pipe is none.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, fmt.Errorf("%s: is not a regular file", path))
	}
	return f, nil
}

func readAll(path string) ([]byte, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// readState reads the state.json of a folder. A folder that has none is a
// waiting job with the folder's name.
func readState(folder string) (job.Job, error) {
	path := filepath.Join(folder, stateFile)
	data, err := readAll(path)
	if errors.Is(err, os.ErrNotExist) {
		now := time.Now().UTC()
		abs, err := filepath.Abs(folder)
		if err != nil {
			return job.Job{}, err
		}
		return job.Job{UUID: job.NewUUID(), Name: filepath.Base(abs), CreatedAt: now, UpdatedAt: now}, nil
	}
	if err != nil {
		return job.Job{}, err
	}
	j, err := job.ParseState(path, data)
	if j.State == job.StateWorking {
		j.State = "" // nothing of it runs here; what it is follows from its tasks
	}
	return j, err
}

// tasks yields the tasks of a file, as they are here: none runs.
func (c *importCmd) tasks(r *job.TaskReader, n *int) iter.Seq2[job.Task, error] {
	return func(yield func(job.Task, error) bool) {
		for {
			t, err := r.Next()
			if err == io.EOF {
				return
			}
			if t.Status == job.Running {
				c.stopRunning(&t)
			}
			*n++
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// stopRunning turns a task that ran elsewhere into one that does not.
func (c *importCmd) stopRunning(t *job.Task) {
	if c.KeepRunningAsFailed {
		t.Status, t.Reason = job.Failed, job.Lost
		if t.Error == "" {
			t.Error = "was running when it was exported"
		}
		return
	}
	t.Status, t.StartedAt, t.CompletedAt = job.Pending, time.Time{}, time.Time{}
}
