package manager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/runner"
)

// mirror keeps state.json and tasks.json of every job in step with the database, for
// other tools that read them. Once a second it looks for jobs that have changed, and
// writes their files. It has its own connection, so that the manager never waits for
// it.
type mirror struct {
	db      *db.DB
	base    string
	log     *slog.Logger
	written map[string]version // by job: the version in its files
	refused map[string]bool    // jobs whose folder holds another job; logged already
	behind  bool               // some files could not be written; logged already
}

// version identifies the state of a job that its files show.
type version struct {
	uuid    string
	updated time.Time
}

// openMirror prepares the mirror of a base path. It returns nil if the mirror cannot
// start: the manager works without it.
func openMirror(ctx context.Context, c *config.Config, log *slog.Logger) *mirror {
	// The other program would run the tasks that it finds there.
	if h := jobfolder.BaseServedBy(c.BasePath); h != nil {
		log.Error("state.json and tasks.json are not kept up to date: another program works with them", "pid", h.PID, "file", h.File)
		return nil
	}
	d, err := db.Open(ctx, c.BasePath, db.Options{Durability: c.Durability, MustExist: true})
	if err != nil {
		log.Error("state.json and tasks.json are not kept up to date", "error", err)
		return nil
	}
	return &mirror{db: d, base: c.BasePath, log: log, written: map[string]version{}, refused: map[string]bool{}}
}

// Run looks for changes until ctx ends. After a long pass it rests longer, so that
// large jobs do not keep a processor busy. Before it returns, it writes all changes,
// unless the database can no longer be trusted.
func (m *mirror) Run(ctx context.Context) error {
	const (
		every = time.Second
		rest  = 4 // times as long as the pass took
	)
	var seen int64
	for first := true; ctx.Err() == nil; first = false {
		began := time.Now()
		now, err := m.db.Changes(ctx)
		if err == nil && (first || now != seen || m.behind) {
			m.pass(ctx)
			seen = now
		}
		select {
		case <-ctx.Done():
		case <-time.After(max(every, rest*time.Since(began))):
		}
	}
	if errors.Is(context.Cause(ctx), errStopped) {
		m.pass(context.WithoutCancel(ctx))
	}
	if err := m.db.Close(); err != nil {
		m.log.Warn("the mirror's connection does not close", "error", err)
	}
	return nil
}

// pass writes the files of the jobs that have changed.
func (m *mirror) pass(ctx context.Context) {
	jobs, err := m.db.Jobs(ctx)
	if err == nil {
		err = m.forgetAllBut(jobs)
	}
	for _, j := range jobs {
		err = errors.Join(err, m.write(ctx, j))
		if ctx.Err() != nil {
			return
		}
	}
	if err != nil && !m.behind {
		m.log.Error("state.json and tasks.json are not up to date", "error", err)
	} else if err == nil && m.behind {
		m.log.Info("state.json and tasks.json are up to date again")
	}
	m.behind = err != nil
}

// write brings the files of a job up to date.
func (m *mirror) write(ctx context.Context, j job.Job) error {
	now := version{j.UUID, j.UpdatedAt}
	was, known := m.written[j.Name]
	if known && was == now {
		return nil
	}
	folder := jobfolder.Path(m.base, j.Name)
	if !known && jobfolder.Fresh(j, folder) {
		m.written[j.Name] = now
		return nil
	}
	if known && was.uuid != j.UUID {
		if err := m.remove(j.Name); err != nil {
			return err
		}
	}
	err := runner.CheckJob(m.base, j.Name)
	if err != nil {
		err = fmt.Errorf("%w: %w", jobfolder.ErrOther, err)
	} else {
		err = jobfolder.WriteOwn(ctx, m.db, j, folder)
	}
	switch {
	case errors.Is(err, db.ErrNoJob):
		return nil // removed in the meantime; the next pass sees that
	case errors.Is(err, jobfolder.ErrOther):
		if !m.refused[j.Name] {
			m.refused[j.Name] = true
			m.log.Warn("the files of a job are not written: they are those of another; import or remove them", "job", j.Name, "error", err)
		}
		return nil
	case err != nil:
		return err
	}
	delete(m.refused, j.Name)
	m.written[j.Name] = now
	return nil
}

// forgetAllBut removes the files of jobs that were removed, if this mirror wrote
// them.
func (m *mirror) forgetAllBut(jobs []job.Job) error {
	if len(m.written) == 0 {
		return nil
	}
	there := make(map[string]bool, len(jobs))
	for _, j := range jobs {
		there[j.Name] = true
	}
	for name := range m.written {
		if !there[name] {
			if err := m.remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove removes the files of a removed job, unless they belong to another job by
// now.
func (m *mirror) remove(name string) error {
	was := m.written[name]
	delete(m.written, name)
	folder := jobfolder.Path(m.base, name)
	if runner.CheckJob(m.base, name) != nil || jobfolder.CheckOwn(folder) != nil {
		return nil
	}
	if theirs, err := jobfolder.ReadState(folder); err != nil || theirs.UUID != was.uuid {
		return nil
	}
	for _, file := range []string{jobfolder.TasksFile, jobfolder.StateFile} {
		if err := os.Remove(filepath.Join(folder, file)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
