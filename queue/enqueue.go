package queue

import (
	"context"
	"io"
	"iter"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/taskfile"
)

// DefaultJob is the job of tasks that name none.
const DefaultJob = "default"

// EnqueueOptions say where tasks go, and their defaults.
type EnqueueOptions struct {
	Job          string                       // created if it does not exist; empty: the caller's, or DefaultJob
	Caller       Caller                       // the task inside which they are queued, which becomes their parent
	Template     *job.Spec                    // defaults for what tasks leave unset, see Fill; nil: none
	IfAbsent     bool                         // skip tasks whose id exists already; else db.ErrDuplicate
	Compare      func(db.Definition) []string // returns how a skipped task differs; nil: not wanted
	AllowMissing bool                         // accept dependencies that do not exist yet; else db.ErrNoTask
	NewJob       bool                         // the job must not exist yet; else db.ErrJobExists
	FromFile     bool                         // the tasks are those of a job file, for a later Resume
	RetryHolds   *bool                        // whether other tasks of the job wait while one waits for its retry; nil: as it is
	Labels       []string                     // of the job, if it is new or resumed: "KEY=VALUE" pairs
	Settings     *db.JobChange                // changes those of the job; nil: they stay
	Keys         bool                         // those of the tasks are wanted, too
}

// EnqueuedForm is the form of a task that was queued or existed.
type EnqueuedForm struct {
	Job   string `json:"job"`
	Task  string `json:"task"`
	Added bool   `json:"added"` // false: it existed already
}

// Enqueue stores tasks durably, all or none, and wakes the manager. An error from
// tasks ends it. Other errors are those of DB.Enqueue.
func (q *Queue) Enqueue(ctx context.Context, tasks iter.Seq2[job.Spec, error], o EnqueueOptions) (db.Added, error) {
	return q.DB.Enqueue(ctx, q.batch(tasks, o))
}

// EachEnqueued calls fn with every task that Enqueue has stored, in order. If there
// were at most a few thousand, the skipped ones are included.
func (q *Queue) EachEnqueued(ctx context.Context, added db.Added, fn func(EnqueuedForm) error) error {
	if added.IDs == nil {
		return q.DB.EachAdded(ctx, added, func(id string) error { return fn(EnqueuedForm{added.Job, id, true}) })
	}
	for i, id := range added.IDs {
		if err := fn(EnqueuedForm{added.Job, id, added.New[i]}); err != nil {
			return err
		}
	}
	return nil
}

// Resume continues a job with the tasks of its current file, and deletes the logs of
// those that are no longer in it. The errors are those of DB.Resume, and *FilesLeft if
// only deleting logs has failed.
func (q *Queue) Resume(ctx context.Context, tasks iter.Seq2[job.Spec, error], o EnqueueOptions) (db.Resumed, error) {
	r, err := q.DB.Resume(ctx, q.batch(tasks, o))
	if err == nil {
		if _, e := manager.RemoveTaskFiles(ctx, q.DB, q.conf.BasePath, o.Job, r.Removed); e != nil {
			err = &FilesLeft{e}
		}
	}
	return r, err
}

// batch returns the batch to store. If the caller is a running task of the same
// database, it is the parent.
func (q *Queue) batch(tasks iter.Seq2[job.Spec, error], o EnqueueOptions) db.Batch {
	if o.Template != nil {
		tasks = filled(tasks, *o.Template)
	}
	c := o.Caller
	b := db.Batch{
		Job: o.Job, Tasks: tasks, IfAbsent: o.IfAbsent, Compare: o.Compare, AllowMissing: o.AllowMissing,
		NewJob: o.NewJob, FromFile: o.FromFile, RetryHolds: o.RetryHolds, Labels: o.Labels, Defaults: manager.Retries(q.conf), JobDefaults: taskfile.WithDefaults, Settings: o.Settings, Keys: o.Keys,
		Parent: c.Token, ParentJob: c.Job, ParentTask: c.Task,
		DefaultJob: DefaultJob, MaxSubtasks: q.conf.MaxSubtasks, MaxDepth: q.conf.MaxSubtaskDepth,
	}
	if c.Token == "" && c.Job != "" && c.BasePath == q.conf.BasePath {
		b.DefaultJob = c.Job // it has only unset its token
	}
	return b
}

// ReadTasks yields a task that was read before, and then the rest of r. The error
// unnamed is for tasks without an id; nil: a task needs none. (With IfAbsent it does,
// because a task without an id would be a new one each time.)
func ReadTasks(first job.Spec, r *taskfile.SpecReader, unnamed error) iter.Seq2[job.Spec, error] {
	return func(yield func(job.Spec, error) bool) {
		var err error
		for s := first; err != io.EOF; s, err = r.Next() {
			if err == nil && unnamed != nil && s.ID == "" {
				err = r.At("id", unnamed)
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

func filled(tasks iter.Seq2[job.Spec, error], template job.Spec) iter.Seq2[job.Spec, error] {
	return func(yield func(job.Spec, error) bool) {
		for s, err := range tasks {
			if err == nil {
				Fill(&s, template)
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// Fill gives a task what it does not say itself: directory, priority, time limit, retries,
// pools and labels of the template. A relative directory is one below the template's. Its
// variables are set on top of the template's environment.
func Fill(s *job.Spec, template job.Spec) {
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
	s.DefaultRetries(template)
	s.Hooks = s.Hooks.Over(template.Hooks)
	if len(s.Pools) == 0 {
		s.Pools = template.Pools
	}
	if len(template.Labels) > 0 {
		s.Labels = MergeLabels(template.Labels, s.Labels)
	}
}

// CheckJobName returns an error for a name that is not allowed for a new job, unless
// the job exists: it may be older than the rules.
func (q *Queue) CheckJobName(ctx context.Context, name string) error {
	err := job.CheckNewName(name)
	if err != nil && job.CheckName(name) == nil {
		if _, noJob := q.DB.Job(ctx, name); noJob == nil {
			return nil
		}
	}
	return err
}
