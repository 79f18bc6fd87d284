// Package jobfolder reads and writes the folder of a job in the layout of other tools,
// with its state in state.json and its tasks in tasks.json. Package taskfile defines
// the format of the two files.
package jobfolder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// The files of a job's folder, and the folder in a base path that has all jobs'
// folders.
const (
	StateFile = "state.json"
	TasksFile = "tasks.json"
	JobsName  = "jobs"
)

// Is reports whether a folder has one of the two files.
func Is(path string) bool {
	for _, name := range []string{StateFile, TasksFile} {
		if _, err := os.Lstat(filepath.Join(path, name)); err == nil {
			return true
		}
	}
	return false
}

// CheckOwn returns an error if one of the two files in a folder of the base path is not
// a regular file. A link there would lead out of the base path.
func CheckOwn(path string) error {
	for _, name := range []string{StateFile, TasksFile} {
		file := filepath.Join(path, name)
		if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is %s, %w", file, basepath.Kind(info.Mode()), basepath.ErrNotRegular)
		}
	}
	return nil
}

// Find looks for the folders of jobs: the folder itself, its subfolders, those of its
// subfolder jobs, or those of the base path called hidden in it. If there are none, it
// returns none and no error.
func Find(path, hidden string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", path)
	}
	if Is(path) {
		return []string{path}, nil
	}
	for _, in := range []string{".", JobsName, filepath.Join(hidden, JobsName)} {
		folder := filepath.Join(path, in)
		entries, err := os.ReadDir(folder)
		if err != nil && in == "." {
			return nil, err
		}
		var out []string
		for _, e := range entries {
			if sub := filepath.Join(folder, e.Name()); Is(sub) {
				out = append(out, sub)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	return nil, nil
}

// ReadState reads the state.json of a folder. A folder without one is a waiting job
// with the folder's name and no UUID. Errors are of type *taskfile.Error, or errors of
// the system.
func ReadState(folder string) (job.Job, error) {
	path := filepath.Join(folder, StateFile)
	f, err := open(path)
	if errors.Is(err, os.ErrNotExist) {
		abs, err := filepath.Abs(folder)
		return job.Job{Name: filepath.Base(abs), State: job.StateWaiting}, err
	}
	if err != nil {
		return job.Job{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return job.Job{}, err
	}
	return taskfile.ParseState(path, data)
}

// OpenTasks opens the tasks.json of a folder. If there is none, the job has no tasks,
// and the file is nil.
func OpenTasks(folder string) (*os.File, error) {
	f, err := open(filepath.Join(folder, TasksFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

// open opens a file, and refuses one that might block, such as a pipe: other writers
// wait while it is read.
func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, fmt.Errorf("%s: is not a regular file", path))
	}
	return f, nil
}
