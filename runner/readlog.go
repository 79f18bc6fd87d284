package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/basepath"
)

// ReadLog opens a log for reading, by a path from LogPath or OldLogPath. As for
// writing, it follows no link out of the base path, except jobs itself. Anything but a
// regular file is refused, without blocking. Errors: fs.ErrNotExist; others name the
// path.
func ReadLog(base, path string) (f *os.File, err error) {
	err = basepath.Patient(path, func() error {
		f, err = readLog(base, path)
		return err
	})
	return f, err
}

func readLog(base, path string) (*os.File, error) {
	root, name, err := openLogRoot(base, path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// os.Root would follow a link to another file in the folder, but a log is never a
	// link.
	there, err := root.Lstat(name)
	if err == nil && !there.Mode().IsRegular() {
		err = fmt.Errorf("%s is %s, %w", path, basepath.Kind(there.Mode()), basepath.ErrNotRegular)
	}
	if err != nil {
		return nil, at(path, err)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, at(path, err)
	}
	info, err := f.Stat()
	if err == nil && !os.SameFile(there, info) {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist} // the next attempt is moving it away
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openLogRoot opens the folder below which logs are read, and returns the log's name in
// it.
func openLogRoot(base, path string) (root *os.Root, name string, err error) {
	rel, err := filepath.Rel(filepath.Join(base, jobsName), path)
	if err != nil {
		return nil, "", err
	}
	root, dir, err := OpenJobs(base)
	if err != nil {
		return nil, "", err
	}
	folder := filepath.Dir(filepath.Dir(rel))
	if err := checkFolders(root, base, dir, folder); err != nil {
		root.Close()
		return nil, "", err
	}
	return root, filepath.Join(dir, rel), nil
}

// at wraps an error of the system with a path.
func at(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		return &fs.PathError{Op: "open", Path: path, Err: inner.Err}
	}
	return err
}
