package db

import (
	"context"
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/job"
)

// A link is a dependency on a task of another job. It is written JOB:ID. An id may have
// a colon, too: a task of the own job with that id goes first.
//
// Whatever changes a job may change what the links to its tasks say: dependency.met,
// whether a link has let go, and dependency.stuck, whether it can never let go by itself
// as things are. So [tx.updateJob] follows the links of a job (job.linked) to the tasks
// that wait, in the same commit. While a link can still let go by itself, the job of
// the task that waits goes on, as with a time that it waits for.

// Why a link cannot let go by itself.
const (
	goesOn   = 0
	awaits   = 1 // a task that is needed on the way is not there
	neverRun = 2 // one has failed
)

// linkRow is a link with what decides about it.
type linkRow struct {
	Task, Position, Job int64
	Condition           condition
	Met, Stuck          int
	Needs               int64
	Status              job.Status // of what is needed
	Blocked             bool       // by a task
}

const selectLinks = `
SELECT d.task, d.position, t.job, d.condition, d.met, d.stuck, n.id AS needs, n.status, n.blockers > n.holds AS blocked
FROM dependency d
JOIN task n ON n.id = d.needs
JOIN task t ON t.id = d.task
`

// follows returns what a link is to say.
func (t *tx) follows(l *linkRow) (met, stuck int, err error) {
	switch {
	case l.Status == job.Completed, l.Condition == onAny && l.Status == job.Failed:
		return 1, goesOn, nil
	case l.Status == job.Failed:
		return 0, neverRun, nil
	case l.Status == job.Running || !l.Blocked:
		return 0, goesOn, nil
	}
	_, err = t.get(&stuck, whyStuck, l.Needs)
	if l.Condition == onAny && stuck == neverRun {
		return 1, goesOn, err
	}
	return 0, stuck, err
}

// whyStuck looks at all that a pending task waits for within its job, and at their links.
const whyStuck = `
WITH RECURSIVE up (id) AS (
    SELECT id
    FROM task
    WHERE id = ?
    UNION
    SELECT d.needs
    FROM up
    JOIN task t ON t.id = up.id
    JOIN dependency d ON d.task = t.id
    WHERE t.status = 'pending'
      AND d.met = 0
      AND d.needs IS NOT NULL
      AND d.missing_job IS NULL)
SELECT coalesce(max(CASE
    WHEN t.status = 'failed' THEN 2
    WHEN t.status <> 'pending' THEN 0
    ELSE (
        SELECT coalesce(max(CASE WHEN d.needs IS NULL THEN 1 WHEN d.missing_job IS NOT NULL AND d.met = 0 THEN d.stuck ELSE 0 END), 0)
        FROM dependency d
        WHERE d.task = t.id) END), 0)
FROM up
JOIN task t ON t.id = up.id`

// followed is what has become of the links of one job.
type followed struct {
	released []int64 // tasks of which a link has let go
	dead     []int64 // tasks that can never run now
	anew     bool    // a link holds that did not before
	changed  int     // links
}

// settleLinks writes what links are to say, and returns what has changed, by jobs.
func (t *tx) settleLinks(links []linkRow) (map[int64]*followed, error) {
	var out map[int64]*followed
	for _, l := range links {
		met, stuck, err := t.follows(&l)
		if err != nil {
			return nil, err
		}
		if met == l.Met && stuck == l.Stuck {
			continue
		}
		if err := t.lockLinked(l.Job); err != nil {
			return nil, err
		}
		_, err = t.exec(`UPDATE dependency SET met = ?, stuck = ? WHERE task = ? AND position = ?`, met, stuck, l.Task, l.Position)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = map[int64]*followed{}
		}
		f := out[l.Job]
		if f == nil {
			f = &followed{}
			out[l.Job] = f
		}
		f.changed++
		switch {
		case met < l.Met, l.Stuck == neverRun && met == 0:
			f.anew = true
		case met > l.Met:
			f.released = append(f.released, l.Task)
			f.anew = f.anew || l.Stuck == neverRun
		case stuck == neverRun:
			f.dead = append(f.dead, l.Task)
		}
	}
	return out, nil
}

const linksTo = selectLinks + `
WHERE d.missing_job = (SELECT name FROM job WHERE id = ?)
  AND t.status <> 'running'`

const linksToTask = selectLinks + `
WHERE d.needs = ?
  AND d.missing_job IS NOT NULL
  AND t.status <> 'running'`

// reach follows the links to the tasks of a job that has changed, or, if that is all that
// has, to one of them.
func (t *tx) reach(jobID, only int64) error {
	var links []linkRow
	var err error
	if only != 0 {
		err = t.all(&links, linksToTask, only)
	} else {
		err = t.all(&links, linksTo, jobID)
	}
	if err != nil || len(links) == 0 {
		return err
	}
	changed, err := t.settleLinks(links)
	if err != nil {
		return err
	}
	var jobs []int64
	for id := range changed {
		jobs = append(jobs, id)
	}
	slices.Sort(jobs)
	for _, id := range jobs {
		if err := t.goOn(id, changed[id]); err != nil {
			return err
		}
	}
	return nil
}

