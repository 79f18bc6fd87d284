package runner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
)

// LogPath is where the output of the current attempt of a task is.
func LogPath(base, jobName, task string) string {
	return filepath.Join(logFolder(base, jobName), job.LogName(task))
}

// OldLogPath is where the output of an earlier attempt of a task is.
func OldLogPath(base, jobName, task string, attempt int) string {
	return filepath.Join(logFolder(base, jobName), job.OldLogName(task, attempt))
}

func logFolder(base, jobName string) string {
	return filepath.Join(base, "jobs", job.FolderName(jobName), "logs")
}

// openLog creates the log of an attempt. What the attempt before has written
// moves out of the way. Whatever else may lie there, the file is a new one, and
// it is inside the base path: names go through os.Root, which follows no link
// out of it, and O_EXCL follows none at all.
func openLog(base string, a *db.Assignment) (*os.File, error) {
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.Join("jobs", job.FolderName(a.Job), "logs", job.LogName(a.Task))
	f, err := createLog(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, err
		}
		f, err = createLog(root, name)
	}
	if errors.Is(err, fs.ErrExist) {
		old := filepath.Join(filepath.Dir(name), job.OldLogName(a.Task, a.Attempt-1))
		if err := root.Rename(name, old); err != nil {
			return nil, err
		}
		failpoint.Hit("rotate.mid")
		f, err = createLog(root, name)
	}
	return f, err
}

func createLog(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
}
