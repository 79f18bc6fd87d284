package manager

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
func withFolder(base, name string, fn func(root *os.Root, folder string) error) error {
	root, dir, err := runner.OpenJobs(base)
	if err != nil {
		return err
	}
	defer root.Close()
	if err = fn(root, filepath.Join(dir, job.FolderName(name))); err != nil {
		if link := runner.CheckJob(base, name); link != nil {
			return link
		}
	}
	return err
}

// RemoveTaskFiles deletes the logs of removed tasks of a job, some at a time: others
// wait meanwhile. It returns how many bytes that were.
func RemoveTaskFiles(ctx context.Context, d *db.DB, base, name string, tasks []db.Removed) (bytes int64, err error) {
	const some = 200
	err = withFolder(base, name, func(root *os.Root, folder string) error {
		for len(tasks) > 0 {
			n := min(some, len(tasks))
			err := d.WhileGone(ctx, name, tasks[:n], func(gone []db.Removed) error {
				for _, t := range gone {
					n, err := removeLogs(root, filepath.Join(folder, "logs"), t)
					if bytes += n; err != nil {
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
	return bytes, err
}

// logNames are the files that may hold the output of a task's attempts.
func logNames(t db.Removed) []string {
	names := []string{job.LogName(t.Task)}
	for n := range t.Attempts + 1 { // 0 is what was there before the first
		old := job.OldLogName(t.Task, n)
		names = append(names, old, old+runner.Compressed)
	}
	return names
}

func removeLogs(root *os.Root, logs string, t db.Removed) (bytes int64, err error) {
	for _, name := range logNames(t) {
		name = filepath.Join(logs, name)
		info, err := root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return bytes, err
		}
		if err := removeFile(root, name); err != nil {
			return bytes, err
		}
		bytes += info.Size()
	}
	return bytes, nil
}

// removeFile deletes a file if it exists.
func removeFile(root *os.Root, name string) error {
	err := root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// RemoveJobFiles deletes the logs of a removed job, what was exported of it, and
// its folder if that is empty then. It returns how many bytes of logs that were.
func RemoveJobFiles(ctx context.Context, d *db.DB, base string, r db.RemovedJob) (bytes int64, err error) {
	err = withFolder(base, r.Name, func(root *os.Root, folder string) error {
		aside := filepath.Join(filepath.Dir(folder), ".removed-"+rand.Text())
		moved := false
		err := d.WhileGone(ctx, r.Name, nil, func([]db.Removed) error {
			// Deleting takes long, renaming does not.
			err := root.Rename(filepath.Join(folder, "logs"), aside)
			moved = err == nil
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return removeExported(root, folder, r.UUID)
		})
		if moved {
			bytes = sizeOf(root, aside)
			err = errors.Join(err, root.RemoveAll(aside))
		}
		return err
	})
	return bytes, err
}

// sizeOf adds up the files in a folder.
func sizeOf(root *os.Root, folder string) (bytes int64) {
	_ = fs.WalkDir(root.FS(), filepath.ToSlash(folder), func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // it is counted less, and removed all the same
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
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
