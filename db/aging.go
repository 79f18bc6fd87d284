package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/air-executor/air-executor/job"
)

// With aging, a task gains one step of priority each time that it has been pending for
// so long. All tasks gain alike, so which of two comes first never changes while they
// wait, and nothing has to be written as time passes: instead a task is stored with a
// lower priority the later it is queued. task.late says how much lower. So
// task.priority is what a claim compares, and what was asked for is priority + late.
//
// The interval in force is the row 'aging' of the table setting; no row: there is no
// aging, and late is 0 everywhere. It changes when a manager starts with another one in
// its configuration, which ranks all tasks anew (see [DB.Age]); every other process
// goes by the row.

// ageRank says how the tasks of a database are ranked.
type ageRank struct {
	Interval int64 // for one step, in microseconds; 0: there is no aging
	Step     int64 // the last one that a task was given: the next is not given an earlier one, though the clock was set back
}

// at returns the step of a task that was queued at an instant, in Unix microseconds.
func (r ageRank) at(queued int64) int64 {
	if r.Interval == 0 {
		return 0
	}
	return min(max(queued/r.Interval, 0), r.Step)
}

// goOn returns the rank with the step of this instant.
func (r ageRank) goOn(now int64) ageRank {
	if r.Interval > 0 {
		r.Step = max(r.Step, now/r.Interval)
	}
	return r
}

// The rows of the table setting.
const (
	agingKey  = "aging"      // the rank in force
	rankedKey = "aging_rank" // how far all tasks are ranked by another interval; no row: nobody is at it
)

func (r ageRank) text() string { return fmt.Sprintf("%d %d", r.Interval, r.Step) }

func readRank(text *string) (r ageRank, err error) {
	if text == nil {
		return r, nil
	}
	if _, err := fmt.Sscanf(*text, "%d %d", &r.Interval, &r.Step); err != nil || r.Interval <= 0 {
		return r, fmt.Errorf("%w: setting %s is %q", ErrCorrupt, agingKey, *text)
	}
	return r, nil
}

