package db

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
)

// Runner identifies the process that runs an attempt, as its row has it.
type Runner struct {
	Lock     int64  // number of its kernel lock
	PID      int    // and its start time in clock ticks since boot, to tell it from
	PIDStart int64  // a later process with the same PID
	Host     string // name of the machine
	BootID   string // of this boot of the machine
	Manager  string // instance that started it

	Namespace int64 // inode of its PID namespace; 0: not known
	InitLock  int64 // number of the kernel lock that process 1 of the namespace holds; 0: none
}

// Claim gives the runner the best ready task, as [DB.ClaimAll] does. It returns nil if
// there is no such task, or if no place is free.
func (d *DB) Claim(ctx context.Context, r Runner, places int, only string) (*Assignment, error) {
	claimed, err := d.ClaimAll(ctx, []Runner{r}, places, only, nil)
	if len(claimed) == 0 {
		return nil, err
	}
	return claimed[0], err
}

// ClaimAll gives each of the runners in turn the best ready task of all jobs that may
// run one more: highest priority first, then oldest. If only is not empty, it considers
// the job of that name alone. It returns fewer tasks than there are runners if there
// are no more, or if all places are taken; [Assignment.Runner] says which runner each
// task is for. Once the manager of the runners has been asked to stop (see
// [DB.AskToStop]), it gets none.
//
// The tasks are running when ClaimAll returns: claim and start-intent are one durable
// commit, and from here on the tasks may have been started. So every runner must be a
// process that is ready for its task, and that looks for it with [DB.Assigned] if
// nobody sends it. Unless it is nil, the function lives is called for each runner just
// before its claim, when no other process can write; a dead runner gets no task.
//
// After [ErrInDoubt], the tasks may be running or not: see [DB.AssignedTo].
func (d *DB) ClaimAll(ctx context.Context, runners []Runner, places int, only string, lives func(Runner) (bool, error)) ([]*Assignment, error) {
	failpoint.Hit("claim.before_lock")
	var claimed []*Assignment
	err := d.write(ctx, func(t *tx) error {
		claimed = nil
		if stops, err := t.stopAsked(runners); err != nil || stops {
			return err
		}
		jobID, err := t.lockOnly(only)
		if err != nil {
			return err
		}
		for _, r := range runners {
			if lives != nil {
				if ok, err := lives(r); err != nil {
					return fmt.Errorf("look whether a runner lives: %w", err)
				} else if !ok {
					continue
				}
			}
			row, err := t.best(jobID)
			if err != nil {
				return err
			}
			if row == nil || row.Running >= places {
				break
			}
			a, err := t.claim(r, row)
			if err != nil {
				return err
			}
			claimed = append(claimed, a)
		}
		failpoint.Hit("claim.before_commit")
		return nil
	})
	if err == nil && len(claimed) > 0 {
		failpoint.Hit("claim.after_commit")
		err = inDoubt(failpoint.Err("claim.committed"))
	}
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// Assigned returns the task that was claimed for the runner with this lock since the
// machine booted, and has not ended. If there is none, it returns nil, after it has
// called none (unless that is nil) before any other process can write again: a runner
// that gives up its lock there is given no task later.
func (d *DB) Assigned(ctx context.Context, lock int64, bootID string, none func()) (*Assignment, error) {
	var a *Assignment
	err := d.writeResult(ctx, func(t *tx) error {
		var err error
		if a, err = t.assigned(lock, bootID); err != nil || a != nil {
			return err
		}
		if none != nil {
			none()
		}
		return t.settle()
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// AssignedTo returns the tasks that are assigned to these runners, at most one each. It
// is for a claim that may or may not have been committed: once AssignedTo returns
// without an error, the answer is final.
func (d *DB) AssignedTo(ctx context.Context, runners []Runner) ([]*Assignment, error) {
	var out []*Assignment
	err := d.writeResult(ctx, func(t *tx) error {
		out = nil
		for _, one := range runners {
			a, err := t.assigned(one.Lock, one.BootID)
			if err != nil {
				return err
			}
			if a != nil {
				out = append(out, a)
			}
		}
		return t.settle()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// assigned finds the task that is assigned to a runner; nil: none is.
func (t *tx) assigned(lock int64, bootID string) (*Assignment, error) {
	var row struct {
		claimRow
		Attempt       int64
		Slot          int
		Token         string
		PID           int
		PIDStart      int64 `db:"pid_start"`
		Host, Manager string
		namespaceRow
	}
	ok, err := t.get(&row, `
SELECT a.id AS attempt, a.slot, a.token, a.pid, a.pid_start, a.host, a.manager, a.pid_namespace, a.init_lock,
       a.job, j.name AS job_name, t.id, t.name, `+specOfT+`, a.number - 1 AS attempts, `+hasInput+`, e.content
FROM attempt a `+t.d.dialect.bySlot+`
JOIN task t ON t.id = a.task
JOIN job j ON j.id = a.job
LEFT JOIN environment e ON e.id = t.environment
WHERE a.slot IS NOT NULL
  AND a.runner = ?
  AND a.boot_id = ?`, lock, bootID)
	if err != nil || !ok {
		return nil, err
	}
	a, err := row.assignment(row.of(Runner{
		Lock: lock, PID: row.PID, PIDStart: row.PIDStart, Host: row.Host, BootID: bootID, Manager: row.Manager,
	}))
	if err != nil {
		return nil, err
	}
	a.Token, a.attemptID, a.Slot = row.Token, row.Attempt, row.Slot
	if row.Pools != nil {
		a.Pools, err = t.heldPlaces(a.attemptID)
	}
	return a, err
}

// settle makes the transaction write something without changing anything.
//
// If a process is killed while SQLite waits for the disk, its commit is in the
// write-ahead log but not in the log's index. No process sees such a commit until one
// that opens the database alone rebuilds the index. The next commit overwrites it.
func (t *tx) settle() error {
	const nobody = "nobody"
	_, err := t.exec(`
INSERT INTO manager (instance, host, boot_id, pid, pid_start, started_at)
VALUES (?, '', '', 0, 0, 0)`, nobody)
	if err == nil {
		_, err = t.exec(`DELETE FROM manager WHERE instance = ?`, nobody)
	}
	return err
}

// Claimable returns how many tasks could be claimed now, n at most. If only is not
// empty, it considers the job of that name alone. Where several need places in the same
// pools, it may count more, but never one if there is none.
func (d *DB) Claimable(ctx context.Context, n int, only string) (int, error) {
	w, err := d.Work(ctx, n, only)
	return w.Tasks, err
}

// Work is what there is to do.
type Work struct {
	Tasks int       // that could be claimed now
	Due   time.Time // of the task that is let go first of those that wait for a time; zero: none does
}

// Work returns what Claimable does, and Due, as of one instant.
func (d *DB) Work(ctx context.Context, n int, only string) (Work, error) {
	var w Work
	err := d.read(ctx, func(t *tx) error {
		w = Work{}
		var is struct {
			Tasks int
			Lanes bool
		}
		_, err := t.get(&is, `
SELECT coalesce(sum(tasks), 0) AS tasks, EXISTS (SELECT 1 FROM lane) AS lanes
FROM (
    SELECT CASE WHEN parallel - running < pending - blocked THEN parallel - running ELSE pending - blocked END AS tasks
    FROM job `+d.dialect.byClaimable+`
    WHERE next_task IS NOT NULL
      AND holds = 0
      AND running < parallel
      AND `+notPaused+`
      AND (? = '' OR name = ?)
    LIMIT ?) AS claimable`, only, only, n)
		if err != nil {
			return err
		}
		w.Tasks = min(n, is.Tasks)
		if is.Lanes && w.Tasks < n {
			more, err := t.claimableInLanes(n-w.Tasks, only)
			if err != nil {
				return err
			}
			w.Tasks += more
		}
		w.Due, err = t.dueTime()
		return err
	})
	return w, err
}

// claimRow is a task that is about to be claimed.
type claimRow struct {
	Running  int   // running attempts of all jobs, without the parked ones
	Busy     int   // running attempts of its job
	Parallel int   // how many may be
	Priority int64 `db:"next_priority"` // of a ready task, with that of its job
	Input    bool  // there is something for its command to read
	Lanes    bool  // there are tasks that wait for nothing but places in pools
	Job      int64
	JobName  string `db:"job_name"`
	ID       int64
	Name     string
	specRow
	Attempts int
	Content  []byte // environment
}

// claim makes the task of the row running, with an attempt by this runner. The job's
// row must be locked.
func (t *tx) claim(r Runner, row *claimRow) (*Assignment, error) {
	a, err := row.assignment(r)
	if err != nil {
		return nil, err
	}
	n, err := t.exec(startTask, t.now, a.taskID)
	if err != nil {
		return nil, err
	}
	if n != 1 {
		return nil, fmt.Errorf("%w: task %q of job %q is marked ready, but is not", ErrCorrupt, a.Task, a.Job)
	}
	slot, err := t.freeSlot(row)
	if err != nil {
		return nil, err
	}
	_, err = t.get(&a.attemptID, insertAttempt,
		a.taskID, a.job, a.Attempt, slot, a.Token, r.Manager, r.Host, r.BootID, r.Lock, r.PID, r.PIDStart,
		number(r.Namespace), number(r.InitLock), t.now)
	if err != nil {
		return nil, err
	}
	if a.Pools, err = t.takePlaces(a.attemptID, poolsOf(row.Pools)); err != nil {
		return nil, err
	}
	a.Slot = slot
	a.more, err = t.updateJob(a.job, delta{Counts: job.Counts{Pending: -1, Running: 1}, blocked: -a.pooled()})
	a.more = a.more && row.Busy+1 < row.Parallel
	return a, err
}

const startTask = `
UPDATE task
SET status = 'running',
    attempts = attempts + 1,
    blockers = 0,
    holds = 0,
    started_at = ?,
    completed_at = NULL,
    exit_code = NULL,
    signal = NULL,
    error = NULL
WHERE id = ?
  AND status = 'pending'
  AND blockers = CASE WHEN pools IS NULL THEN 0 ELSE 1 END`

const insertAttempt = `
INSERT INTO attempt (task, job, number, slot, status, token, manager, host, boot_id, runner, pid, pid_start, pid_namespace, init_lock, started_at)
VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id`

// namespaceRow says where the processes of an attempt can be seen.
type namespaceRow struct {
	Namespace *int64 `db:"pid_namespace"`
	InitLock  *int64 `db:"init_lock"`
}

// of returns the runner with the namespace set.
func (n namespaceRow) of(r Runner) Runner {
	if n.Namespace != nil {
		r.Namespace = *n.Namespace
	}
	if n.InitLock != nil {
		r.InitLock = *n.InitLock
	}
	return r
}

// freeSlot returns the lowest free slot of the job.
func (t *tx) freeSlot(row *claimRow) (slot int, err error) {
	if row.Busy == 0 {
		return 0, nil
	}
	_, err = t.get(&slot, lowestSlot, row.Job, row.Job)
	return slot, err
}

const lowestSlot = `
SELECT min(free.slot)
FROM (
    SELECT 0 AS slot
    UNION ALL
    SELECT slot + 1
    FROM attempt
    WHERE job = ?
      AND slot IS NOT NULL) AS free
WHERE NOT EXISTS (
    SELECT 1
    FROM attempt a
    WHERE a.job = ?
      AND a.slot = free.slot)`

// best finds the task to claim, of all jobs or of one, by an index look-up; nil if
// there is none.
func (t *tx) best(jobID int64) (*claimRow, error) {
	var row claimRow
	var ok bool
	var err error
	if jobID != 0 {
		ok, err = t.get(&row, t.d.bestOfJob(), jobID)
	} else {
		ok, err = t.get(&row, t.d.bestOfAll())
	}
	lanes := row.Lanes
	if err == nil && !ok {
		lanes, err = t.anyLane()
	}
	if err == nil && lanes {
		ok, err = t.bestWithLanes(jobID, &row, ok)
	}
	if err != nil || !ok {
		return nil, err
	}
	if jobID == 0 { // its lock was free, so there was no wait
		t.holds = append(t.holds, row.Job)
	}
	return &row, nil
}

// bestWithLanes puts a task that needs places in pools into the row, if there is one
// that can have them and is better than the one there. It reports whether there is a
// task in the row now.
func (t *tx) bestWithLanes(jobID int64, row *claimRow, ok bool) (bool, error) {
	lane, err := t.bestLane(jobID)
	if err != nil || lane == nil {
		return ok, err
	}
	if ok {
		first, err := t.comesFirst(lane, &laneRow{Job: row.Job, Task: row.ID, Priority: row.Priority})
		if err != nil || !first {
			return ok, err
		}
	}
	*row = claimRow{}
	return t.get(row, t.d.bestInLane(), lane.Task)
}

func (d *DB) bestInLane() string {
	return d.claimColumns() + `
FROM task t
JOIN job j ON j.id = t.job
LEFT JOIN environment e ON e.id = t.environment
WHERE t.id = ?`
}

func (d *DB) bestOfJob() string {
	return d.claimColumns() + `
FROM job j
JOIN task t ON t.id = j.next_task
LEFT JOIN environment e ON e.id = t.environment
WHERE j.id = ?
  AND j.holds = 0
  AND j.running < j.parallel
  AND ` + notPaused
}

func (d *DB) bestOfAll() string {
	return d.claimColumns() + `
FROM job j ` + d.dialect.byClaimable + `
JOIN task t ON t.id = j.next_task
LEFT JOIN environment e ON e.id = t.environment
WHERE j.next_task IS NOT NULL
  AND j.holds = 0
  AND j.running < j.parallel
  AND ` + notPaused + `
ORDER BY j.next_priority DESC, j.next_task
LIMIT 1` + d.dialect.skip
}

func (d *DB) claimColumns() string {
	return `
SELECT (SELECT COUNT(*) FROM attempt ` + d.dialect.bySlot + ` WHERE slot IS NOT NULL AND waits = 0) AS running,
       j.running AS busy, j.parallel, coalesce(j.next_priority, 0) AS next_priority, EXISTS (SELECT 1 FROM lane) AS lanes, ` + hasInput + `, j.id AS job, j.name AS job_name, t.id, t.name, ` + specOfT + `, t.attempts, e.content`
}

func (row *claimRow) assignment(r Runner) (*Assignment, error) {
	spec, err := row.spec(row.Name)
	if err != nil {
		return nil, err
	}
	a := &Assignment{
		Job: row.JobName, Task: row.Name, Attempt: row.Attempts + 1, Token: newToken(),
		runner: r, taskID: row.ID, job: row.Job, Input: row.Input,
	}
	a.define(spec)
	if row.Content != nil {
		a.Env = decodeEnv(row.Content)
	}
	return a, nil
}

// newToken returns 128 random bits in hex.
func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
