package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/internal/basepath"
)

// prepare makes the folder, and checks the files in it before SQLite opens them.
func prepare(path string, o engine.Options) error {
	if err := checkLength(path); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		if o.MustExist {
			return fmt.Errorf("%w at %s", engine.ErrNoDatabase, path)
		}
		return create(path, o)
	}
	if err != nil {
		return err
	}
	if err := trust(filepath.Dir(path), o); err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		return fmt.Errorf("%w: %s is a symbolic link, beside which the locks of its users cannot be seen; link the folder instead", engine.ErrForeign, path)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is not a regular file", engine.ErrForeign, path)
	}
	if err := checkFilesystem(filepath.Dir(path)); err != nil {
		return err
	}
	if !o.AllowForeign {
		if err := basepath.CheckInfo(path, info); err != nil {
			return err
		}
	}
	if hardLinks(info) > 1 {
		return fmt.Errorf("%w: %s has a second name (hard link), which would split its write-ahead log in two", engine.ErrForeign, path)
	}
	if err := checkCompanions(path); err != nil {
		return err
	}
	return checkEmptied(path)
}

// longestPath is the longest name that SQLite gives a database: 512 bytes, including
// -journal and a zero byte at the end.
const longestPath = 504

// checkLength refuses a path that SQLite could not open without saying why.
func checkLength(path string) error {
	whole, err := filepath.Abs(path)
	if err == nil && len(whole) > longestPath {
		err = fmt.Errorf("the base path is %d bytes long, and may be at most %d: %s",
			len(filepath.Dir(whole)), longestPath-len(FileName)-1, filepath.Dir(whole))
	}
	return err
}

// checkCompanions refuses anything but regular files under the names of SQLite's files
// beside the database: SQLite would wait for a named pipe forever.
func checkCompanions(path string) error {
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		info, err := os.Lstat(path + suffix)
		if err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%w: %s is %s, %w", engine.ErrTaken, path+suffix, basepath.Kind(info.Mode()), basepath.ErrNotRegular)
		}
	}
	return nil
}

// checkEmptied refuses an empty database with a non-empty write-ahead log, which SQLite
// would delete. A database that another process is building is never in that state,
// because its first page is written before its log; for that reason the log is checked
// first.
func checkEmptied(path string) error {
	wal, err := os.Lstat(path + "-wal")
	if err != nil || wal.Size() == 0 {
		return nil
	}
	info, err := os.Lstat(path)
	if err != nil || info.Size() > 0 {
		return nil
	}
	return fmt.Errorf("%w: %s is empty, and there is its write-ahead log, which may hold the newest of its rows", engine.ErrCorrupt, path)
}

// access returns an error that says why this process cannot read or write the database.
// Write permission on the folder is needed even to read, because the write-ahead log
// and its index are created there.
func access(path string) error {
	if err := unix.Access(path, unix.R_OK|unix.W_OK); err != nil {
		return fmt.Errorf("%w: %w", engine.ErrReadOnly, err)
	}
	folder := filepath.Dir(path)
	if err := unix.Access(folder, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%w: its folder, %s: %w", engine.ErrReadOnly, folder, err)
	}
	return nil
}

// CheckNames returns [engine.ErrTaken] if the base path has files of other programs
// under names that we need.
func CheckNames(folder string) error {
	f, err := openReserve(filepath.Join(folder, reserveName), 0)
	if err == nil {
		f.Close()
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	wake := filepath.Join(folder, wakeName)
	if info, err := os.Lstat(wake); err == nil && info.Mode()&os.ModeNamedPipe == 0 {
		return fmt.Errorf("%w: %s; move it away, or choose another base path", engine.ErrTaken, wake)
	}
	return nil
}

// trust refuses a folder in which other users could put a database of their own.
func trust(folder string, o engine.Options) error {
	if o.AllowForeign {
		return nil
	}
	return basepath.Check(folder)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// create makes the folder, and an empty database file that only its owner can read,
// because environments are stored in it. SQLite would make it readable by everyone.
func create(path string, o engine.Options) error {
	folder := filepath.Dir(path)
	if _, err := basepath.Make(folder); err != nil {
		return err
	}
	if err := trust(folder, o); err != nil {
		return err
	}
	if err := checkFilesystem(folder); err != nil {
		return err
	}
	if err := CheckNames(folder); err != nil {
		return err
	}
	if exists(path+"-wal") && !exists(path) {
		// SQLite would delete it.
		return fmt.Errorf("%w: %s is missing but its write-ahead log is not; the log may hold the latest commits: restore the database, or move the log away", engine.ErrForeign, path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil // another process was faster
	}
	if err != nil {
		return err
	}
	basepath.Give(f)
	// Closing a file drops this process's SQLite locks on it; a new file has none.
	return f.Close()
}