// goOn changes a job whose links have changed.
func (t *tx) goOn(jobID int64, f *followed) (err error) {
	only := int64(0)
	if f.changed == 1 && len(f.released) == 1 {
		only = f.released[0]
	}
	if err := t.event(TasksChanged, jobID, only, 0, f.changed); err != nil {
		return err
	}
	var d delta
	if f.anew {
		if d, err = t.reconsider(jobID); err != nil {
			return err
		}
	} else {
		if err := t.release(f.released, &d); err != nil {
			return err
		}
		for _, id := range f.dead {
			if err := t.afterFailure(jobID, id, &d); err != nil {
				return err
			}
		}
	}
	d.linked = true
	if len(f.released) > 0 { // it may have been skipped, and so end the job
		d.task = f.released[0]
	}
	t.waited = t.waited || len(f.released) > 0
	_, err = t.updateJob(jobID, d)
	return err
}

// quiet reports whether a change of a job's counters is none that a link can tell. No
// link leads to new tasks but those that linked says.
func (d *delta) quiet() bool {
	return !d.linked && d.Completed == 0 && d.Failed == 0 && d.Dismissed == 0 && (d.added != nil || d.Pending == -d.Running)
}

// linkHeld reports whether a job has a task that waits for nothing but times, places,
// and links that are stuck for no worse a reason.
func (t *tx) linkHeld(jobID int64, stuck int) (bool, error) {
	return t.get(new(int), `
SELECT 1
FROM task t
WHERE t.job = ?
  AND t.status = 'pending'
  AND t.blockers > t.holds
  AND t.blockers = t.holds + (
      SELECT COUNT(*)
      FROM dependency d
      WHERE d.task = t.id
        AND d.missing_job IS NOT NULL
        AND d.met = 0
        AND d.stuck <= ?)
LIMIT 1`, jobID, stuck)
}

// lockLinked locks a job that a link leads to. A transaction finds out on its way which
// those are. Where rows are locked, and one comes before those that it has locked, it
// begins again and locks all of them first.
func (t *tx) lockLinked(id int64) error {
	switch {
	case slices.Contains(t.holds, id):
		return nil
	case t.d.dialect.lockRow == "":
		t.holds = append(t.holds, id)
		return nil
	case len(t.holds) > 0 && id < slices.Max(t.holds):
		return &outOfOrder{append(slices.Clone(t.holds), id)}
	}
	return t.lockJobs(id)
}

// outOfOrder is the error of a transaction that has to lock these jobs first.
type outOfOrder struct{ jobs []int64 }

func (o *outOfOrder) Error() string { return fmt.Sprintf("jobs %d are to be locked in order", o.jobs) }

// link marks two jobs of which one has a task that needs one of the other. What tasks
// with conditions pay for, they pay for.
func (t *tx) link(a, b int64) error {
	for _, id := range []int64{min(a, b), max(a, b)} {
		if err := t.lockLinked(id); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE job SET linked = 1, conditional = 1 WHERE id = ? AND (linked = 0 OR conditional = 0)`, id); err != nil {
			return err
		}
	}
	return nil
}

// isLinked reports whether a job has links, or others have links to it.
func (t *tx) isLinked(jobID int64) (bool, error) {
	if t.d.agesNot() {
		return false, nil
	}
	return t.get(new(int), `SELECT 1 FROM job WHERE id = ? AND linked = 1`, jobID)
}

// own returns the id in a dependency that names its own job, too.
func (a *adder) own(needs string) (id string, ok bool) {
	jobName, id, ok := job.SplitLink(needs)
	return id, ok && jobName == a.job.Name
}

// elsewhere finds the task of another job that a dependency is on; 0: there is none.
func (a *adder) elsewhere(needs string) (l linkRow, jobName string, err error) {
	jobName, id, ok := job.SplitLink(needs)
	if !ok || jobName == a.job.Name || a.t.d.agesNot() {
		return l, "", nil
	}
	_, err = a.t.get(&l, `
SELECT n.id AS needs, n.job, n.status, n.blockers > n.holds AS blocked
FROM task n
JOIN job j ON j.id = n.job
WHERE j.name = ?
  AND n.name = ?`, jobName, id)
	return l, jobName, err
}

// dependElsewhere stores a dependency as a link if it is on a task of another job, and
// reports whether it is, and has let go.
func (a *adder) dependElsewhere(task int64, position int, e edge) (linked, met bool, err error) {
	to, jobName, err := a.elsewhere(e.needs)
	if err != nil || to.Needs == 0 {
		return false, false, err
	}
	met, err = a.depends(task, position, e, to, jobName)
	return true, met, err
}

// depends stores a link, and reports whether it has let go.
func (a *adder) depends(task int64, position int, e edge, to linkRow, jobName string) (met bool, err error) {
	if err := a.t.link(a.job.ID, to.Job); err != nil {
		return false, err
	}
	a.conditional = true
	to.Condition = e.condition
	now, stuck, err := a.t.follows(&to)
	if err != nil {
		return false, err
	}
	a.unsettled = a.unsettled || stuck == neverRun
	_, err = a.t.exec(`INSERT INTO dependency (task, position, needs, missing_job, condition, met, stuck) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		task, position, to.Needs, jobName, e.condition, now, stuck)
	return now == 1, err
}

