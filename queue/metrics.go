package queue

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

// Metrics are what a monitoring system reads again and again.
type Metrics struct {
	db.Meters
	Managed      bool          // a manager serves the base path
	Limit        int           // max_concurrent_runners
	OldestReady  time.Duration // how long the task has waited that could run, of the next of each job
	DatabaseSize int64         // bytes
	WALSize      int64         // bytes of the log of the database
	Free         int64         // bytes on the file system of the base path, for this user
}

// Metrics reads them; of the jobs that are named, those that exist. Errors: [db.ErrOlder].
func (q *Queue) Metrics(ctx context.Context, jobs []string) (*Metrics, error) {
	m := &Metrics{Limit: q.conf.MaxConcurrentRunners}
	var err error
	if m.Meters, err = q.DB.Meters(ctx, jobs); err != nil {
		return nil, err
	}
	if at := m.Meters.OldestReady; !at.IsZero() {
		m.OldestReady = max(time.Since(at), 0)
	}
	if m.Managed, err = q.Served(); err != nil {
		return nil, err
	}
	path := filepath.Join(q.conf.BasePath, db.FileName)
	if m.DatabaseSize, err = sizeOf(path); err != nil {
		return nil, err
	}
	if m.WALSize, err = sizeOf(path + "-wal"); err != nil {
		return nil, err
	}
	var st unix.Statfs_t
	if err := unix.Statfs(q.conf.BasePath, &st); err != nil {
		return nil, &fs.PathError{Op: "statfs", Path: q.conf.BasePath, Err: err}
	}
	m.Free = int64(st.Bavail) * int64(st.Bsize)
	return m, nil
}

// sizeOf is the size of a file; 0: there is none.
func sizeOf(path string) (int64, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// KeepCounting counts events for the statistics while no manager does, until ctx ends. It
// calls failed with the text of an error that is not the one before; empty: it works again.
func (q *Queue) KeepCounting(ctx context.Context, failed func(string)) {
	said := ""
	for ; ; manager.Pause(ctx, manager.FoldEvery) {
		if ctx.Err() != nil {
			return
		}
		text := ""
		on, err := q.Served()
		if err == nil && !on {
			err = manager.Fold(ctx, q.DB)
		}
		if err != nil && ctx.Err() == nil {
			text = err.Error()
		}
		if text != said {
			failed(text)
		}
		said = text
	}
}
