package dbtest

import (
	"context"
	"fmt"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// follower keeps a list of jobs and tasks by what the events say: it reads anew what they
// name, and nothing else.
type follower struct {
	*Store
	at   db.Cursor
	list listing
}

// listing is jobs by their names, and their tasks by their keys.
type listing map[string]*listedJob

type listedJob struct {
	Job   job.Job
	Tasks map[int64]job.Task
}

// follow reads the list with which a follower begins.
func (s *Store) follow() *follower {
	f := &follower{Store: s}
	f.list, f.at = f.read()
	return f
}

// read reads the whole list, as of a cursor.
func (f *follower) read() (list listing, at db.Cursor) {
	f.T.Helper()
	at, err := f.AsOf(context.Background(), func(d *db.DB) error {
		list = listing{}
		jobs, err := d.Jobs(context.Background())
		for _, j := range jobs {
			if list[j.Name], err = readJob(d, j.Name); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		f.T.Fatal(err)
	}
	return list, at
}

// readJob reads a job with its tasks.
func readJob(d *db.DB, name string) (*listedJob, error) {
	out := &listedJob{Tasks: map[int64]job.Task{}}
	var err error
	if out.Job, err = d.Job(context.Background(), name); err != nil {
		return nil, err
	}
	err = d.ListTasks(context.Background(), db.TasksQuery{Job: &name}, func(l db.Listed) error {
		l.Parent = "" // which it loses without an event when that is removed
		out.Tasks[l.Place.Row] = l.Task
		return nil
	})
	return out, err
}

// catchUp follows the events, and compares the list with one that is read anew.
func (f *follower) catchUp() {
	f.T.Helper()
	events, at := f.MustEvents(f.at)
	fresh, now := f.read()
	if now != at {
		f.T.Fatalf("the events end at %s, the list is as of %s", at, now)
	}
	for _, e := range events {
		if e.Job != "" {
			f.apply(&e, fresh[e.Job])
		}
	}
	f.at = at
	if diff := gocmp.Diff(fresh, f.list); diff != "" {
		f.T.Fatalf("a list that was kept by the events %s (-list read anew +list kept):\n%s", shorts(events), diff)
	}
}

// apply brings what an event names up to date with how it is now; nil: the job is gone.
func (f *follower) apply(e *db.Event, now *listedJob) {
	if now == nil || e.Type == db.JobRemoved {
		delete(f.list, e.Job)
		if now == nil {
			return
		}
	}
	mine := f.list[e.Job]
	if mine == nil {
		mine = &listedJob{Tasks: map[int64]job.Task{}}
		f.list[e.Job] = mine
	}
	mine.Job = now.Job
	update := func(key int64) {
		if task, there := now.Tasks[key]; there {
			mine.Tasks[key] = task
		} else {
			delete(mine.Tasks, key)
		}
	}
	switch {
	case e.TaskKey != 0:
		update(e.TaskKey)
	case e.Type == db.TasksAdded:
		for key := e.First; key <= e.Last; key++ {
			update(key)
		}
	case strings.HasPrefix(e.Type, "tasks."):
		clear(mine.Tasks)
		for key, task := range now.Tasks {
			mine.Tasks[key] = task
		}
	}
}

func shorts(events []db.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, short(e))
	}
	return fmt.Sprintf("%q", out)
}
