package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/taskfile"
)

// Running says what to do with imported tasks that were running when their file was
// written, and may have ended since.
type Running string

// The values of Running.
const (
	RunningRefused Running = ""       // their job is not imported
	RunningAgain   Running = "rerun"  // they are pending, and run a second time
	RunningFailed  Running = "failed" // they have failed, as lost

	runningKept Running = "kept" // they stay running, so that a merge sees that they exist already
)

// ImportOptions say how jobs are imported.
type ImportOptions struct {
	Running  Running
	IfAbsent bool // skip jobs that exist already
	Merge    bool // add to existing jobs the tasks that they do not have
}

// ImportResult is the result of importing the job in one folder.
type ImportResult struct {
	Job        string          `json:"job"`
	Imported   int             `json:"imported"`    // tasks stored
	Present    int             `json:"present"`     // tasks that existed, and were not changed
	PassedOver bool            `json:"passed_over"` // the job existed, and nothing was stored
	WasRunning []string        `json:"was_running"` // ids of stored tasks that ran when the file was written
	Differing  []DifferingTask `json:"differing"`   // existing tasks that differ in the file
	MovedTo    *string         `json:"moved_to"`    // where the files are now, if they were moved
	Remarks    []string        `json:"remarks"`     // what was unusual in the files

	Merged bool `json:"-"` // tasks were added to an existing job
	Again  bool `json:"-"` // it was imported before, and only its files were moved
}

// DifferingTask is a task that differs between a file and the queue.
type DifferingTask struct {
	Task string `json:"task"`
	What string `json:"what"`
}

// BadFolder is the error about a folder with invalid files. Other errors of an import
// are not caused by the files.
type BadFolder struct{ err error }

// Error says what is wrong, and where.
func (e *BadFolder) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *BadFolder) Unwrap() error { return e.err }

// ErrWasRunning is the reason of a BadFolder if a task to be imported was running, with
// RunningRefused.
var ErrWasRunning = errors.New("is running in the file")

// StillServed is the error about a folder in which the program that wrote it still
// works: both would run the same tasks.
type StillServed struct {
	Folder string
	By     jobfolder.Holder
}

// Error names the program.
func (e *StillServed) Error() string {
	return fmt.Sprintf("%s: the %s that wrote these files still runs (PID %d)", e.Folder, e.By.What, e.By.PID)
}

// CheckServed returns a *StillServed if one of the folders is still served.
func CheckServed(folders []string) error {
	for _, folder := range folders {
		if h := jobfolder.ServedBy(folder); h != nil {
			return &StillServed{Folder: folder, By: *h}
		}
	}
	return nil
}

// FindFolders finds the folders of jobs below the paths, or in the base path if there
// are none. Paths in the base path whose jobs were imported before are not an error:
// notes say where their files are.
func FindFolders(ctx context.Context, conf *config.Config, paths []string) (folders, notes []string, err error) {
	if len(paths) == 0 {
		paths = []string{filepath.Join(conf.BasePath, jobfolder.JobsName)}
	}
	for _, p := range paths {
		found, err := jobfolder.Find(p, config.DefaultBasePath)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(found) == 0 {
			if text := importedBefore(ctx, conf, p); text != "" {
				notes = append(notes, p+": "+text)
				continue
			}
		}
		var at *fs.PathError
		if errors.As(err, &at) {
			err = fmt.Errorf("%s: %w", p, at.Err)
		}
		if err != nil {
			return nil, notes, err
		}
		if len(found) == 0 {
			return nil, notes, fmt.Errorf("%s: no folder with a %s or %s in it", p, jobfolder.StateFile, jobfolder.TasksFile)
		}
		folders = append(folders, found...)
	}
	return folders, notes, nil
}

// Import imports the job in a folder, as a whole or not at all. Files in the base path
// itself are then moved away, or kept up to date. Errors: *BadFolder; db.ErrDuplicate
// if the job exists already.
func (q *Queue) Import(ctx context.Context, folder string, o ImportOptions) (ImportResult, error) {
	if err := checkOwn(q.conf, folder); err != nil {
		return ImportResult{}, badInput(err)
	}
	j, err := jobfolder.ReadState(folder)
	if err == nil {
		err = badInput(job.CheckName(j.Name))
	}
	if err != nil {
		return ImportResult{}, placed(folder, err)
	}
	f, err := openTasks(folder, j.Name)
	if err != nil {
		return ImportResult{}, placed(folder, err)
	}
	defer f.Close()
	r := ImportResult{Job: j.Name, WasRunning: []string{}, Differing: []DifferingTask{}, Remarks: []string{}}
	if err := q.store(ctx, folder, j, f, o, &r); err != nil {
		return ImportResult{}, placed(folder, err)
	}
	for _, remark := range f.reader.Remarks() {
		r.Remarks = append(r.Remarks, remark.String())
	}
	if err := q.settleFiles(ctx, folder, &r); err != nil {
		return ImportResult{}, fmt.Errorf("job %q is imported, but its files are now out of date: %w", j.Name, err)
	}
	return r, nil
}

