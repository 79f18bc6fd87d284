package jobfolder

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/internal/basepath"
)

// ImportedName is the folder of a base path in which imported files are kept.
const ImportedName = "imported"

// moved are the files that Retire moves. TasksFile comes before StateFile, so that
// after a crash in between the remaining file still shows which job it belongs to.
var moved = []string{"runner.pid", TasksFile, StateFile}

// Retire moves the files of an imported job to imported/DATE/JOB in the base path,
// because they will soon be out of date: from now on only the database changes. Logs
// stay where they are. It returns the new folder. If a crash leaves some of the files
// behind, Retire moves them when it is called again.
func Retire(base, folder string, today time.Time) (string, error) {
	day := filepath.Join(base, ImportedName, today.Format(time.DateOnly))
	target := filepath.Join(day, filepath.Base(folder))
	for n := 2; collides(folder, target); n++ {
		target = filepath.Join(day, fmt.Sprintf("%s.%d", filepath.Base(folder), n))
	}
	if err := basepath.MkdirAll(target); err != nil {
		return "", err
	}
	for _, name := range moved {
		err := move(filepath.Join(folder, name), filepath.Join(target, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return target, errors.Join(basepath.SyncFolder(target), basepath.SyncFolder(folder))
}

// move renames a file, or copies it if the new name is on another disk.
func move(from, to string) error {
	err := os.Rename(from, to)
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	in, err := open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	err = replace(to, basepath.Give, func(w *bufio.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(basepath.SyncFolder(filepath.Dir(to)), os.Remove(from))
}

// collides reports whether a file to be moved already exists in the new folder.
func collides(folder, target string) bool {
	for _, name := range moved {
		_, here := os.Lstat(filepath.Join(folder, name))
		_, there := os.Lstat(filepath.Join(target, name))
		if here == nil && there == nil {
			return true
		}
	}
	return false
}
