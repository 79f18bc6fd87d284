package jobfolder

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// ErrOther is returned if a folder has the files of another job.
var ErrOther = errors.New("holds another job")

// Path returns the folder of a job in a base path.
func Path(base, name string) string {
	return filepath.Join(base, JobsName, job.FolderName(name))
}

// Write writes the files of a job. Each is replaced as a whole, so that readers, even
// after a crash, see the old one or the new one and never a part.
func Write(ctx context.Context, d *db.DB, j job.Job, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return write(ctx, d, j, folder, func(*os.File) {})
}

// write is Write for a folder that exists. made is called with the new files.
func write(ctx context.Context, d *db.DB, j job.Job, folder string, made func(*os.File)) error {
	state, err := taskfile.FormatState(j)
	if err != nil {
		return err
	}
	writeState := func() error {
		return replace(filepath.Join(folder, StateFile), made, func(w *bufio.Writer) error {
			_, err := w.Write(state)
			return err
		})
	}
	// A state.json shows to which job the tasks.json beside it belongs, so it is
	// written first the first time. Later it is written last, so that it is never newer
	// than the tasks.
	if _, err := os.Lstat(filepath.Join(folder, StateFile)); errors.Is(err, os.ErrNotExist) {
		if err := writeState(); err != nil {
			return err
		}
	}
	err = replace(filepath.Join(folder, TasksFile), made, func(w *bufio.Writer) error {
		tw := taskfile.NewTaskWriter(w, j.Name)
		err := d.EachTask(ctx, j.Name, func(t job.Task) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return tw.Write(t)
		})
		if err != nil {
			return err
		}
		return tw.Close()
	})
	if err != nil {
		return err
	}
	return writeState()
}

// WriteOwn is Write for folders that other tools may have written: if the files belong
// to another job, it changes nothing and returns ErrOther.
func WriteOwn(ctx context.Context, d *db.DB, j job.Job, folder string) error {
	if err := CheckOwn(folder); err != nil {
		return fmt.Errorf("%s %w: %w", folder, ErrOther, err)
	}
	if Is(folder) {
		theirs, err := ReadState(folder)
		if err != nil {
			return fmt.Errorf("%s %w: %w", folder, ErrOther, err)
		}
		if theirs.UUID == "" {
			return fmt.Errorf("%s %w: a %s without a %s", folder, ErrOther, TasksFile, StateFile)
		}
		if theirs.UUID != j.UUID {
			return fmt.Errorf("%s %w, with the id %q", folder, ErrOther, theirs.UUID)
		}
	}
	if err := basepath.MkdirAll(folder); err != nil {
		return err
	}
	return write(ctx, d, j, folder, basepath.Give)
}

// Fresh reports whether the files of a folder are up to date.
func Fresh(j job.Job, folder string) bool {
	state, err := taskfile.FormatState(j)
	if err != nil {
		return false
	}
	theirs, err := os.ReadFile(filepath.Join(folder, StateFile))
	if err != nil || !bytes.Equal(state, theirs) {
		return false
	}
	_, err = os.Lstat(filepath.Join(folder, TasksFile))
	return err == nil
}

// replace writes a file beside the old one, calls made with it, and renames it to
// replace the old one.
func replace(path string, made func(*os.File), write func(*bufio.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	made(f)
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
