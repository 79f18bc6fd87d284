package queue

import (
	"context"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
)

// PruneOptions say what of what has ended is to be deleted. At least one of OlderThan,
// Keep and KeepTasks must be given.
type PruneOptions struct {
	OlderThan *time.Duration // ended so long ago; nil: whenever
	Keep      *int           // so many jobs that have ended last stay; nil: none
	KeepTasks *int           // so many tasks of each other job stay; nil: none
	Status    job.Status     // job.Completed or job.Failed; empty: both
	Jobs      []string       // names of jobs or patterns of them, see Match; none: all
	DryRun    bool           // delete nothing, and count
	Now       time.Time      // from when OlderThan counts
}

// query is what the database is asked. An age is for jobs and tasks; a number alone
// is for what it is a number of.
func (o PruneOptions) query() db.PruneQuery {
	q := db.PruneQuery{Status: o.Status, Jobs: o.OlderThan != nil || o.Keep != nil, Tasks: o.OlderThan != nil || o.KeepTasks != nil}
	if o.OlderThan != nil {
		q.Before = o.Now.Add(-*o.OlderThan)
	}
	if o.Keep != nil {
		q.Keep = *o.Keep
	}
	if o.KeepTasks != nil {
		q.KeepTasks = *o.KeepTasks
	}
	return q
}

// PruneForm counts what was deleted, or with DryRun would be.
type PruneForm struct {
	Jobs   int   `json:"jobs"`
	Tasks  int   `json:"tasks"` // those of the jobs, too
	Bytes  int64 `json:"bytes"` // of logs
	DryRun bool  `json:"dry_run"`
}

// Prune deletes jobs and tasks that have ended, with their logs, in small commits.
// What was deleted before an error stays deleted, and is counted. Errors:
// *BadPattern, db.ErrNoJob, db.ErrOlder; *FilesLeft, with all rows deleted.
func (q *Queue) Prune(ctx context.Context, o PruneOptions) (PruneForm, error) {
	d, err := db.Open(ctx, q.conf.BasePath, db.Options{Durability: q.conf.Durability, MustExist: true, AllowForeign: q.conf.AllowForeign, Background: true})
	if err != nil {
		return PruneForm{}, err
	}
	defer d.Close()
	query := o.query()
	if query.Match, err = matchJobs(ctx, d, o.Jobs); err != nil {
		return PruneForm{}, err
	}
	done, err := manager.Prune(ctx, d, q.conf.BasePath, query, o.DryRun)
	if err == nil && done.Left != nil {
		err = &FilesLeft{done.Left}
	}
	return PruneForm{done.Jobs, done.Tasks, done.Bytes, o.DryRun}, err
}
