package db

import (
	"context"
	"time"

	"github.com/air-executor/air-executor/job"
)

// notPaused is a condition of every claim: somebody may have paused all jobs, those
// that are queued later as well. A job that is paused by itself has a hold.
const notPaused = `NOT EXISTS (SELECT 1 FROM setting WHERE key = 'paused')`

// Paused says what a pause or its end has met of a job.
type Paused struct {
	Job     string
	Changed bool       // it was not so before
	Tasks   job.Counts // of the job, now
}

// Pausing says what a pause, or the end of one, did.
type Pausing struct {
	Jobs    []Paused // that were named, in their order
	Changed bool     // of a pause of all jobs: it was not so before
	Running []Active // attempts under way of what was paused or goes on
	Asked   []Active // those of them whose runners are to stop their processes, or to continue them
}

// PauseJobs keeps tasks of these jobs from starting until [DB.ResumeJobs]. What runs goes
// on, but with freeze its processes are to be stopped: the caller tells the runners.
// Errors: ErrNoJob, and then nothing has changed.
func (d *DB) PauseJobs(ctx context.Context, names []string, freeze bool) (Pausing, error) {
	return d.pausing(ctx, names, freeze, `
UPDATE job
SET paused_at = ?,
    holds = holds + 1,
    updated_at = ?
WHERE id = ?
  AND paused_at IS NULL`, true)
}

// ResumeJobs ends the pause of these jobs, and lets processes go on that were stopped,
// unless all jobs are paused. Errors: ErrNoJob, and then nothing has changed.
func (d *DB) ResumeJobs(ctx context.Context, names []string) (Pausing, error) {
	out, err := d.pausing(ctx, names, false, `
UPDATE job
SET paused_at = NULL,
    holds = holds - 1,
    updated_at = ?
WHERE id = ?
  AND paused_at IS NOT NULL`, false)
	return out, d.wakeAfter(err)
}

// pausing makes the change of each job, which has the instant as its first
// parameter, twice if a pause begins, and the row of the job as its last.
func (d *DB) pausing(ctx context.Context, names []string, freeze bool, change string, begins bool) (Pausing, error) {
	var out Pausing
	err := d.write(ctx, func(t *tx) error {
		out = Pausing{}
		jobs, err := t.lockNamed(names)
		if err != nil {
			return err
		}
		in := map[int64]bool{}
		for _, j := range jobs {
			args := []any{t.now, j.ID}
			if begins {
				args = []any{t.now, t.now, j.ID}
			}
			n, err := t.exec(change, args...)
			if err != nil {
				return err
			}
			p := Paused{Job: j.Name, Changed: n > 0}
			if err := t.tellPause(JobPaused, JobResumed, begins, j.ID, n); err != nil {
				return err
			}
			if _, err := t.get(&p.Tasks, `SELECT pending, running, completed, failed, dismissed FROM job WHERE id = ?`, j.ID); err != nil {
				return err
			}
			out.Jobs, in[j.ID] = append(out.Jobs, p), true
		}
		return t.freeze(&out, in, freeze, begins)
	})
	return out, err
}

// tellPause writes the event of a pause, or of its end, if it has changed something.
func (t *tx) tellPause(begin, end string, begins bool, jobID, changed int64) error {
	if changed == 0 {
		return nil
	}
	if !begins {
		begin = end
	}
	return t.event(begin, jobID, 0, 0)
}

// lockNamed locks jobs by their names, and returns them in the order of the names.
func (t *tx) lockNamed(names []string) ([]*jobRow, error) {
	jobs := make([]*jobRow, len(names))
	ids := make([]int64, len(names))
	for i, name := range names {
		j, err := t.findJob(name)
		if err != nil {
			return nil, err
		}
		jobs[i], ids[i] = j, j.ID
	}
	return jobs, t.lockJobs(ids...)
}

// PauseAll keeps all tasks from starting, those that are queued later as well, until
// [DB.ResumeAll]. With freeze, it is as with [DB.PauseJobs].
func (d *DB) PauseAll(ctx context.Context, freeze bool) (Pausing, error) {
	var out Pausing
	err := d.write(ctx, func(t *tx) error {
		out = Pausing{}
		n, err := t.exec(`
INSERT INTO setting (key, value)
VALUES ('paused', CAST(? AS TEXT))
ON CONFLICT (key) DO NOTHING`, t.now)
		if err != nil {
			return err
		}
		out.Changed = n > 0
		if err := t.tellPause(QueuePaused, QueueResumed, true, 0, n); err != nil {
			return err
		}
		return t.freeze(&out, nil, freeze, true)
	})
	return out, err
}

