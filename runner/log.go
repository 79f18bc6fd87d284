package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

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
	return filepath.Join(base, jobsName, job.FolderName(jobName), "logs")
}

// openLog creates the log of an attempt, after renaming that of the attempt
// before. The file is always a new one inside the folder of the logs: os.Root
// follows no link out of that folder, and O_EXCL follows none at all.
func openLog(base string, a *db.Assignment) (*os.File, error) {
	if f, err := createQuick(base, filepath.Join(jobsName, job.FolderName(a.Job), "logs", job.LogName(a.Task))); err == nil {
		return f, nil // as a rule: the folders are there, and it is the first attempt
	}
	root, dir, err := openJobs(base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.Join(dir, job.FolderName(a.Job), "logs", job.LogName(a.Task))
	f, err := createLog(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFolders(root, filepath.Dir(name)); err != nil {
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

// createLog makes a new file. It is not opened with O_APPEND, which splice(2)
// does not take; nobody else writes to it.
func createLog(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err == nil {
		err = giveAway(root, f)
	}
	return f, err
}

// jobsName is the folder in the base path with a folder for each job.
const jobsName = "jobs"

// openJobs opens the folder below which logs are made, and says where in it the
// folders of the jobs are. As a rule that is the base path. But logs are what
// fills a disk, and the owner of the base path may have put a link to a folder
// elsewhere in the place of jobs.
func openJobs(base string) (root *os.Root, dir string, err error) {
	if root, err = os.OpenRoot(base); err != nil {
		return nil, "", err
	}
	link, err := root.Lstat(jobsName)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		return root, jobsName, nil // what is wrong with it shows when it is used
	}
	defer root.Close()
	home, err := root.Stat(".")
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(base, jobsName)
	elsewhere, err := os.OpenRoot(path)
	if err != nil {
		return nil, "", err
	}
	folder, err := elsewhere.Stat(".")
	switch {
	case err != nil:
	case owner(link) != owner(home) || owner(folder) != owner(home):
		err = fmt.Errorf("%s is a link: it and its folder must belong to the owner of the base path", path)
	case folder.Mode()&0o022 != 0:
		err = fmt.Errorf("%s is a link to a folder in which others may write", path)
	default:
		return elsewhere, ".", nil
	}
	elsewhere.Close()
	return nil, "", err
}

// makeFolders makes the folder name with all above it. What root makes in the
// folder of another user belongs to that user.
func makeFolders(root *os.Root, name string) error {
	if err := root.MkdirAll(name, 0o700); err != nil || os.Geteuid() != 0 {
		return err
	}
	home, err := root.Stat(".")
	if err != nil || owner(home) == 0 {
		return err
	}
	for ; name != "."; name = filepath.Dir(name) {
		info, err := root.Lstat(name)
		if err == nil && owner(info) == 0 {
			err = root.Lchown(name, owner(home), group(home))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// giveAway gives a file that root has made to the owner of the folder that it is in.
func giveAway(root *os.Root, f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	home, err := root.Stat(".")
	if err != nil || owner(home) == 0 {
		return err
	}
	return f.Chown(owner(home), group(home))
}

func owner(i fs.FileInfo) int { return int(i.Sys().(*syscall.Stat_t).Uid) }

func group(i fs.FileInfo) int { return int(i.Sys().(*syscall.Stat_t).Gid) }
