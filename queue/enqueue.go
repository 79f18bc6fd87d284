package queue

import (
	"context"
	"io"
	"iter"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// DefaultJob is where tasks go that name no job.
const DefaultJob = "default"

// EnqueueOptions say where tasks go, and what they get.
type EnqueueOptions struct {
	Job          string                       // made if it is not there; empty: that of the caller, or DefaultJob
	Caller       Caller                       // the task inside which they are queued, which becomes their parent
	Template     *job.Spec                    // what tasks get that do not say it themselves, see Fill; nil: nothing
	IfAbsent     bool                         // pass over tasks whose id is there already; else db.ErrDuplicate
	Compare      func(db.Definition) []string // says how a task that was passed over differs; nil: nobody wants to know
	AllowMissing bool                         // accept dependencies that are not there yet; else db.ErrNoTask
	NewJob       bool                         // the job must not be there yet; else db.ErrJobExists
	FromFile     bool                         // they are those of a job file, for a later Resume
}

// EnqueuedForm is the form of a task that was queued, or was there.
type EnqueuedForm struct {
	Job   string `json:"job"`
	Task  string `json:"task"`
	Added bool   `json:"added"` // false: it was there
}

// Enqueue stores tasks durably, all or none, and wakes the manager. An error from
// tasks ends it. Other errors are those of DB.Enqueue.
func (q *Queue) Enqueue(ctx context.Context, tasks iter.Seq2[job.Spec, error], o EnqueueOptions) (db.Added, error) {
	return q.DB.Enqueue(ctx, q.batch(tasks, o))
}

// EachEnqueued calls fn with every task that Enqueue has stored, or passed over if
// there were not more than a few thousand, in the order in which they came.
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

// Resume lets a job go on with the tasks of its file as they are now, and deletes
// the logs of those that are not in it any more. The errors are those of DB.Resume;
// *FilesLeft if only that has failed.
func (q *Queue) Resume(ctx context.Context, tasks iter.Seq2[job.Spec, error], o EnqueueOptions) (db.Resumed, error) {
	r, err := q.DB.Resume(ctx, q.batch(tasks, o))
	if err == nil {
		if e := q.removeTaskFiles(ctx, o.Job, r.Removed); e != nil {
			err = &FilesLeft{e}
		}
	}
	return r, err
}

// batch is what the database stores. Inside a task that runs, and in the same
// database, that task is the parent.
func (q *Queue) batch(tasks iter.Seq2[job.Spec, error], o EnqueueOptions) db.Batch {
	if o.Template != nil {
		tasks = filled(tasks, *o.Template)
	}
	c := o.Caller
	b := db.Batch{
		Job: o.Job, Tasks: tasks, IfAbsent: o.IfAbsent, Compare: o.Compare, AllowMissing: o.AllowMissing,
		NewJob: o.NewJob, FromFile: o.FromFile, Parent: c.Token, ParentJob: c.Job, ParentTask: c.Task,
		DefaultJob: DefaultJob, MaxSubtasks: q.conf.MaxSubtasks, MaxDepth: q.conf.MaxSubtaskDepth,
	}
	if c.Token == "" && c.Job != "" && c.BasePath == q.conf.BasePath {
		b.DefaultJob = c.Job // it has only put its token away
	}
	return b
}

// ReadTasks yields a task that was read before, and the rest of what r reads. unnamed
// is the error about a task without an id, which would be a new one each time, and so
// makes no sense with IfAbsent; nil: a task needs none.
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

// Fill gives a task what it does not say itself: directory, priority and time limit
// of the template. A relative directory is one below the template's. Its variables
// are set on top of the template's environment.
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
}

// CheckJobName returns an error for a name that is none for a new job, unless that
// job is there: it may be older than the rules.
func (q *Queue) CheckJobName(ctx context.Context, name string) error {
	err := job.CheckNewName(name)
	if err != nil && job.CheckName(name) == nil {
		if _, noJob := q.DB.Job(ctx, name); noJob == nil {
			return nil
		}
	}
	return err
}
