package queue

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// BeginOptions say which job to begin or to continue. Job in EnqueueOptions is the
// requested name.
type BeginOptions struct {
	EnqueueOptions
	Resume bool              // continue the job of this name with its current file
	Absent func(name string) // with Resume: there is no such job, and a new one begins; may be nil
}

// Begun is a job that was begun or continued.
type Begun struct {
	Job      string
	LastStep int64      // the newest row of attempts before it, for Progress
	Resumed  db.Resumed // what has changed; empty for a new job
}

// Unfinished is the error about a job that cannot be begun because it exists and has
// not completed.
type Unfinished struct{ Job job.Job }

// Error says how far it is.
func (e *Unfinished) Error() string {
	c := e.Job.Tasks
	return fmt.Sprintf("job %q exists already, in state %s with %d of %d tasks completed", e.Job.Name, e.Job.State, c.Completed, c.Total())
}

// Begin stores the tasks of a new job, or changes those of a job to be continued. A
// completed job of the requested name is left alone, and the new one gets a number:
// build-2. Errors: *Unfinished, those of Enqueue and of Resume; after *FilesLeft, the
// job continues.
func (q *Queue) Begin(ctx context.Context, tasks []job.Spec, o BeginOptions) (Begun, error) {
	for {
		name, fresh, err := q.choose(ctx, o.Job, o.Resume)
		if err != nil {
			return Begun{}, err
		}
		options := o.EnqueueOptions
		options.Job, options.NewJob = name, true
		if !fresh {
			r, err := q.Resume(ctx, each(tasks), options)
			return Begun{name, r.LastStep, r}, err
		}
		if o.Resume && o.Absent != nil {
			o.Absent(name)
		}
		last, err := q.DB.LastStep(ctx)
		if err != nil {
			return Begun{}, err
		}
		_, err = q.Enqueue(ctx, each(tasks), options)
		if !errors.Is(err, db.ErrJobExists) {
			return Begun{Job: name, LastStep: last}, err
		}
		// Another process was faster. Check again what the name means now.
	}
}

// choose finds a name for the job: the requested one if there is no such job yet, or if
// it is to be resumed; with a number if that job has completed.
func (q *Queue) choose(ctx context.Context, wanted string, resume bool) (name string, fresh bool, err error) {
	name = wanted
	for n := 2; ; n++ {
		j, err := q.DB.Job(ctx, name)
		switch {
		case errors.Is(err, db.ErrNoJob):
			return name, true, nil
		case err != nil:
			return "", false, err
		case resume:
			return name, false, nil
		case j.State != job.StateCompleted:
			return "", false, &Unfinished{j}
		}
		name = fmt.Sprintf("%s-%d", wanted, n)
	}
}

// CommandJob returns a default name for the job of a single command. Two that begin in
// the same second get different names.
func CommandJob() string {
	return fmt.Sprintf("run-%s-%d", time.Now().Format("20060102-150405"), os.Getpid())
}

// FileTasks are the tasks of a job file, which run in dir unless it says otherwise, with
// the variables that it sets on top of env; and by task, those that it sets.
func FileTasks(f *taskfile.JobFile, dir string, env []string) (tasks []job.Spec, added map[string][]string) {
	tasks, added = make([]job.Spec, len(f.Tasks)), map[string][]string{}
	for i, t := range f.Tasks {
		tasks[i] = t.Spec
		if t.Dir == "" {
			tasks[i].Dir = dir
		}
		tasks[i].Env = env
		if len(t.AddEnv) > 0 {
			tasks[i].Env = append(slices.Clone(env), t.AddEnv...)
			added[t.ID] = t.AddEnv
		}
	}
	return tasks, added
}

// each yields tasks that are in memory.
func each(tasks []job.Spec) iter.Seq2[job.Spec, error] {
	return func(yield func(job.Spec, error) bool) {
		for _, s := range tasks {
			if !yield(s, nil) {
				return
			}
		}
	}
}
