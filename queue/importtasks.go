package queue

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/taskfile"
)

// tasksFile is the tasks.json of a folder; if there is none, it has no tasks.
type tasksFile struct {
	path   string
	job    string
	file   *os.File // nil: there is none
	reader *taskfile.TaskReader
	count  int // tasks read
}

func openTasks(folder, name string) (*tasksFile, error) {
	path := filepath.Join(folder, jobfolder.TasksFile)
	f, err := jobfolder.OpenTasks(folder)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return &tasksFile{path: path, job: name, reader: taskfile.NewTaskReader(path, name, strings.NewReader("[]"))}, nil
	}
	return &tasksFile{path: path, job: name, file: f, reader: taskfile.NewTaskReader(path, name, bufio.NewReaderSize(f, 1<<20))}, nil
}

// Close closes the file.
func (f *tasksFile) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// undecided is the error about a task that was running and would be imported.
func (f *tasksFile) undecided(task string) error {
	return fmt.Errorf("%s: task %q of job %q %w", f.path, task, f.job, ErrWasRunning)
}

// tasks yields the tasks of a file as they are stored here: none is running, except
// with runningKept. Those that were running are first passed to ran.
func (f *tasksFile) tasks(running Running, ran func(job.Task)) iter.Seq2[job.Task, error] {
	return func(yield func(job.Task, error) bool) {
		for {
			t, err := f.reader.Next()
			if err == io.EOF {
				return
			}
			if err == nil && t.Status == job.Running {
				ran(t)
				if !running.settle(&t) {
					err = f.undecided(t.ID)
				}
			}
			f.count++
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// settle turns a task that was running elsewhere into one that is not. It returns false
// if it is not decided how.
func (r Running) settle(t *job.Task) bool {
	switch r {
	case RunningAgain:
		t.Status, t.StartedAt, t.CompletedAt = job.Pending, time.Time{}, time.Time{}
	case RunningFailed:
		// When it ended is not known.
		t.Status, t.Reason, t.CompletedAt = job.Failed, job.Lost, time.Time{}
		if t.Error == "" {
			t.Error = "was running when its file was written"
		}
	case runningKept:
	default:
		return false
	}
	return true
}

// merge adds the result of a merge into an existing job.
func (r *ImportResult) merge(m db.Merged, running []string) {
	r.Merged, r.Imported, r.Present = true, m.Added, len(m.Present)
	for _, d := range m.Differ {
		r.Differing = append(r.Differing, DifferingTask(d))
	}
	for _, id := range running {
		if !slices.Contains(m.Present, id) {
			r.WasRunning = append(r.WasRunning, id)
		}
	}
}

// RunningTask is a task that was running when its file was written.
type RunningTask struct{ Job, Task string }

// String describes the task for messages.
func (t RunningTask) String() string { return fmt.Sprintf("task %q of job %q", t.Task, t.Job) }

// FindRunning returns the tasks in folders that were running and would be imported, so
// that the user can decide what to do with them. Mistakes in the files are reported
// when they are imported. It does not create a base path.
func FindRunning(ctx context.Context, conf *config.Config, folders []string, o ImportOptions) ([]RunningTask, error) {
	d, err := openExisting(ctx, conf)
	if err != nil && !errors.Is(err, db.ErrNoDatabase) {
		return nil, err
	}
	if d != nil {
		defer d.Close()
	}
	var ran []RunningTask
	for _, folder := range folders {
		if checkOwn(conf, folder) != nil {
			continue
		}
		some, err := runningIn(ctx, d, folder, o)
		if err != nil {
			return nil, err
		}
		ran = append(ran, some...)
	}
	return ran, nil
}

// runningIn returns those of a folder. If d is nil, there is no database yet.
func runningIn(ctx context.Context, d *db.DB, folder string, o ImportOptions) ([]RunningTask, error) {
	j, err := jobfolder.ReadState(folder)
	if err != nil || job.CheckName(j.Name) != nil {
		return nil, nil
	}
	there := false
	if d != nil {
		_, err := d.Job(ctx, j.Name)
		if there = err == nil; !there && !errors.Is(err, db.ErrNoJob) {
			return nil, err
		}
	}
	if there && !o.Merge {
		return nil, nil
	}
	f, err := openTasks(folder, j.Name)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	var out []RunningTask
	for ctx.Err() == nil {
		t, err := f.reader.Next()
		if err != nil {
			return out, nil
		}
		if t.Status != job.Running {
			continue
		}
		if there {
			if _, err := d.Task(ctx, j.Name, t.ID); err == nil {
				continue // it is not changed
			}
		}
		out = append(out, RunningTask{j.Name, t.ID})
	}
	return nil, ctx.Err()
}
