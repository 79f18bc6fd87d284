package manager

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// tidying is the service that deletes what has ended long ago, compresses and deletes
// logs, and gives space back, as configured. It has a connection of its own, and
// works in small steps between which it rests: nobody waits for it longer than for
// another writer.
type tidying struct {
	db     *db.DB
	log    *slog.Logger
	config *config.Config
	full   func() bool // the disk is full: nothing is written that need not be

	compressed int64     // attempts up to this row are compressed, or have no log
	deleted    db.Logged // of the attempts that ended up to this one, the logs are deleted
	failed     map[string]bool
	freed      bool // the step has freed space in the database, or given some back
}

func (m *Manager) newTidying() *tidying {
	return &tidying{
		log: m.log, config: m.config, failed: map[string]bool{},
		full: func() bool { return m.trouble.is(noRoom) },
	}
}

// Run tidies up once a minute, and less often where that takes long.
func (t *tidying) Run(ctx context.Context) error {
	const (
		soon  = 2 * time.Second
		every = time.Minute
		rest  = 50 // times as long as the pass has looked for something to do,
		most  = time.Hour
	)
	var err error
	t.db, err = db.Open(ctx, t.config.BasePath, db.Options{Durability: t.config.Durability, MustExist: true, AllowForeign: t.config.AllowForeign, Background: true})
	if err != nil {
		if ctx.Err() == nil {
			t.log.Error("nothing is tidied up", "error", err)
		}
		return nil // a manager works without
	}
	for wait := soon; Pause(ctx, wait) == nil; {
		wait = max(every, min(rest*t.pass(ctx), most))
	}
	if err := t.db.Close(); err != nil {
		t.log.Warn("the connection that tidies up does not close", "error", err)
	}
	return nil
}

// pass does all of it once. It returns how long that took, without what has freed
// space: then there may soon be more to do.
func (t *tidying) pass(ctx context.Context) (looked time.Duration) {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"delete what has ended", t.prune},
		{"compress logs", t.compress},
		{"delete logs", t.limitLogs},
		{"delete events", t.pruneEvents},
		{"give space back", t.shrink},
	} {
		if t.full() && step.name != "delete logs" {
			continue
		}
		began := time.Now()
		t.freed = false
		err := step.do(ctx)
		if ctx.Err() != nil {
			return 0
		}
		if !t.freed {
			looked += time.Since(began)
		}
		if err != nil && !t.failed[step.name] {
			t.log.Error("cannot "+step.name, "error", err)
		}
		t.failed[step.name] = err != nil
	}
	return looked
}

// prune deletes what the retention of the configuration means.
func (t *tidying) prune(ctx context.Context) error {
	r := t.config.Retention
	aged := r.OlderThan != config.Never
	q := db.PruneQuery{
		Jobs: aged || r.Keep > 0, Keep: r.Keep, Tasks: aged || r.KeepTasks > 0, KeepTasks: r.KeepTasks,
		InOrder: true,
	}
	if !q.Jobs && !q.Tasks {
		return nil
	}
	if aged {
		q.Before = time.Now().Add(-r.OlderThan)
	}
	if r.Status != "any" {
		q.Status = job.Status(r.Status)
	}
	done, err := Prune(ctx, t.db, t.config.BasePath, q, false)
	if done.Tasks+done.Jobs > 0 {
		t.freed = true
		t.log.Info("old jobs and tasks deleted", "jobs", done.Jobs, "tasks", done.Tasks, "log_bytes", done.Bytes)
	}
	return errors.Join(err, done.Left)
}

