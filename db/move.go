package db

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// Tasks of a job that have the same priority run in the order of their places, and of
// the same place by age. A place is a number without further meaning: while nobody moves a
// task, all are 0. What is moved to the front gets a place below all others of its job,
// and what is moved to the end one above them; the job has both ends, so that no other
// task is looked at. New tasks get the highest place, and so come last.

// Places are the lowest and the highest place that a task of a job was given, or 0.
type Places struct {
	First int64 `db:"first_place"`
	Last  int64 `db:"last_place"`
}

// place is that of a new task.
func (a *adder) place(task *job.Task) int64 { return cmp.Or(task.Place, a.job.Last) }

// Move says where pending tasks go in the order of their job.
type Move struct {
	Tasks  []string // ids; they keep their order among themselves
	Before string   // id of the task that they go before; empty: to one of the ends
	Last   bool     // to the end, not to the front
}

// Moved says what a Move did, and what it does not change.
type Moved struct {
	Tasks []string // in their order
	// Outranked are those of them for which a priority decides: a ready task of another
	// priority runs before them that they were to run before, or the other way round.
	Outranked []string
	Waiting   []string // those that wait for tasks that they need, or for a time
	Needing   []string // those that need Before, and so run after it all the same
}

// NotPending is the error about tasks that cannot be changed, because they have started
// or ended.
type NotPending struct {
	Job   string
	Tasks []TaskName
}

// Error names the tasks.
func (e *NotPending) Error() string {
	const most = 5 // names in a message
	if len(e.Tasks) == 1 {
		return fmt.Sprintf("task %q of job %q is %s, only pending tasks can be changed", e.Tasks[0].ID, e.Job, e.Tasks[0].Status)
	}
	var names []string
	for i, t := range e.Tasks {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(e.Tasks)-most))
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", strconv.Quote(t.ID), t.Status))
	}
	return fmt.Sprintf("tasks of job %q cannot be changed, only pending ones can: %s", e.Job, strings.Join(names, ", "))
}

// MostToMoveAmong is how many tasks a job may have so that some are moved before another
// one: all of them are looked at then.
const MostToMoveAmong = 100_000

// movedRow is a task with what decides when it runs.
type movedRow struct {
	ID              int64
	Name            string
	Status          job.Status
	Priority, Late  int64 // see aging
	Place           int64
	Blockers, Holds int
	Pools           *string
}

func (r movedRow) compare(o movedRow) int {
	return cmp.Or(cmp.Compare(o.Priority, r.Priority), cmp.Compare(r.Place, o.Place), cmp.Compare(r.ID, o.ID))
}

// waits reports whether it waits for something else than places in pools.
func (r movedRow) waits() bool {
	if r.Pools != nil {
		return r.Blockers > 1
	}
	return r.Blockers > 0
}

const selectMoved = `
SELECT id, name, status, priority, late, place, blockers, holds, pools
FROM task
WHERE job = ?`

// Move changes the order in which pending tasks of a job run, among those of the same
// priority: what needs a task runs after it, and a higher priority first, whatever the order. Errors,
// after which nothing has changed: ErrNoJob, ErrNoTask, *NotPending, ErrOrder if
// Before has another priority or is among the tasks, ErrLimit if the job has more than
// MostToMoveAmong tasks and Before is given.
func (d *DB) Move(ctx context.Context, name string, m Move) (Moved, error) {
	var out Moved
	err := d.write(ctx, func(t *tx) error {
		out = Moved{}
		j, err := t.lockJob(name)
		if err != nil {
			return err
		}
		rows, err := t.pendingRows(j, m.Tasks)
		if err != nil || len(rows) == 0 {
			return err
		}
		slices.SortFunc(rows, movedRow.compare)
		for _, r := range rows {
			out.Tasks = append(out.Tasks, r.Name)
		}
		if m.Before != "" {
			err = t.moveBefore(j, rows, m.Before, &out)
		} else {
			err = t.moveToEnd(j, rows, m.Last, &out)
		}
		if err == nil { // others may have moved, too
			err = t.event(TasksChanged, j.ID, 0, 0, len(rows))
		}
		if err == nil {
			_, err = t.updateJob(j.ID, delta{})
		}
		return err
	})
	return out, d.wakeAfter(err)
}

// pendingRows reads pending tasks, each once, or returns *NotPending.
func (t *tx) pendingRows(j *jobRow, ids []string) (rows []movedRow, err error) {
	bad := NotPending{Job: j.Name}
	for _, id := range distinct(ids) {
		var r movedRow
		there, err := t.get(&r, selectMoved+` AND name = ?`, j.ID, id)
		switch {
		case err != nil:
			return nil, err
		case !there:
			return nil, noTask(j.Name, id)
		case r.Status != job.Pending:
			bad.Tasks = append(bad.Tasks, TaskName{ID: id, Status: r.Status})
		}
		rows = append(rows, r)
	}
	if len(bad.Tasks) > 0 {
		return nil, &bad
	}
	return rows, nil
}

// moveToEnd puts tasks at the front or at the end.
func (t *tx) moveToEnd(j *jobRow, rows []movedRow, last bool, out *Moved) error {
	from := j.First - int64(len(rows))
	if last {
		from = j.Last + 1
	}
	places := map[int64]int64{}
	for i, r := range rows {
		if err := t.asOldAsAny(j.ID, &r, last); err != nil {
			return err
		}
		places[r.ID] = from + int64(i)
		if r.waits() {
			out.Waiting = append(out.Waiting, r.Name)
		}
		decided, err := t.outranked(j.ID, r.Priority, last)
		if err != nil {
			return err
		}
		if decided {
			out.Outranked = append(out.Outranked, r.Name)
		}
	}
	return t.place(j, places)
}

