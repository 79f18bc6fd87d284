package queue

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// How many managers are listed, and at how many files of the logs is looked.
const (
	systemManagers = 10
	systemFiles    = 20_000
)

// SystemForm is what the base path is made of.
type SystemForm struct {
	BasePath        string            `json:"base_path"`
	FreeBytes       int64             `json:"free_bytes"` // on its file system, for this user
	ConfigFile      *string           `json:"config_file"`
	Config          []SettingForm     `json:"config"`
	Managers        []ManagerRunForm  `json:"managers"` // the newest first, not more than 10
	Database        DatabaseSizesForm `json:"database"`
	Logs            LogSizesForm      `json:"logs"`
	StatsLagSeconds *float64          `json:"stats_lag_seconds"` // null: an older schema has no statistics
}

// ManagerRunForm is one run of a manager.
type ManagerRunForm struct {
	Instance  string  `json:"instance"`
	PID       int     `json:"pid"`
	Host      string  `json:"host"`
	Running   bool    `json:"running"`
	StartedAt string  `json:"started_at"`
	StoppedAt *string `json:"stopped_at"` // null: it runs, or was killed
	Stop      *string `json:"stop"`       // how it was asked to stop
}

// DatabaseSizesForm is the database.
type DatabaseSizesForm struct {
	Path                string `json:"path"`
	SizeBytes           int64  `json:"size_bytes"`
	WALSizeBytes        int64  `json:"wal_size_bytes"` // of the log of the database
	SchemaVersion       int    `json:"schema_version"`
	LatestSchemaVersion int    `json:"latest_schema_version"`
}

// LogSizesForm is how much space the logs of tasks take.
type LogSizesForm struct {
	SizeBytes int64 `json:"size_bytes"`
	Files     int   `json:"files"`
	Complete  bool  `json:"complete"` // false: there are more files than were looked at
}

// System reads what the base path is made of.
func (q *Queue) System(ctx context.Context) (*SystemForm, error) {
	out := &SystemForm{
		BasePath: q.conf.BasePath, ConfigFile: OrNull(q.conf.File), Config: Settings(q.conf), Managers: []ManagerRunForm{},
		Database: DatabaseSizesForm{Path: q.DB.Path(), SchemaVersion: q.DB.Schema(), LatestSchemaVersion: db.LatestSchema},
	}
	var st unix.Statfs_t
	if err := unix.Statfs(q.conf.BasePath, &st); err != nil {
		return nil, &fs.PathError{Op: "statfs", Path: q.conf.BasePath, Err: err}
	}
	out.FreeBytes = int64(st.Bavail) * int64(st.Bsize)
	var err error
	if out.Database.SizeBytes, err = sizeOf(q.DB.Path()); err != nil {
		return nil, err
	}
	if out.Database.WALSizeBytes, err = sizeOf(q.DB.Path() + "-wal"); err != nil {
		return nil, err
	}
	lag, err := q.DB.StatsLag(ctx)
	if err == nil {
		out.StatsLagSeconds = new(lag.Seconds())
	} else if !errors.Is(err, db.ErrOlder) {
		return nil, err
	}
	if err := q.managerRuns(ctx, out); err != nil {
		return nil, err
	}
	out.Logs, err = logSizes(ctx, q.conf.BasePath)
	return out, err
}

func (q *Queue) managerRuns(ctx context.Context, out *SystemForm) error {
	on, err := q.Served()
	if err != nil {
		return err
	}
	runs, err := q.DB.Managers(ctx, systemManagers)
	for i, m := range runs {
		out.Managers = append(out.Managers, ManagerRunForm{
			Instance: m.ID, PID: m.PID, Host: m.Host, Running: on && i == 0 && m.StoppedAt.IsZero(),
			StartedAt: job.FormatTime(m.StartedAt), StoppedAt: instant(m.StoppedAt), Stop: OrNull(string(m.Stop)),
		})
	}
	return err
}

// logSizes looks at a limited number of files: there may be millions. What is removed
// meanwhile is left out.
func logSizes(ctx context.Context, base string) (out LogSizesForm, err error) {
	root, err := os.OpenRoot(base)
	if err != nil {
		return out, err
	}
	defer root.Close()
	const jobs = "jobs"
	out.Complete = true
	_, err = eachIn(root, jobs, func(e fs.DirEntry) (bool, error) {
		if !e.IsDir() {
			return true, nil
		}
		return eachIn(root, path.Join(jobs, e.Name(), "logs"), func(e fs.DirEntry) (bool, error) {
			if out.Files == systemFiles {
				out.Complete = false
				return false, nil
			}
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				out.Files++
				out.SizeBytes += info.Size()
			}
			return true, ctx.Err()
		})
	})
	return out, err
}

// eachIn calls fn with what is in a folder, in no order, until it returns false. One
// that is not there is empty.
func eachIn(root *os.Root, folder string, fn func(fs.DirEntry) (more bool, err error)) (more bool, err error) {
	f, err := root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	for {
		list, err := f.ReadDir(512)
		for _, e := range list {
			if more, err := fn(e); err != nil || !more {
				return false, err
			}
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
