package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/taskfile"
)

// The rows are deleted first, in one commit, and then the files: a process that is
// killed in between leaves files that do no harm, because a later task of the same name
// moves them out of its way. All names go through os.Root, which follows no link out of
// its folder.

// withFolder opens the folder of the logs, and passes it to fn with the name of a job's
// folder in it. An error about a link that leads elsewhere says so.
func (q *Queue) withFolder(name string, fn func(root *os.Root, folder string) error) error {
	root, dir, err := runner.OpenJobs(q.conf.BasePath)
	if err != nil {
		return err
	}
	defer root.Close()
	if err = fn(root, filepath.Join(dir, job.FolderName(name))); err != nil {
		if link := runner.CheckJob(q.conf.BasePath, name); link != nil {
			return link
		}
	}
	return err
}

// removeTaskFiles deletes the logs of removed tasks, some at a time, because other
// writers wait meanwhile.
func (q *Queue) removeTaskFiles(ctx context.Context, name string, tasks []db.Removed) error {
	const some = 200
	return q.withFolder(name, func(root *os.Root, folder string) error {
		for len(tasks) > 0 {
			n := min(some, len(tasks))
			err := q.DB.WhileGone(ctx, name, tasks[:n], func(gone []db.Removed) error {
				for _, t := range gone {
					if err := removeLogs(root, filepath.Join(folder, "logs"), t); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			tasks = tasks[n:]
		}
		return nil
	})
}

func removeLogs(root *os.Root, logs string, t db.Removed) error {
	names := []string{job.LogName(t.Task)}
	for n := range t.Attempts { // 0 is a log from before the first attempt
		names = append(names, job.OldLogName(t.Task, n))
	}
	for _, name := range names {
		if err := removeFile(root, filepath.Join(logs, name)); err != nil {
			return err
		}
	}
	return nil
}

// removeFile deletes a file if it exists.
func removeFile(root *os.Root, name string) error {
	err := root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeJobFiles deletes the logs of a removed job, its exported files, and its folder
// if that is empty afterwards.
func (q *Queue) removeJobFiles(ctx context.Context, r db.RemovedJob) error {
	return q.withFolder(r.Name, func(root *os.Root, folder string) error {
		aside := filepath.Join(filepath.Dir(folder), ".removed-"+rand.Text())
		moved := false
		err := q.DB.WhileGone(ctx, r.Name, nil, func([]db.Removed) error {
			// Deleting takes long, so the logs are renamed first.
			err := root.Rename(filepath.Join(folder, "logs"), aside)
			moved = err == nil
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return removeExported(root, folder, r.UUID)
		})
		if moved {
			err = errors.Join(err, root.RemoveAll(aside))
		}
		return err
	})
}

// removeExported deletes the state.json and tasks.json of the job with this
// identity, and the folder if nothing else is in it.
func removeExported(root *os.Root, folder, uuid string) error {
	state := filepath.Join(folder, "state.json")
	if info, err := root.Lstat(state); err == nil && info.Mode().IsRegular() {
		data, err := root.ReadFile(state)
		if err != nil {
			return err
		}
		if j, err := taskfile.ParseState(state, data); err == nil && j.UUID == uuid {
			for _, path := range []string{filepath.Join(folder, "tasks.json"), state} {
				if err := removeFile(root, path); err != nil {
					return err
				}
			}
		}
	}
	_ = root.Remove(folder) // fails if other files are in it
	return nil
}
