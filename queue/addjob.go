package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// IfExists says what is done for a new job if there is one of its name.
type IfExists string

// What can be done then.
const (
	Refuse IfExists = "error"  // db.ErrJobExists
	Append IfExists = "append" // its tasks are added to that job
	Number IfExists = "number" // the new one gets the first number that is free: build-2
)

// SentTasks are the tasks of a job file that was sent. They run in the folder that holds
// the base path and with the environment of the manager, unless they say otherwise.
func SentTasks(f *taskfile.JobFile) []job.Spec {
	tasks, _ := FileTasks(f, "", nil)
	for i := range tasks {
		tasks[i].Env = job.OnTop(tasks[i].Env)
	}
	return tasks
}

// AddJob stores the tasks of a new job, whose name is that in o. Errors are those of
// Enqueue.
func (q *Queue) AddJob(ctx context.Context, tasks []job.Spec, then IfExists, o EnqueueOptions) (db.Added, error) {
	wanted := o.Job
	o.NewJob, o.FromFile = then != Append, then != Append
	for n := 2; ; n++ {
		added, err := q.Enqueue(ctx, each(tasks), o)
		if then != Number || !errors.Is(err, db.ErrJobExists) {
			return added, err
		}
		o.Job = fmt.Sprintf("%s-%d", wanted, n)
	}
}

// SentLines are the tasks of a text of JSON lines or an array that was sent. It must
// have no faults.
func SentLines(name string, in io.Reader) iter.Seq2[job.Spec, error] {
	r := taskfile.NewSpecReader(name, in)
	return func(yield func(job.Spec, error) bool) {
		for {
			s, err := r.Next()
			if err == io.EOF {
				return
			}
			s.Env = job.OnTop(s.Env)
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}