// compress compresses the logs of attempts that have ended long enough ago. It goes on
// where the last pass has met the first attempt that had not.
func (t *tidying) compress(ctx context.Context) error {
	if t.config.CompressLogsAfter == config.Never {
		return nil
	}
	const some = 500
	before := time.Now().Add(-t.config.CompressLogsAfter).UnixMicro()
	var files, saved int64
	defer func() {
		if files > 0 {
			t.log.Info("logs compressed", "logs", files, "saved_bytes", saved)
		}
	}()
	const enough = 5 // mistakes
	var wrong error
	bad, settled := 0, true // settled: all so far are done with
	for last := t.compressed; ; {
		list, err := t.db.LoggedAfter(ctx, last, some)
		if err != nil {
			return err
		}
		young := 0
		for _, l := range list {
			last = l.Row
			if l.Ended == 0 || l.Ended >= before {
				settled, young = false, young+1
				continue
			}
			n, err := t.compressOne(ctx, l)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				wrong = errors.Join(wrong, err)
				if bad++; bad == enough {
					return wrong
				}
			}
			if n != 0 {
				files, saved = files+1, saved+n
			}
			if settled {
				t.compressed = l.Row
			}
		}
		if len(list) < some || young == len(list) {
			return wrong
		}
	}
}

// compressOne compresses a log, unless the task has started again.
func (t *tidying) compressOne(ctx context.Context, l db.Logged) (saved int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	newest := l.Number == l.Attempts
	return runner.CompressLog(t.config.BasePath, l.Job, l.Task, l.Number, newest, func(swap func() error) error {
		return t.db.WhileNoneStarts(ctx, func(over func(db.Logged) (bool, error)) error {
			if newest {
				if still, err := over(l); !still || err != nil {
					return err
				}
			}
			return swap()
		})
	})
}

// limitLogs deletes the logs of the attempts that have ended first while all together
// are too large.
func (t *tidying) limitLogs(ctx context.Context) error {
	limit := int64(t.config.MaxLogsSize) << 20
	if limit == 0 {
		return nil
	}
	size, err := t.logsSize(ctx)
	if err != nil || size <= limit {
		return err
	}
	const some = 200
	var freed int64
	defer func() {
		if freed > 0 {
			t.log.Info("oldest logs deleted", "log_bytes", freed)
		}
	}()
	for size-freed > limit {
		list, err := t.db.LoggedByEnd(ctx, t.deleted, some)
		if err != nil || len(list) == 0 {
			return err
		}
		err = t.db.WhileNoneStarts(ctx, func(over func(db.Logged) (bool, error)) error {
			for _, l := range list {
				if size-freed <= limit {
					return nil
				}
				newest, err := over(l)
				if err != nil {
					return err
				}
				n, err := t.deleteLog(l, newest)
				if err != nil {
					return err
				}
				freed, t.deleted = freed+n, db.Logged{Ended: l.Ended, Row: l.Row}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := Pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// deleteLog deletes the log of an attempt that has ended, compressed or not. Only that
// of the newest one of its task has the plain name.
func (t *tidying) deleteLog(l db.Logged, newest bool) (freed int64, err error) {
	err = withFolder(t.config.BasePath, l.Job, func(root *os.Root, folder string) error {
		old := job.OldLogName(l.Task, l.Number)
		names := []string{old, old + runner.Compressed}
		if newest {
			names = append(names, job.LogName(l.Task))
		}
		for _, name := range names {
			name = filepath.Join(folder, "logs", name)
			info, err := root.Lstat(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if err := removeFile(root, name); err != nil {
				return err
			}
			freed += info.Size()
		}
		return nil
	})
	return freed, err
}

// logsSize adds up the logs of all jobs.
func (t *tidying) logsSize(ctx context.Context) (bytes int64, err error) {
	root, dir, err := runner.OpenJobs(t.config.BasePath)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), filepath.ToSlash(dir), func(path string, e fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || filepath.Base(filepath.Dir(path)) != "logs" {
			return nil // removed meanwhile, or none of ours
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes, err
}

// shrink gives space back step by step, as long as there is some.
func (t *tidying) shrink(ctx context.Context) error {
	const rest = 3 // times as long as a step took
	for {
		began := time.Now()
		more, err := t.db.GiveSpaceBack(ctx)
		if err == nil && more {
			t.freed = true
			err = t.db.Checkpoint(ctx)
		}
		if err != nil || !more {
			return err
		}
		if err := Pause(ctx, max(rest*time.Since(began), time.Millisecond)); err != nil {
			return err
		}
	}
}
