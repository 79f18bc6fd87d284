package runner

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/job"
)

// Compressed is what the name of a log ends in, after that of OldLogName, once it is
// compressed, also that of the newest attempt: so no later one has its name.
const Compressed = ".gz"

// compressing is the name of a log while it is being compressed, in the folder of the
// job's logs. One is at a time.
const compressing = ".compressing"

// CompressedLogPath is where the output of an attempt is once it is compressed.
func CompressedLogPath(base, jobName, task string, attempt int) string {
	return OldLogPath(base, jobName, task, attempt) + Compressed
}

// CompressLog compresses the log of an attempt that has ended, the newest of its task
// or an earlier one. It calls swap when all is written, which must call the function
// that it is given while the task cannot start, or not at all. If the log was replaced
// meanwhile, nothing changes. It returns by how many bytes the log is smaller. One that
// is not there, or has nothing in it, is left alone.
func CompressLog(base, jobName, task string, attempt int, newest bool, swap func(func() error) error) (saved int64, err error) {
	path := OldLogPath(base, jobName, task, attempt)
	if newest {
		path = LogPath(base, jobName, task)
	}
	from, err := ReadLog(base, path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	root, dir, err := OpenJobs(base)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	logs := filepath.Join(dir, job.FolderName(jobName), "logs")
	tmp := filepath.Join(logs, compressing)
	size, err := compress(root, tmp, from, info)
	if err != nil {
		return 0, errors.Join(err, ignoreMissing(root.Remove(tmp)))
	}
	name := filepath.Join(logs, filepath.Base(path))
	swapped := false
	err = swap(func() error {
		if now, err := root.Lstat(name); err != nil || !os.SameFile(now, info) {
			return ignoreMissing(err)
		}
		// In this order: who looks for the log meanwhile finds one of the two.
		if err := root.Rename(tmp, filepath.Join(logs, job.OldLogName(task, attempt)+Compressed)); err != nil {
			return err
		}
		swapped = true
		return root.Remove(name)
	})
	if !swapped {
		return 0, errors.Join(err, ignoreMissing(root.Remove(tmp)))
	}
	return info.Size() - size, err
}

// compress writes a log anew as name, with its time and owner.
func compress(root *os.Root, name string, from *os.File, info fs.FileInfo) (size int64, err error) {
	if err := ignoreMissing(root.Remove(name)); err != nil { // what a crash has left
		return 0, err
	}
	to, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return 0, err
	}
	w := gzip.NewWriter(to)
	_, err = io.Copy(w, from)
	err = errors.Join(err, w.Close(), giveAway(root, to), to.Sync())
	written, e := to.Stat()
	if err = errors.Join(err, e, to.Close()); err != nil {
		return 0, err
	}
	return written.Size(), root.Chtimes(name, info.ModTime(), info.ModTime())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
