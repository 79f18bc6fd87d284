package manager

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/db"
)

// Pruned counts what was deleted, or, in a dry run, would be.
type Pruned struct {
	Jobs  int
	Tasks int   // those of the jobs, too
	Bytes int64 // of logs
	Left  error // why some of the files are still there; nil: none is
}

// Prune deletes what has ended and a query means, with its logs: the rows in small
// commits, and their files after them. Between two commits it rests as long as the
// last one took, so that it holds up nobody. With dry, it only counts. What was
// deleted before an error stays deleted, and is counted. The database must have been
// opened with [db.Options.Background].
func Prune(ctx context.Context, d *db.DB, base string, q db.PruneQuery, dry bool) (Pruned, error) {
	p := &pruning{db: d, base: base, dry: dry, pace: newPace()}
	err := p.run(ctx, q)
	return p.out, err
}

type pruning struct {
	db   *db.DB
	base string
	dry  bool
	pace *pace
	out  Pruned
}

func (p *pruning) run(ctx context.Context, q db.PruneQuery) error {
	var jobs []db.EndedJob
	if q.Jobs {
		var err error
		if jobs, err = p.db.EndedJobs(ctx, q); err != nil {
			return err
		}
		if err := p.jobs(ctx, jobs); err != nil {
			return err
		}
	}
	if !q.Tasks {
		return nil
	}
	return p.db.EndedTasks(ctx, q, jobs, func(ids []int64) error { return p.tasks(ctx, ids) })
}

// jobs deletes whole jobs.
func (p *pruning) jobs(ctx context.Context, jobs []db.EndedJob) error {
	if p.dry {
		for _, j := range jobs {
			p.out.Jobs++
			p.out.Tasks += j.Tasks
			p.out.Bytes += p.folderSize(j.Name)
		}
		return nil
	}
	for len(jobs) > 0 {
		began := time.Now()
		done, left, err := p.db.PruneJobs(ctx, jobs, p.pace.most)
		if err != nil {
			return err
		}
		rest := p.pace.rest(time.Since(began))
		if err := p.db.Checkpoint(ctx); err != nil {
			return err
		}
		jobs = left
		p.out.Tasks += done.Rows
		for _, j := range done.Jobs {
			p.out.Jobs++
			bytes, err := RemoveJobFiles(ctx, p.db, p.base, j)
			p.files(bytes, err)
		}
		if err := Pause(ctx, rest); err != nil {
			return err
		}
	}
	return nil
}

// tasks deletes tasks of jobs that stay, named by their rows.
func (p *pruning) tasks(ctx context.Context, ids []int64) error {
	for len(ids) > 0 {
		n := min(p.pace.most, len(ids))
		began := time.Now()
		done, err := p.db.PruneTasks(ctx, ids[:n], p.dry)
		if err != nil {
			return err
		}
		rest := p.pace.rest(time.Since(began))
		if !p.dry {
			if err := p.db.Checkpoint(ctx); err != nil {
				return err
			}
		}
		ids = ids[n:]
		p.out.Tasks += done.Rows
		byJob := map[string][]db.Removed{}
		for _, t := range done.Tasks {
			byJob[t.Job] = append(byJob[t.Job], t.Removed)
		}
		for name, tasks := range byJob {
			if p.dry {
				p.out.Bytes += p.tasksSize(name, tasks)
				continue
			}
			bytes, err := RemoveTaskFiles(ctx, p.db, p.base, name, tasks)
			p.files(bytes, err)
		}
		if p.dry {
			continue
		}
		if err := Pause(ctx, rest); err != nil {
			return err
		}
	}
	return nil
}

// files notes what came of deleting some.
func (p *pruning) files(bytes int64, err error) {
	if p.out.Bytes += bytes; p.out.Left == nil {
		p.out.Left = err
	}
}

func (p *pruning) folderSize(name string) (bytes int64) {
	_ = withFolder(p.base, name, func(root *os.Root, folder string) error {
		bytes = sizeOf(root, filepath.Join(folder, "logs"))
		return nil
	})
	return bytes
}

func (p *pruning) tasksSize(name string, tasks []db.Removed) (bytes int64) {
	_ = withFolder(p.base, name, func(root *os.Root, folder string) error {
		for _, t := range tasks {
			for _, name := range logNames(t) {
				if info, err := root.Lstat(filepath.Join(folder, "logs", name)); err == nil {
					bytes += info.Size()
				}
			}
		}
		return nil
	})
	return bytes
}

// pace keeps commits short: it says how many rows the next one may change.
type pace struct{ most int }

func newPace() *pace { return &pace{most: 50} }

// rest takes how long a commit has held the lock, and returns how long others are to
// have it to themselves.
func (p *pace) rest(took time.Duration) time.Duration {
	const (
		long, short = 20 * time.Millisecond, 10 * time.Millisecond
		few, many   = 10, 1000
	)
	switch {
	case took > long:
		p.most = max(p.most/2, few)
	case took < short:
		p.most = min(p.most*3/2, many)
	}
	return max(took, time.Millisecond)
}

// Pause waits, or returns the error of the context if that ends before.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
