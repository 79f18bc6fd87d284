package queue

import (
	"context"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/runner"
)

// ExportResult is a job that was exported.
type ExportResult struct {
	Job  string `json:"job"`
	Path string `json:"path"` // of its folder
}

// Export writes state.json and tasks.json of a job, or of all if name is empty, each
// into a folder of its own below path, and calls done for each. An empty path is that
// of the jobs in the base path, where folders of jobs that have not been imported yet
// are not changed. Errors: db.ErrNoJob; jobfolder.ErrOther for a folder of another job.
func (q *Queue) Export(ctx context.Context, name, path string, done func(ExportResult)) error {
	write := jobfolder.Write
	if path == "" {
		path, write = filepath.Join(q.conf.BasePath, jobfolder.JobsName), q.writeOwn
	}
	var jobs []job.Job
	var err error
	if name == "" {
		jobs, err = q.DB.Jobs(ctx)
	} else {
		jobs = make([]job.Job, 1)
		jobs[0], err = q.DB.Job(ctx, name)
	}
	if err != nil {
		return err
	}
	for _, j := range jobs {
		folder := filepath.Join(path, job.FolderName(j.Name))
		if err := write(ctx, q.DB, j, folder); err != nil {
			return err
		}
		done(ExportResult{j.Name, folder})
	}
	return nil
}

// writeOwn is jobfolder.WriteOwn for a folder in the base path, which must not be a
// link out of it.
func (q *Queue) writeOwn(ctx context.Context, d *db.DB, j job.Job, folder string) error {
	if err := runner.CheckJob(q.conf.BasePath, j.Name); err != nil {
		return err
	}
	return jobfolder.WriteOwn(ctx, d, j, folder)
}
