package main

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

type exportCmd struct {
	Job  string `short:"j" placeholder:"NAME" predictor:"job" help:"Export this job only."`
	Path string `arg:"" optional:"" help:"Folder to write to, with a folder for each job (jobs in the base path)."`
}

// Help is printed below the summary.
func (*exportCmd) Help() string {
	return `Writes JOB/state.json and JOB/tasks.json. Each file is replaced as a whole.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job.`
}

// Run exports one job or all.
func (c *exportCmd) Run(a *app) error {
	if c.Path == "-" {
		return usage(errors.New("export writes two files for each job; it cannot write them to standard output"), "give a folder; one that is called - is ./-")
	}
	d, err := a.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	jobs, err := c.jobs(a, d)
	if err != nil {
		return err
	}
	path := c.Path
	if path == "" {
		path = filepath.Join(a.conf.BasePath, "jobs")
	}
	folders := []string{}
	for _, j := range jobs {
		folder := filepath.Join(path, job.FolderName(j.Name))
		if err := exportJob(a, d, j, folder); err != nil {
			return err
		}
		folders = append(folders, folder)
		if !a.json() {
			a.printf("%s\n", folder)
		}
	}
	if a.json() {
		return a.printJSON(folders)
	}
	return nil
}

func (c *exportCmd) jobs(a *app, d *db.DB) ([]job.Job, error) {
	if c.Job == "" {
		return d.Jobs(a.ctx)
	}
	j, err := d.Job(a.ctx, c.Job)
	return []job.Job{j}, err
}

func exportJob(a *app, d *db.DB, j job.Job, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	state, err := job.FormatState(j)
	if err != nil {
		return err
	}
	err = replaceFile(filepath.Join(folder, stateFile), func(w *bufio.Writer) error {
		_, err := w.Write(state)
		return err
	})
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(folder, tasksFile), func(w *bufio.Writer) error {
		tw := job.NewTaskWriter(w, j.Name)
		if err := d.EachTask(a.ctx, j.Name, tw.Write); err != nil {
			return err
		}
		return tw.Close()
	})
}

// replaceFile writes a file beside the old one and puts it in its place, so
// that a reader, or a crash, meets one of the two and never a part.
func replaceFile(path string, write func(*bufio.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