// outranked reports whether a ready task of a job has a higher priority or, with lower, a
// lower one.
func (t *tx) outranked(jobID, priority int64, lower bool) (bool, error) {
	compare := ">"
	if lower {
		compare = "<"
	}
	return t.get(new(int), `
SELECT 1
FROM task `+t.d.dialect.byReady+`
WHERE job = ?
  AND status = 'pending'
  AND blockers = 0
  AND priority `+compare+` ?
LIMIT 1`, jobID, priority)
}

// place gives tasks their places.
func (t *tx) place(j *jobRow, places map[int64]int64) error {
	for id, place := range places {
		if _, err := t.exec(`UPDATE task SET place = ? WHERE id = ?`, place, id); err != nil {
			return err
		}
		j.First, j.Last = min(j.First, place), max(j.Last, place)
	}
	return t.widen(j)
}

// widen stores the lowest and the highest place of a job.
func (t *tx) widen(j *jobRow) error {
	_, err := t.exec(`UPDATE job SET first_place = ?, last_place = ? WHERE id = ?`, j.First, j.Last, j.ID)
	return err
}

// moveBefore puts tasks before another one.
func (t *tx) moveBefore(j *jobRow, rows []movedRow, before string, out *Moved) error {
	target, err := t.pendingRows(j, []string{before})
	if err != nil {
		return err
	}
	moved := map[int64]bool{}
	for _, r := range rows {
		moved[r.ID] = true
		switch {
		case r.ID == target[0].ID:
			return fmt.Errorf("task %q %w: it cannot be before itself", r.Name, ErrOrder)
		case r.asked() != target[0].asked():
			return fmt.Errorf("task %q %w: it has priority %d and %q has %d, and the higher one runs first", r.Name, ErrOrder,
				r.asked(), target[0].Name, target[0].asked())
		case r.waits():
			out.Waiting = append(out.Waiting, r.Name)
		}
		needs, err := t.reaches(r.ID, target[0].ID)
		if err != nil {
			return err
		}
		if needs {
			out.Needing = append(out.Needing, r.Name)
		}
	}
	for _, r := range rows {
		if err := t.asOldAs(&r, target[0].Late); err != nil {
			return err
		}
	}
	front, back, err := t.around(j, target[0], moved)
	if err != nil {
		return err
	}
	return t.place(j, between(front, back, rows))
}

// around reads the tasks that run before another one, and it with those that run after it,
// without some. Completed ones are not among them.
func (t *tx) around(j *jobRow, target movedRow, without map[int64]bool) (front, back []movedRow, err error) {
	var total int
	if _, err := t.get(&total, `SELECT pending + running + completed + failed + dismissed FROM job WHERE id = ?`, j.ID); err != nil {
		return nil, nil, err
	}
	if total > MostToMoveAmong {
		return nil, nil, fmt.Errorf("%w: job %q has %d tasks, and tasks can be moved before another one among %d", ErrLimit, j.Name, total, MostToMoveAmong)
	}
	var all []movedRow
	if err := t.all(&all, selectMoved+` AND status <> 'completed' AND priority = ?`, j.ID, target.Priority); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(all, movedRow.compare)
	for _, r := range all {
		switch {
		case without[r.ID]:
		case r.compare(target) < 0:
			front = append(front, r)
		default:
			back = append(back, r)
		}
	}
	return front, back, nil
}

// reaches reports whether a task needs another one, directly or through others.
func (t *tx) reaches(task, other int64) (bool, error) {
	return t.get(new(int), `
WITH RECURSIVE above (id) AS (
    SELECT needs
    FROM dependency
    WHERE task = ?
      AND needs IS NOT NULL
    UNION
    SELECT d.needs
    FROM above
    JOIN dependency d ON d.task = above.id
    WHERE d.needs IS NOT NULL)
SELECT 1
FROM above
WHERE id = ?`, task, other)
}

// between are the places of tasks that go between two others, and of those that have to
// make room for them: at the front or at the back, where there are fewer.
func between(front, back, rows []movedRow) map[int64]int64 {
	n := int64(len(rows))
	down, up := map[int64]int64{}, map[int64]int64{}
	for i, r := range rows {
		down[r.ID] = back[0].Place - n + int64(i)
		up[r.ID] = back[0].Place + int64(i)
		if len(front) > 0 {
			up[r.ID] = front[len(front)-1].Place + 1 + int64(i)
		}
	}
	makeRoom(down, slices.Backward(front), back[0].Place-n-1, -1)
	makeRoom(up, slices.All(back), up[rows[n-1].ID]+1, 1)
	if len(up) < len(down) {
		return up
	}
	return down
}

// makeRoom gives other places to tasks that are not beyond the limit, and to those in
// whose way these are then. Tasks with the same place keep one.
func makeRoom(places map[int64]int64, rows iter.Seq2[int, movedRow], limit, step int64) {
	var was, is int64
	begun := false
	for _, r := range rows {
		if !begun || r.Place != was {
			if is = max(r.Place, limit); step < 0 {
				is = min(r.Place, limit)
			}
			if is == r.Place {
				return
			}
			begun, was, limit = true, r.Place, is+step
		}
		places[r.ID] = is
	}
}
