package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
)

type importCmd struct {
	Running             string   `placeholder:"WHAT" words:"rerun,failed" help:"What becomes of tasks that were running when the files were written: rerun (they become pending, and run a second time) or failed (as lost)."`
	KeepRunningAsFailed bool     `hidden:"" help:"The same as --running failed."`
	IfAbsent            bool     `xor:"present" help:"Skip jobs that are there already, without an error."`
	Merge               bool     `xor:"present" help:"To jobs that are there already, add the tasks that they do not have; tasks that are there stay as they are."`
	Path                []string `arg:"" optional:"" help:"Folders: of one job, of several jobs, a base path, or one that holds a base path (jobs in the base path)."`
}

func (*importCmd) configured() {}

// Help is printed below the summary.
func (*importCmd) Help() string {
	return `A job's folder holds state.json and tasks.json. Each job is imported as a whole or not at all; the others are imported all the same.

A task that was running when the files were written may have ended since. You decide whether it runs again: with --running, or when asked on a terminal.

The files of jobs in the base path itself are moved to imported/DATE in it, or, with mirror_json, kept up to date.

Exit codes: 0 all imported; 1 some could not be; 2 wrong flags, configuration or files, or --running is missing; 5 the program that wrote the files is still running.`
}

// The values of --running.
const (
	runAgain = "rerun"
	asFailed = "failed"
)

// check validates the flags about tasks that were running.
func (c *importCmd) check() error {
	if c.KeepRunningAsFailed && c.Running == "" {
		c.Running = asFailed
	}
	switch {
	case c.Running != "" && c.Running != runAgain && c.Running != asFailed:
		return fmt.Errorf("--running: want rerun or failed, got %q", c.Running)
	case c.KeepRunningAsFailed && c.Running != asFailed:
		return errors.New("--running rerun and --keep-running-as-failed do not go together")
	}
	return nil
}

// imported is what became of the job in one folder.
type imported struct {
	Job          string          `json:"job"`
	Imported     int             `json:"imported"`    // tasks stored
	Present      int             `json:"present"`     // tasks that were there, and are as they were
	PassedOver   bool            `json:"passed_over"` // the job was there, and nothing was stored
	WasRunning   []string        `json:"was_running"` // ids of stored tasks that ran when the file was written
	Differing    []differingJSON `json:"differing"`   // tasks that were there and are otherwise in the file
	MovedTo      *string         `json:"moved_to"`    // where the files are now, if they were moved
	Remarks      []string        `json:"remarks"`     // what was odd in the files
	merge, again bool            // tasks were added to it; it was imported before, and only its files are moved
}

type differingJSON struct {
	Task string `json:"task"`
	What string `json:"what"`
}

// Run imports every job that it finds.
func (c *importCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return usage(err, "")
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	folders, err := c.folders(a, conf)
	if err != nil {
		return usage(err, "name the folder of a job, of several jobs, or of a base path")
	}
	if len(folders) == 0 {
		return c.all(a, nil, nil) // all were imported before
	}
	if err := refuseServed(folders); err != nil {
		return err
	}
	if err := c.settleRunning(a, folders); err != nil {
		return err
	}
	d, err := a.open()
	if err != nil {
		return err
	}
	defer d.Close()
	return c.all(a, d, folders)
}

// all imports the jobs one by one and says what became of each.
func (c *importCmd) all(a *app, d *db.DB, folders []string) error {
	done := []imported{}
	failed, code, present := 0, exitError, false
	for _, folder := range folders {
		r, err := c.one(a, d, folder)
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil {
			failed++
			present = present || errors.Is(err, errPresent)
			if exitCode(err) == exitUsage {
				code = exitUsage
			}
			a.notef("%v", err)
			continue
		}
		done = append(done, r)
		if !a.json() {
			c.remark(a, r)
			a.printf("%s\n", r.text())
		}
	}
	if a.json() {
		if err := a.printJSON(done); err != nil {
			return err
		}
	}
	if failed > 0 {
		hint := ""
		if present {
			hint = "--if-absent passes over jobs that are there; --merge adds the tasks that they lack"
		}
		return fail(code, fmt.Errorf("%d of %s not imported", failed, plural(len(folders), "job")), hint)
	}
	if len(folders) > 0 {
		a.hintNoManager()
	}
	return nil
}

// folders finds the folders of jobs below the paths that were given. Those in the
// base path that were imported before are only named.
func (c *importCmd) folders(a *app, conf *config.Config) ([]string, error) {
	paths := c.Path
	if len(paths) == 0 {
		paths = []string{filepath.Join(conf.BasePath, jobfolder.JobsName)}
	}
	var out []string
	for _, p := range paths {
		found, err := jobfolder.Find(p, config.DefaultBasePath)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(found) == 0 {
			if text := importedBefore(a, p); text != "" {
				a.notef("%s: %s", p, text)
				continue
			}
		}
		var at *fs.PathError
		if errors.As(err, &at) {
			err = fmt.Errorf("%s: %w", p, at.Err)
		}
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no folder with a %s or %s in it", p, jobfolder.StateFile, jobfolder.TasksFile)
		}
		out = append(out, found...)
	}
	return out, nil
}

