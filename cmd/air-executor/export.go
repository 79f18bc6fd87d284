package main

import (
	"errors"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/queue"
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
		path = filepath.Join(a.conf.BasePath, jobfolder.JobsName)
	}
	done := []queue.ExportResult{}
	for _, j := range jobs {
		folder := filepath.Join(path, job.FolderName(j.Name))
		write := jobfolder.Write
		if c.Path == "" {
			write = jobfolder.WriteOwn // there may be jobs that are yet to be imported
		}
		err := write(a.ctx, d, j, folder)
		if errors.Is(err, jobfolder.ErrOther) {
			return fail(exitError, err, "import or remove that one, or export to another folder")
		}
		if err != nil {
			return err
		}
		done = append(done, queue.ExportResult{Job: j.Name, Path: folder})
		if !a.json() {
			a.printf("%s\n", folder)
		}
	}
	if a.json() {
		return a.printJSON(done)
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