// tieLinks makes links of what waits in other jobs for a new task, by its name.
func (a *adder) tieLinks(id int64, name string) error {
	var waiting []struct{ Task, Job int64 }
	full := a.job.Name + ":" + name
	err := a.t.all(&waiting, `
SELECT d.task, (SELECT t.job FROM task t WHERE t.id = d.task) AS job
FROM dependency d
WHERE missing = ?`, full)
	if err != nil || a.t.d.agesNot() {
		return err
	}
	for _, w := range waiting {
		if w.Job == a.job.ID {
			continue
		}
		if err := a.t.link(a.job.ID, w.Job); err != nil {
			return err
		}
		_, err := a.t.exec(`
UPDATE dependency
SET needs = ?, missing = NULL, missing_job = ?, stuck = 1
WHERE task = ?
  AND missing = ?`, id, a.job.Name, w.Task, full)
		if err != nil {
			return err
		}
		a.tied = true
	}
	return nil
}

// linkedEdges adds to the graph of a job's tasks what they need in other jobs, and what
// that needs, for a cycle may lead through several.
func (t *tx) linkedEdges(open []int64, seen func(id int64) bool, add func(from, to int64)) error {
	done := map[int64]bool{}
	for len(open) > 0 {
		id := open[0]
		open = open[1:]
		if done[id] {
			continue
		}
		done[id] = true
		var needs []int64
		if err := t.all(&needs, `SELECT needs FROM dependency WHERE task = ? AND needs IS NOT NULL`, id); err != nil {
			return err
		}
		for _, n := range needs {
			if !seen(n) {
				open = append(open, n)
			}
			add(id, n)
		}
	}
	return nil
}

// nameFrom is the name of a task as it is written in another job, or in its own.
func (t *tx) nameFrom(jobID, task int64) (string, error) {
	var is struct {
		Job     int64
		Name    string
		JobName string `db:"job_name"`
	}
	_, err := t.get(&is, `SELECT t.job, t.name, j.name AS job_name FROM task t JOIN job j ON j.id = t.job WHERE t.id = ?`, task)
	if is.Job == jobID {
		return is.Name, err
	}
	return is.JobName + ":" + is.Name, err
}

// requireUnlinked returns ErrInUse if a task of a job that stays needs one of these jobs.
func (t *tx) requireUnlinked(jobs []*jobRow) error {
	if t.d.agesNot() {
		return nil
	}
	going := map[int64]bool{}
	for _, j := range jobs {
		going[j.ID] = true
	}
	for _, j := range jobs {
		var by []struct {
			ID   int64
			Name string
		}
		err := t.all(&by, `
SELECT o.job AS id, oj.name || ':' || o.name AS name
FROM dependency d
JOIN task o ON o.id = d.task
JOIN job oj ON oj.id = o.job
WHERE d.missing_job = ?`, j.Name)
		if err != nil {
			return err
		}
		for _, o := range by {
			if !going[o.ID] {
				return fmt.Errorf("job %q %w: needed by %q", j.Name, ErrInUse, o.Name)
			}
		}
	}
	for _, j := range jobs {
		if _, err := t.exec(`DELETE FROM dependency WHERE task IN (SELECT id FROM task WHERE job = ?)`, j.ID); err != nil {
			return err
		}
	}
	return nil
}

// Link is a task that waits for one of another job.
type Link struct {
	Job, Task string
	Needs     string     // JOB:ID
	Status    job.Status // of that
	Stuck     bool       // it cannot end by itself: something has failed, or is not there
}

// Links lists what tasks of a job wait for in other jobs, oldest first, at most limit
// of them. ErrNoJob.
func (d *DB) Links(ctx context.Context, name string, limit int) (out []Link, err error) {
	if d.agesNot() {
		return nil, nil
	}
	err = d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		on, err := t.isLinked(j.ID)
		if err != nil || !on {
			return err
		}
		return t.all(&out, `
SELECT ? AS job, t.name AS task, d.missing_job || ':' || n.name AS needs, n.status, d.stuck > 0 AS stuck
FROM task t
JOIN dependency d ON d.task = t.id
JOIN task n ON n.id = d.needs
WHERE t.job = ?
  AND t.status = 'pending'
  AND d.missing_job IS NOT NULL
  AND d.met = 0
ORDER BY t.id
LIMIT ?`, name, j.ID, limit)
	})
	return out, err
}