func (t *tx) set(key, value string) error {
	_, err := t.exec(`
INSERT INTO setting (key, value)
VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return err
}

func (t *tx) unset(key string) error {
	_, err := t.exec(`DELETE FROM setting WHERE key = ?`, key)
	return err
}

// late is by how much the priority of a new task is lower than what was asked for. A
// task of an imported job is as old as its file says, but no older than those before
// it, for the tasks of a job keep their order.
func (a *adder) late(task *job.Task) (int64, error) {
	late := a.aging.Step
	if a.created && !task.CreatedAt.IsZero() {
		late = a.aging.at(task.CreatedAt.UnixMicro())
	}
	a.lastLate = max(a.lastLate, late)
	if !a.aged {
		return a.lastLate, nil
	}
	a.aged = false
	return a.lastLate, a.t.set(agingKey, a.aging.text())
}

// begins finds the row for the first new task of an adder, and how new tasks are ranked.
func (a *adder) begins() error {
	var is struct {
		Next  int64
		Aging *string
	}
	_, err := a.t.get(&is, `
SELECT (`+a.t.d.dialect.nextTask+`) AS next,
       (SELECT value FROM setting WHERE key = 'aging') AS aging`)
	if err != nil {
		return err
	}
	a.next = is.Next
	before, err := readRank(is.Aging)
	a.aging = before.goOn(a.t.now)
	a.aged = a.aging != before
	return err
}

// appendRanked appends the values of a task for rankedColumns. A database without
// aging may be from before there was any.
func (a *adder) appendRanked(values []any, task *job.Task) ([]any, error) {
	if a.aging.Interval == 0 {
		return appendSpec(values, &task.Spec)
	}
	late, err := a.late(task)
	if err != nil {
		return nil, err
	}
	ranked := task.Spec
	ranked.Priority -= int(late)
	return appendSpec(append(values, late), &ranked)
}

func (a *adder) rankedColumns() string {
	if a.aging.Interval == 0 {
		return specColumns
	}
	return `late, ` + specColumns
}

func (a *adder) rankedMarks() string {
	if a.aging.Interval == 0 {
		return specMarks
	}
	return `?, ` + specMarks
}

// ranking is under way from one interval to another. It goes through all tasks, in
// the order that keeps those that were ranked and those that were not yet in the
// order in which they were queued: where priorities become lower, from the newest on.
type ranking struct {
	to       ageRank
	position int64 // row of the last task that was ranked
	bound    int64 // its step
	falls    bool
}

func (r *ranking) text() string {
	return fmt.Sprintf("%s %d %d", r.to.text(), r.position, r.bound)
}

// Age ranks tasks by a new interval, after which a pending task gains one step of
// priority; 0: it never does. It ranks at most limit tasks, in one commit, and reports
// whether there was something to do: then it is to be called again. If there was not, it
// has read two rows at most.
func (d *DB) Age(ctx context.Context, interval time.Duration, limit int) (did bool, err error) {
	var begun *ranking
	find := func(t *tx) (err error) {
		begun, err = t.ranking(interval.Microseconds())
		return err
	}
	if err := d.read(ctx, find); err != nil || begun == nil {
		return false, err
	}
	err = d.write(ctx, func(t *tx) error {
		if err := find(t); err != nil || begun == nil {
			return err
		}
		did = true
		return t.rank(begun, limit)
	})
	return did, err
}

// ranking returns what is under way, or else has to begin; nil: nothing.
func (t *tx) ranking(interval int64) (*ranking, error) {
	var rows []struct{ Key, Value string }
	err := t.all(&rows, `SELECT key, value FROM setting WHERE key IN ('aging', 'aging_rank')`)
	if err != nil {
		return nil, err
	}
	var is ageRank
	var under *ranking
	for _, row := range rows {
		if row.Key == agingKey {
			is, err = readRank(&row.Value)
		} else {
			under = &ranking{}
			_, err = fmt.Sscanf(row.Value, "%d %d %d %d", &under.to.Interval, &under.to.Step, &under.position, &under.bound)
		}
		if err != nil {
			return nil, err
		}
	}
	if under == nil && is.Interval == interval {
		return nil, nil
	}
	if under == nil {
		under = &ranking{to: ageRank{Interval: interval}.goOn(t.now)}
		under.falls = under.to.Step >= is.Step
		if under.falls {
			under.position, under.bound = -1, under.to.Step
		}
		return under, nil
	}
	// Where priorities fall, the new rank is in force from the start.
	under.falls = is.Interval == under.to.Interval
	return under, nil
}

// rankedTask is a task that is to be ranked.
type rankedTask struct {
	ID, Job, Late int64
	CreatedAt     int64 `db:"created_at"`
	Ready         bool  // perhaps it is the next one of its job
}

// rank ranks some tasks, and notes how far it has come.
func (t *tx) rank(r *ranking, limit int) error {
	tasks, err := t.toRank(r, limit)
	if err != nil {
		return err
	}
	var changed []rankedTask
	var jobs, ready []int64
	for _, one := range tasks {
		if !r.ranks(&one) {
			continue
		}
		changed, jobs = append(changed, one), append(jobs, one.Job)
		if one.Ready && !slices.Contains(ready, one.Job) {
			ready = append(ready, one.Job)
		}
	}
	if err := t.lockJobs(jobs...); err != nil {
		return err
	}
	for _, one := range changed {
		if _, err := t.exec(setLate, one.Late, one.Late, one.ID); err != nil {
			return err
		}
	}
	for _, id := range ready {
		if _, err := t.updateJob(id, delta{}); err != nil {
			return err
		}
	}
	return t.noteRanking(r, len(tasks) == limit)
}

// ranks gives the next task on the way its step, which is not beyond that of the one
// before, and reports whether it had another one.
func (r *ranking) ranks(one *rankedTask) bool {
	late := r.to.at(one.CreatedAt)
	if r.falls {
		late = min(late, r.bound)
	} else {
		late = max(late, r.bound)
	}
	r.position, r.bound = one.ID, late
	had := one.Late
	one.Late = late
	return late != had
}

// toRank reads the tasks that come next on the way of a ranking.
func (t *tx) toRank(r *ranking, limit int) (tasks []rankedTask, err error) {
	const columns = `
SELECT id, job, late, created_at, status = 'pending' AND (blockers = 0 OR blockers = holds) AS ready
FROM task`
	switch {
	case !r.falls:
		err = t.all(&tasks, columns+`
WHERE id > ?
ORDER BY id
LIMIT ?`, r.position, limit)
	case r.position < 0:
		err = t.all(&tasks, columns+`
ORDER BY id DESC
LIMIT ?`, limit)
	default:
		err = t.all(&tasks, columns+`
WHERE id < ?
ORDER BY id DESC
LIMIT ?`, r.position, limit)
	}
	return tasks, err
}

// noteRanking stores how far a ranking has come. New tasks are ranked by what they
// come behind: by the new interval from the start where priorities fall, else when all
// are ranked.
func (t *tx) noteRanking(r *ranking, more bool) error {
	if r.falls || !more {
		var err error
		if r.to.Interval == 0 {
			err = t.unset(agingKey)
		} else if err = t.ranksBy(r.to); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	if more {
		return t.set(rankedKey, r.text())
	}
	return t.unset(rankedKey)
}

// ranksBy puts a rank in force, unless it is already, perhaps with a later step.
func (t *tx) ranksBy(r ageRank) error {
	var text *string
	if _, err := t.get(&text, `SELECT value FROM setting WHERE key = 'aging'`); err != nil {
		return err
	}
	is, err := readRank(text)
	if err != nil || is.Interval == r.Interval {
		return err
	}
	return t.set(agingKey, r.text())
}

const setLate = `
UPDATE task
SET priority = priority + late - ?,
    late = ?
WHERE id = ?`

// A task that is moved by hand becomes as old as those among which it is moved, so that their
// places decide.

// asked is the priority that a task was queued with.
func (r movedRow) asked() int64 { return r.Priority + r.Late }

// asOldAs gives a task that is moved the age of another one.
func (t *tx) asOldAs(r *movedRow, late int64) error {
	if r.Late == late {
		return nil
	}
	r.Priority, r.Late = r.asked()-late, late
	_, err := t.exec(setLate, late, late, r.ID)
	return err
}

// asOldAsAny makes a task that is moved to an end of its job as old as the oldest or, with last, the
// youngest pending one that was queued with its priority.
func (t *tx) asOldAsAny(jobID int64, r *movedRow, last bool) error {
	if r.Late == 0 {
		return nil // nothing ages
	}
	end := `min(late)`
	if last {
		end = `max(late)`
	}
	late := r.Late
	_, err := t.get(&late, `
SELECT `+end+`
FROM task
WHERE job = ?
  AND status = 'pending'
  AND priority + late = ?`, jobID, r.asked())
	if err != nil {
		return err
	}
	return t.asOldAs(r, late)
}