// ResumeAll ends the pause of all jobs. Those that were paused by their names stay
// paused.
func (d *DB) ResumeAll(ctx context.Context) (Pausing, error) {
	var out Pausing
	err := d.write(ctx, func(t *tx) error {
		out = Pausing{}
		n, err := t.exec(`DELETE FROM setting WHERE key = 'paused'`)
		if err != nil {
			return err
		}
		out.Changed = n > 0
		if err := t.tellPause(QueuePaused, QueueResumed, false, 0, n); err != nil {
			return err
		}
		return t.freeze(&out, nil, false, false)
	})
	return out, d.wakeAfter(err)
}

// freeze marks the attempts under way of these jobs, or of all for nil: their
// processes are to be stopped, or, where nothing is paused any more, to go on.
func (t *tx) freeze(out *Pausing, jobs map[int64]bool, freeze, begins bool) error {
	active, err := t.active()
	if err != nil {
		return err
	}
	for _, a := range active {
		if jobs != nil && !jobs[a.ending.job] {
			continue
		}
		out.Running = append(out.Running, a)
		if begins && !freeze {
			continue
		}
		query := thawAttempt
		if freeze {
			query = freezeAttempt
		}
		n, err := t.exec(query, a.attempt)
		if err != nil {
			return err
		}
		if n > 0 {
			out.Asked = append(out.Asked, a)
		}
	}
	return nil
}

const freezeAttempt = `
UPDATE attempt
SET freezes = 1
WHERE id = ?
  AND freezes = 0
  AND cancel_at IS NULL`

const thawAttempt = `
UPDATE attempt
SET freezes = 0
WHERE id = ?
  AND freezes = 1
  AND NOT EXISTS (SELECT 1 FROM job WHERE id = attempt.job AND paused_at IS NOT NULL)
  AND ` + notPaused

// Pauses is what is paused.
type Pauses struct {
	All    time.Time                // since when all jobs are; zero: they are not
	Jobs   map[string]time.Time     // those that are by their names
	Frozen map[FrozenTask]time.Time // running tasks whose processes are stopped, and since when
}

// FrozenTask names a task.
type FrozenTask struct{ Job, Task string }

// Of returns since when a job is paused, by itself or with all others; zero: it is
// not.
func (p *Pauses) Of(name string) time.Time {
	if at, ok := p.Jobs[name]; ok {
		return at
	}
	return p.All
}

// Pauses returns what is paused now. A database of an older schema has no pauses.
func (d *DB) Pauses(ctx context.Context) (Pauses, error) {
	out := Pauses{Jobs: map[string]time.Time{}, Frozen: map[FrozenTask]time.Time{}}
	var all []int64
	var jobs []struct {
		Name string
		At   int64
	}
	var frozen []struct {
		Job, Task string
		At        int64
	}
	if d.Outdated() {
		return out, nil
	}
	err := d.read(ctx, func(t *tx) error {
		all, jobs, frozen = nil, nil, nil
		if err := t.all(&all, `SELECT CAST(value AS BIGINT) FROM setting WHERE key = 'paused'`); err != nil {
			return err
		}
		if err := t.all(&jobs, `SELECT name, paused_at AS at FROM job WHERE paused_at IS NOT NULL`); err != nil {
			return err
		}
		return t.all(&frozen, `
SELECT j.name AS job, t.name AS task, a.frozen_at AS at
FROM attempt a `+t.d.dialect.bySlot+`
JOIN task t ON t.id = a.task
JOIN job j ON j.id = a.job
WHERE a.slot IS NOT NULL
  AND a.frozen_at IS NOT NULL`)
	})
	for _, at := range all {
		out.All = time.UnixMicro(at).UTC()
	}
	for _, j := range jobs {
		out.Jobs[j.Name] = time.UnixMicro(j.At).UTC()
	}
	for _, f := range frozen {
		out.Frozen[FrozenTask{f.Job, f.Task}] = time.UnixMicro(f.At).UTC()
	}
	return out, err
}
