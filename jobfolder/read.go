// Package jobfolder reads and writes the folder of a job as other tools know it,
// with its state in state.json and its tasks in tasks.json. The forms of the two
// files are those of package job.
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

// The files of a folder, and the folder of folders in a base path.
const (
	StateFile = "state.json"
	TasksFile = "tasks.json"
	JobsName  = "jobs"
)

// Is reports whether a folder holds one of the two files.
func Is(path string) bool {
	for _, name := range []string{StateFile, TasksFile} {
		if _, err := os.Lstat(filepath.Join(path, name)); err == nil {
			return true
		}
	}
	return false
}

// CheckOwn returns an error if a folder in the base path has something else than a
// regular file in the place of one of the two files. A link there would lead out of
// the base path.
func CheckOwn(path string) error {
	for _, name := range []string{StateFile, TasksFile} {
		file := filepath.Join(path, name)
		if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is %s, %w", file, basepath.Kind(info.Mode()), basepath.ErrNotRegular)
		}
	}
	return nil
}

// Find looks for the folders of jobs: the folder itself, its subfolders, those
// of its subfolder jobs, or those of the base path that is called hidden in it.
// It returns none, and no error, where there are none.
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

// ReadState reads the state.json of a folder. A folder that has none is a
// waiting job with the folder's name and no UUID. Errors are of type
// *taskfile.Error, or what the system said.
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

// OpenTasks opens the tasks.json of a folder. A folder without one has no tasks:
// the file is nil then.
func OpenTasks(folder string) (*os.File, error) {
	f, err := open(filepath.Join(folder, TasksFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

// open opens a file that can be read to its end without blocking, because other
// writers wait while it is read. A pipe is refused.
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
