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
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
)

// LogPath returns the path of the log of a task's current attempt.
func LogPath(base, jobName, task string) string {
	return filepath.Join(logFolder(base, jobName), job.LogName(task))
}

// OldLogPath returns the path of the log of an earlier attempt.
func OldLogPath(base, jobName, task string, attempt int) string {
	return filepath.Join(logFolder(base, jobName), job.OldLogName(task, attempt))
}

func logFolder(base, jobName string) string {
	return filepath.Join(base, jobsName, job.FolderName(jobName), "logs")
}

// openLog renames the log of the previous attempt, and creates that of this one. The
// file is always a new one inside the folder of the logs: os.Root follows no link out
// of that folder, and O_EXCL follows none at all.
func openLog(base string, a *db.Assignment) (*os.File, error) {
	if f, err := createQuick(base, filepath.Join(jobsName, job.FolderName(a.Job), "logs", job.LogName(a.Task))); err == nil {
		return f, nil // the usual case: the folders exist, and it is the first attempt
	}
	root, dir, err := OpenJobs(base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := checkFolders(root, base, dir, job.FolderName(a.Job)); err != nil {
		return nil, err
	}
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

// createLog makes a new file. It is opened without O_APPEND, which splice(2) does not
// accept; no other process writes to it.
func createLog(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err == nil {
		err = giveAway(root, f)
	}
	return f, err
}

// jobsName is the folder in the base path that has a folder for each job.
const jobsName = "jobs"

// OpenJobs opens the folder below which logs are made, and returns where in it the
// folders of the jobs are. Usually that is the base path. But because logs can fill a
// disk, the owner of the base path may have made jobs a link to a folder elsewhere. The
// errors are those of CheckJobs.
func OpenJobs(base string) (root *os.Root, dir string, err error) {
	if root, err = os.OpenRoot(base); err != nil {
		return nil, "", err
	}
	path := filepath.Join(base, jobsName)
	link, err := root.Lstat(jobsName)
	switch {
	case err != nil || link.IsDir():
		return root, jobsName, nil // an error will show when it is used
	case link.Mode()&fs.ModeSymlink == 0:
		root.Close()
		return nil, "", noFolder(path, link)
	}
	defer root.Close()
	home, err := root.Stat(".")
	if err != nil {
		return nil, "", err
	}
	elsewhere, err := os.OpenRoot(path)
	if errors.Is(err, fs.ErrNotExist) {
		target, _ := root.Readlink(jobsName)
		return nil, "", fmt.Errorf("%s is a link to %s, which is not there", path, target)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s is a link to what cannot be used as a folder: %w", path, err)
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

// CheckJobs returns an error if logs cannot be written below jobs in the base path,
// because jobs is not a folder, or is a link that is broken or does not belong to the
// owner of the base path.
func CheckJobs(base string) error {
	root, _, err := OpenJobs(base)
	if err != nil {
		return err
	}
	return root.Close()
}

// CheckJob is CheckJobs for the folder of one job, below jobs.
func CheckJob(base, jobName string) error {
	root, dir, err := OpenJobs(base)
	if err != nil {
		return err
	}
	defer root.Close()
	return checkFolders(root, base, dir, job.FolderName(jobName))
}

// checkFolders returns a readable error if something else has the name of the folder of
// a job, or of its logs.
func checkFolders(root *os.Root, base, dir, folder string) error {
	for _, name := range []string{folder, filepath.Join(folder, "logs")} {
		info, err := root.Lstat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if to, err := root.Stat(filepath.Join(dir, name)); err == nil && to.IsDir() {
			continue // a link to another folder in the base path is fine
		}
		if !info.IsDir() {
			return noFolder(filepath.Join(base, jobsName, name), info)
		}
	}
	return nil
}

func noFolder(path string, info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a link to no folder in the base path; only jobs itself may lead elsewhere", path)
	}
	return fmt.Errorf("%s is %s, not a folder", path, basepath.Kind(info.Mode()))
}

// makeFolders makes the folder name and its parents. If root makes it in the folder of
// another user, it belongs to that user.
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

// giveAway gives a file that root has made to the owner of its folder.
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