// store stores a job in the database, as the options say.
func (q *Queue) store(ctx context.Context, folder string, j job.Job, f *tasksFile, o ImportOptions, r *ImportResult) error {
	there, err := q.DB.Job(ctx, j.Name)
	switch {
	case errors.Is(err, db.ErrNoJob):
		if j.UUID == "" {
			j.UUID = job.NewUUID()
		}
		err := q.DB.Import(ctx, j, f.tasks(o.Running, func(t job.Task) {
			r.WasRunning = append(r.WasRunning, t.ID)
		}))
		r.Imported = f.count
		return err
	case err != nil:
		return err
	case o.Merge:
		return q.merge(ctx, j.Name, f, o.Running, r)
	}
	// If a crash came after the import and before the files were moved, they are only
	// moved now.
	same := j.UUID == "" || j.UUID == there.UUID
	if own, err := inBase(q.conf, folder); err != nil || !own || !same {
		return r.present(o, err)
	}
	if q.conf.MirrorJSON || jobfolder.Fresh(there, folder) {
		r.PassedOver = true // the files are ours
		return nil
	}
	m, err := q.DB.Compare(ctx, j.Name, f.tasks(RunningAgain, func(job.Task) {}))
	if err != nil || m.Added > 0 || len(m.Differ) > 0 {
		return r.present(o, err)
	}
	r.PassedOver, r.Present, r.Again = true, len(m.Present), true
	return nil
}

// merge adds to a job the tasks of a file that it does not have. No decision is needed
// about the others.
func (q *Queue) merge(ctx context.Context, name string, f *tasksFile, decided Running, r *ImportResult) error {
	if decided == RunningRefused {
		decided = runningKept
	}
	var running []string
	m, err := q.DB.Merge(ctx, name, f.tasks(decided, func(t job.Task) { running = append(running, t.ID) }))
	if errors.Is(err, db.ErrNoRunner) { // the error is about the last task
		return f.undecided(running[len(running)-1])
	}
	r.merge(m, running)
	return err
}

// present is for an existing job that is not changed.
func (r *ImportResult) present(o ImportOptions, err error) error {
	if err != nil || !o.IfAbsent {
		return errors.Join(err, fmt.Errorf("job %q %w", r.Job, db.ErrDuplicate))
	}
	r.PassedOver = true
	return nil
}

// checkOwn returns an error if a folder is one of those of the base path, and a link,
// or has links in the place of its files: they could lead anywhere.
func checkOwn(conf *config.Config, folder string) error {
	own, err := inBase(conf, folder)
	if err != nil || !own {
		return err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is %s, not a folder of the base path", folder, basepath.Kind(info.Mode()))
	}
	return jobfolder.CheckOwn(folder)
}

// inBase reports whether a folder is one of those of the base path.
func inBase(conf *config.Config, folder string) (bool, error) {
	abs, err := filepath.Abs(folder)
	if err != nil {
		return false, err
	}
	parent, err := os.Stat(filepath.Dir(abs))
	if err != nil {
		return false, err
	}
	jobs, err := os.Stat(filepath.Join(conf.BasePath, jobfolder.JobsName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(parent, jobs), err
}

// settleFiles moves the files away, or updates them, after a job was imported from the
// base path itself: they would be out of date.
func (q *Queue) settleFiles(ctx context.Context, folder string, r *ImportResult) error {
	own, err := inBase(q.conf, folder)
	if err != nil || !own || r.PassedOver && !r.Again {
		return err
	}
	if q.conf.MirrorJSON && filepath.Base(folder) == job.FolderName(r.Job) {
		j, err := q.DB.Job(ctx, r.Job)
		if err != nil {
			return err
		}
		return jobfolder.Write(ctx, q.DB, j, folder)
	}
	to, err := jobfolder.Retire(q.conf.BasePath, folder, time.Now())
	r.MovedTo = &to
	return err
}

// badInput marks an error as caused by the input.
func badInput(err error) error {
	if err == nil {
		return nil
	}
	return &BadFolder{err}
}

// placed returns an error that names the folder it is about. Errors about a file name
// it already.
func placed(folder string, err error) error {
	var at *taskfile.Error
	if errors.As(err, &at) || errors.Is(err, ErrWasRunning) {
		return badInput(err)
	}
	var file *os.PathError
	if errors.As(err, &file) || strings.HasPrefix(err.Error(), folder) {
		return err
	}
	text := fmt.Errorf("%s: %w", folder, err)
	if bad := (*BadFolder)(nil); errors.As(err, &bad) {
		return badInput(text)
	}
	return text
}