// refuseServed returns an error if the program that wrote the folders still
// works there: both would run the same tasks.
func refuseServed(folders []string) error {
	for _, folder := range folders {
		if h := jobfolder.ServedBy(folder); h != nil {
			return fail(exitManager, fmt.Errorf("%s: the %s that wrote these files still runs (PID %d)", folder, h.What, h.PID),
				fmt.Sprintf("stop it first; if process %d is something else, remove %s", h.PID, h.File))
		}
	}
	return nil
}

// errPresent is returned for a job that is there already.
var errPresent = db.ErrDuplicate

// one imports the job in a folder.
func (c *importCmd) one(a *app, d *db.DB, folder string) (imported, error) {
	j, err := jobfolder.ReadState(folder)
	if err == nil {
		err = badInput(job.CheckName(j.Name))
	}
	if err != nil {
		return imported{}, placed(folder, err)
	}
	f, err := openTasks(folder, j.Name)
	if err != nil {
		return imported{}, placed(folder, err)
	}
	defer f.Close()
	r := imported{Job: j.Name, WasRunning: []string{}, Differing: []differingJSON{}, Remarks: []string{}}
	if err := c.store(a, d, folder, j, f, &r); err != nil {
		return imported{}, placed(folder, err)
	}
	for _, remark := range f.reader.Remarks() {
		r.Remarks = append(r.Remarks, remark.String())
	}
	if err := settleFiles(a, d, folder, &r); err != nil {
		return imported{}, fmt.Errorf("job %q is imported, but its files lie now: %w", j.Name, err)
	}
	return r, nil
}

// store puts a job into the database, in the way that is wanted.
func (c *importCmd) store(a *app, d *db.DB, folder string, j job.Job, f *taskFile, r *imported) error {
	there, err := d.Job(a.ctx, j.Name)
	switch {
	case err != nil && exitCode(err) == exitNoSuch:
		if j.UUID == "" {
			j.UUID = job.NewUUID()
		}
		err := d.Import(a.ctx, j, c.tasks(f, func(t job.Task) {
			r.WasRunning = append(r.WasRunning, t.ID)
		}))
		r.Imported = f.count
		return err
	case err != nil:
		return err
	case c.Merge:
		var running []string
		m, err := d.Merge(a.ctx, j.Name, c.tasks(f, func(t job.Task) { running = append(running, t.ID) }))
		r.merge = true
		r.merged(m, running)
		return err
	}
	// What was imported before a crash could move the files is only moved now.
	same := j.UUID == "" || j.UUID == there.UUID
	if own, err := inBase(a, folder); err != nil || !own || !same {
		return c.present(r, j.Name, err)
	}
	if a.conf.MirrorJSON || jobfolder.Fresh(there, folder) {
		r.PassedOver = true // the files are ours
		return nil
	}
	again := importCmd{Running: runAgain}
	m, err := d.Compare(a.ctx, j.Name, again.tasks(f, func(job.Task) {}))
	if err != nil || m.Added > 0 || len(m.Differ) > 0 {
		return c.present(r, j.Name, err)
	}
	r.PassedOver, r.Present, r.again = true, len(m.Present), true
	return nil
}

// present is for a job that is there and stays as it is.
func (c *importCmd) present(r *imported, name string, err error) error {
	if err != nil || !c.IfAbsent {
		return errors.Join(err, fmt.Errorf("job %q %w", name, errPresent))
	}
	r.PassedOver = true
	return nil
}

// inBase reports whether a folder is one of those of the base path in force.
func inBase(a *app, folder string) (bool, error) {
	abs, err := filepath.Abs(folder)
	if err != nil {
		return false, err
	}
	parent, err := os.Stat(filepath.Dir(abs))
	if err != nil {
		return false, err
	}
	jobs, err := os.Stat(filepath.Join(a.conf.BasePath, jobfolder.JobsName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(parent, jobs), err
}

// settleFiles has the files in the base path itself say nothing that is not so
// any more, after the job that they tell of was imported.
func settleFiles(a *app, d *db.DB, folder string, r *imported) error {
	own, err := inBase(a, folder)
	if err != nil || !own || r.PassedOver && !r.again {
		return err
	}
	if a.conf.MirrorJSON && filepath.Base(folder) == job.FolderName(r.Job) {
		j, err := d.Job(a.ctx, r.Job)
		if err != nil {
			return err
		}
		return jobfolder.Write(a.ctx, d, j, folder)
	}
	to, err := jobfolder.Retire(a.conf.BasePath, folder, time.Now())
	r.MovedTo = &to
	return err
}
