package basepath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotRegular is wrapped in Open's error, which has the name, for anything but a
// regular file.
var ErrNotRegular = errors.New("not a regular file")

// Open opens a regular file as os.OpenFile does. Anything else (a link, a named pipe, a
// device) is refused at once, without blocking. A file that it creates is given away as
// Give does.
func Open(path string, flag int, perm os.FileMode) (*os.File, error) {
	if flag&os.O_CREATE == 0 || os.Geteuid() != 0 {
		return openRegular(path, flag, perm)
	}
	// Only O_EXCL tells whether this process has made the file.
	for {
		if flag&os.O_EXCL == 0 {
			f, err := openRegular(path, flag&^os.O_CREATE, perm)
			if !errors.Is(err, fs.ErrNotExist) {
				return f, err
			}
		}
		f, err := openRegular(path, flag|os.O_EXCL, perm)
		if err == nil {
			Give(f)
		}
		if !errors.Is(err, fs.ErrExist) || flag&os.O_EXCL != 0 {
			return f, err
		}
	}
}

func openRegular(path string, flag int, perm os.FileMode) (f *os.File, err error) {
	err = Patient(path, func() error {
		f, err = openOnce(path, flag, perm)
		return err
	})
	return f, err
}

func openOnce(path string, flag int, perm os.FileMode) (*os.File, error) {
	fd, err := open(path, flag|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(perm))
	if err != nil {
		if info, e := os.Lstat(path); e == nil && !info.Mode().IsRegular() && !info.IsDir() {
			return nil, notRegular(path, info.Mode())
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
		// Non-blocking was needed for opening only.
		err = unix.SetNonblock(fd, false)
	} else if err == nil {
		unix.Close(fd)
		info, err := os.Lstat(path)
		if err != nil {
			return nil, err
		}
		return nil, notRegular(path, info.Mode())
	}
	if err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func open(path string, flag int, perm uint32) (int, error) {
	for {
		fd, err := unix.Open(path, flag, perm)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

func notRegular(path string, mode fs.FileMode) error {
	return fmt.Errorf("%s is %s, %w", path, Kind(mode), ErrNotRegular)
}

// Kind returns the kind of a file, for messages.
func Kind(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a regular file"
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}
