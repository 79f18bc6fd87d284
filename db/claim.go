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

// Runner is the process that claims and carries out an attempt, as its row
// names it.
type Runner struct {
	Lock     int64  // number of its kernel lock
	PID      int    // and its start in clock ticks since boot, to know it from
	PIDStart int64  // a later process with the same PID
	Host     string // name of the machine
	BootID   string // of this start of the machine
	Manager  string // instance that sent it
}

// Assignment is a claimed task with all that its runner needs to know.
type Assignment struct {
	Job     string
	Task    string // id
	Attempt int    // number, from 1
	Token   string // proves that an update comes from this attempt
	Command string
	Args    []string
	Dir     string        // empty: the folder that holds the base path
	Env     []string      // nil: the environment of the manager
	Timeout time.Duration // 0: the configured default

	runner                 Runner
	attemptID, taskID, job int64
}

// Claim gives the runner the best ready task: of the jobs in which nothing
// runs, the one whose first task has the highest priority, and of those the
// oldest. With only, it looks at the job of that name alone. The task is
// running when Claim returns: claim and start-intent are one durable commit,
// and from here on the task may have been started. Claim returns nil if there
// is no such task or if max attempts run already.
func (d *DB) Claim(ctx context.Context, r Runner, max int, only string) (*Assignment, error) {
	var a *Assignment
	err := d.write(ctx, func(t *tx) error {
		a = nil
		var jobID int64
		if only != "" {
			j, err := t.jobRow(only)
			if err != nil {
				return err
			}
			jobID = j.ID
		}
		row, err := t.best(jobID)
		if err != nil || row == nil || row.Running >= max {
			return err
		}
		a, err = t.claim(r, row)
		failpoint.Hit("claim.before_commit")
		return err
	})
	if a != nil {
		failpoint.Hit("claim.after_commit")
	}
	return a, err
}

// Claimable returns how many jobs have a task that could be claimed now, and
// counts at most n. With only, it looks at the job of that name alone.
func (d *DB) Claimable(ctx context.Context, n int, only string) (int, error) {
	var jobs int
	err := d.read(ctx, func(t *tx) error {
		_, err := t.get(&jobs, `
SELECT COUNT(*)
FROM (
    SELECT 1
    FROM job `+d.dialect.byClaimable+`
    WHERE next_task IS NOT NULL
      AND running = 0
      AND (? = '' OR name = ?)
    LIMIT ?) AS claimable`, only, only, n)
		return err
	})
	return jobs, err
}

// claimRow is a task on its way to a runner.
type claimRow struct {
	Running  int // attempts under way, of all jobs, but for those that wait for others
	Job      int64
	JobName  string `db:"job_name"`
	ID       int64
	Name     string
	Command  string
	Args     string
	Dir      *string
	Timeout  *int64
	Attempts int
	Content  []byte // environment
}

// claim makes the task of the row running, by an attempt of this runner.
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
	_, err = t.get(&a.attemptID, insertAttempt,
		a.taskID, a.job, a.Attempt, a.Token, r.Manager, r.Host, r.BootID, r.Lock, r.PID, r.PIDStart, t.now)
	if err != nil {
		return nil, err
	}
	_, err = t.updateJob(a.job, delta{Counts: job.Counts{Pending: -1, Running: 1}})
	return a, err
}

const startTask = `
UPDATE task
SET status = 'running',
    attempts = attempts + 1,
    started_at = ?,
    completed_at = NULL,
    exit_code = NULL,
    signal = NULL,
    error = NULL
WHERE id = ?
  AND status = 'pending'
  AND blockers = 0`

const insertAttempt = `
INSERT INTO attempt (task, job, number, slot, status, token, manager, host, boot_id, runner, pid, pid_start, started_at)
VALUES (?, ?, ?, 0, 'running', ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id`

// best finds the task to claim, of all jobs or of one, through an index that
// leads straight to it; nil if there is none.
func (t *tx) best(jobID int64) (*claimRow, error) {
	var row claimRow
	var ok bool
	var err error
	if jobID != 0 {
		ok, err = t.get(&row, t.d.bestOfJob(), jobID)
	} else {
		ok, err = t.get(&row, t.d.bestOfAll())
	}
	if err != nil || !ok {
		return nil, err
	}
	return &row, nil
}

func (d *DB) bestOfJob() string {
	return d.claimColumns() + `
FROM job j
JOIN task t ON t.id = j.next_task
LEFT JOIN environment e ON e.id = t.environment
WHERE j.id = ?
  AND j.running = 0`
}

func (d *DB) bestOfAll() string {
	return d.claimColumns() + `
FROM job j ` + d.dialect.byClaimable + `
JOIN task t ON t.id = j.next_task
LEFT JOIN environment e ON e.id = t.environment
WHERE j.next_task IS NOT NULL
  AND j.running = 0
ORDER BY j.next_priority DESC, j.next_task
LIMIT 1` + d.dialect.skip
}

func (d *DB) claimColumns() string {
	return `
SELECT (SELECT COUNT(*) FROM attempt ` + d.dialect.bySlot + ` WHERE slot IS NOT NULL AND waits = 0) AS running,
       j.id AS job, j.name AS job_name, t.id, t.name, t.command, t.args, t.dir, t.timeout, t.attempts, e.content`
}

func (row *claimRow) assignment(r Runner) (*Assignment, error) {
	args, err := decodeArgs(row.Args)
	if err != nil {
		return nil, err
	}
	a := &Assignment{
		Job: row.JobName, Task: row.Name, Attempt: row.Attempts + 1, Token: newToken(),
		Command: row.Command, Args: args, Dir: fromText(row.Dir),
		runner: r, taskID: row.ID, job: row.Job,
	}
	if row.Content != nil {
		a.Env = decodeEnv(row.Content)
	}
	if row.Timeout != nil {
		a.Timeout = time.Duration(*row.Timeout) * time.Microsecond
	}
	return a, nil
}

// newToken returns 128 random bits in hex.
func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
