package db

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
)

// A hook is a task of the job job.HooksJob. The commit that records an end stores it, so
// that no crash can lose it, and its id is made from what has ended, so that it cannot
// be stored twice.

// How the job of hooks is made. Somebody may change that later.
const (
	hooksParallel = 4    // one that hangs does not hold up the others
	hooksPriority = 1000 // they do not wait behind what was queued before
)

// How a hook is tried again: after 10 seconds, 40 seconds, and so on for an hour.
const (
	hookRetries = 5
	hookBackoff = 4
	hookTimeout = 10 * time.Minute
)

// hooksRow are the hooks that a task has, and those of all that have none.
type hooksRow struct {
	Task       *string `db:"task_hooks"`
	Everywhere *string
}

// jobEnd is a job that has ended by a transaction.
type jobEnd struct {
	id    int64
	state job.State
	hooks *string
	task  int64 // that has ended last; 0: it is not known
}

// dueHook is a hook that is to be stored.
type dueHook struct {
	name    string // job.OnEnd and so on
	command job.Hook
}

// hooksOf are the hooks in a column.
func hooksOf(s *string) job.Hooks { return job.DecodeHooks(fromText(s)) }

// errTell ends a transaction that needs the job of hooks, and has not locked it before
// the one whose task has ended: jobs are locked by ascending ids.
var errTell = errors.New("the job of hooks is to be locked first")

// writeEnd is writeResult for a transaction in which something may end. If that has a
// hook, fn is called a second time: then lockToEnd locks the job of hooks too.
func (d *DB) writeEnd(ctx context.Context, fn func(*tx) error) error {
	var last *tx
	err := d.writeResult(ctx, func(t *tx) error { return fn(t) })
	if errors.Is(err, errTell) {
		err = d.writeResult(ctx, func(t *tx) error {
			t.telling, last = true, t
			return fn(t)
		})
	}
	if last != nil {
		failpoint.Hit("hook.after_commit")
		if err == nil {
			d.Wake()
		}
	}
	return err
}

// lockToEnd locks a job in which something may end and, if there are hooks to be stored,
// the job of these.
func (t *tx) lockToEnd(jobID int64) error {
	if !t.telling {
		return t.lockJobs(jobID)
	}
	hooks, err := t.findJob(job.HooksJob)
	if errors.Is(err, ErrNoJob) {
		return t.lockJobs(jobID)
	}
	if err != nil {
		return err
	}
	return t.lockJobs(jobID, hooks.ID)
}

// lockJobToEnd is lockToEnd for a job's name.
func (t *tx) lockJobToEnd(name string) (*jobRow, error) {
	if t.telling {
		j, err := t.findJob(name)
		if err == nil {
			err = t.lockToEnd(j.ID)
		}
		return j, err
	}
	return t.lockJob(name)
}

// afterEnd stores the hooks of a task that has ended, and of its job if that has ended
// with it. Without any it only looks at what was read before.
func (t *tx) afterEnd(e ending, r job.Result) error {
	is := t.told
	if is.Task == nil && is.Everywhere == nil && !slices.ContainsFunc(t.ended, func(end jobEnd) bool { return end.hooks != nil }) {
		return nil
	}
	all := t.hooksOfAll(is.Everywhere)
	cancelled := false
	if r.Reason == job.Cancelled { // by somebody, or by the shutdown of the machine
		var err error
		if cancelled, err = t.get(new(int), `SELECT 1 FROM attempt WHERE id = ? AND cancel_at IS NOT NULL`, e.attempt); err != nil {
			return err
		}
	}
	due := dueHooks(hooksOf(is.Task).Over(all.Tasks), r.Status == job.Completed, cancelled)
	if len(due) > 0 {
		if err := t.tell(endedThing{of: "task", task: e.task, due: due}); err != nil {
			return err
		}
	}
	return t.afterJobEnds(all)
}

// afterCancel stores the hooks of a job that has ended because its last tasks were
// cancelled before they started.
func (t *tx) afterCancel() error {
	if t.ended == nil {
		return nil
	}
	return t.afterJobEnds(t.hooksOfAll(t.told.Everywhere))
}

// afterJobEnds stores the hooks of the jobs that have ended by this transaction: that of
// the task, and jobs that have waited for it.
func (t *tx) afterJobEnds(all job.AllHooks) error {
	for _, end := range t.ended {
		if err := t.afterJobEnd(all, end); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) afterJobEnd(all job.AllHooks, end jobEnd) error {
	task := end.task
	hooks := hooksOf(end.hooks).Over(all.Jobs)
	if hooks.IsZero() {
		return nil
	}
	cancelled := false
	if end.state == job.StateFailed {
		var worst struct {
			ID        int64
			Cancelled bool
		}
		if found, err := t.get(&worst, worstFailure, end.id); err != nil || !found {
			return err
		}
		task, cancelled = worst.ID, worst.Cancelled
	}
	due := dueHooks(hooks, end.state == job.StateCompleted, cancelled)
	if len(due) == 0 || task == 0 {
		return nil
	}
	return t.tell(endedThing{of: "job", task: task, due: due, state: end.state})
}

// worstFailure finds the failed task of a job that has ended last. One that somebody has
// cancelled is found only if there is no other.
const worstFailure = `
SELECT t.id, t.reason = 'cancelled' AND (a.id IS NULL OR a.cancel_at IS NOT NULL OR a.ended_at <> t.completed_at) AS cancelled
FROM task t
LEFT JOIN attempt a ON a.task = t.id AND a.number = t.attempts
WHERE t.job = ?
  AND t.status = 'failed'
  AND t.dismissed_at IS NULL
ORDER BY 2, t.completed_at DESC, t.id DESC
LIMIT 1`

// hooksOfAll are the hooks of tasks and jobs that have none themselves.
func (t *tx) hooksOfAll(setting *string) (all job.AllHooks) {
	if setting == nil || json.Unmarshal([]byte(*setting), &all) != nil {
		return job.AllHooks{}
	}
	return all
}

// dueHooks are the hooks that an end lets run. Somebody who has cancelled a task knows
// that it has failed.
func dueHooks(h job.Hooks, completed, cancelled bool) (due []dueHook) {
	add := func(name string, command job.Hook) {
		if len(command) > 0 {
			due = append(due, dueHook{name, command})
		}
	}
	switch {
	case completed:
		add(job.OnSuccess, h.OnSuccess)
	case !cancelled:
		add(job.OnFailure, h.OnFailure)
	}
	add(job.OnEnd, h.OnEnd)
	return due
}

// endedThing is what has ended, with the hooks that are to run.
type endedThing struct {
	of    string // "task" or "job"
	task  int64  // with a job, the one that says why
	due   []dueHook
	state job.State // of the job, if that has ended
}

// toldRow is what is told of a task that has ended, and its job.
type toldRow struct {
	Job, Task                                      string
	Status                                         job.Status
	Reason, Signal, Error, Token                   *string
	ExitCode                                       *int `db:"exit_code"`
	Attempts                                       int
	Command, Args                                  string
	Dir                                            *string
	CreatedAt                                      int64  `db:"created_at"`
	StartedAt                                      *int64 `db:"started_at"`
	CompletedAt                                    *int64 `db:"completed_at"`
	Pending, Running, Completed, Failed, Dismissed int
}

const selectTold = `
SELECT j.name AS job, t.name AS task, t.status, t.reason, t.signal, t.error, a.token, t.exit_code,
       t.attempts, t.command, t.args, t.dir, t.created_at, t.started_at, t.completed_at,
       j.pending, j.running, j.completed, j.failed, j.dismissed
FROM task t
JOIN job j ON j.id = t.job
LEFT JOIN attempt a ON a.task = t.id AND a.number = t.attempts
WHERE t.id = ?`

// tell stores a task for each hook that is due.
func (t *tx) tell(of endedThing) error {
	var is toldRow
	if found, err := t.get(&is, selectTold, of.task); err != nil || !found {
		return err
	}
	if is.Job == job.HooksJob {
		return nil
	}
	if !t.telling {
		return errTell
	}
	told, what, err := t.toldOf(of, &is)
	if err != nil {
		return err
	}
	a, err := t.hooksAdder()
	if err != nil {
		return err
	}
	for _, h := range of.due {
		told.Hook = h.name
		if err := a.addHook(h, told, h.name+"-"+what, of.task); err != nil {
			return err
		}
	}
	failpoint.Hit("hook.after_insert")
	return a.tallyUp("")
}

// toldOf is what hooks are told, and the part of their ids that names what has ended:
// a task by its attempt, and the token that tells it from a later task of that name, a
// job by the time.
func (t *tx) toldOf(of endedThing, is *toldRow) (told Told, what string, err error) {
	told = Told{
		Of: of.of, Job: is.Job, Task: is.Task, Status: string(is.Status), Reason: is.Reason, ExitCode: is.ExitCode, Signal: is.Signal, Error: is.Error,
		Attempt: is.Attempts, Command: is.Command, Dir: is.Dir, CreatedAt: job.FormatTime(time.UnixMicro(is.CreatedAt)), StartedAt: timeText(is.StartedAt), CompletedAt: timeText(is.CompletedAt),
	}
	if told.Args, err = decodeArgs(is.Args); err != nil {
		return told, "", err
	}
	if told.Args == nil {
		told.Args = []string{}
	}
	if of.of == "task" {
		sum := fromText(is.Token)
		what = "-" + strconv.Itoa(is.Attempts) + "-" + sum[:min(8, len(sum))]
		return told, shorten(is.Job+"-"+is.Task, what), nil
	}
	told.Status = string(of.state)
	told.Counts = &ToldCounts{is.Pending + is.Running + is.Completed + is.Failed + is.Dismissed, is.Pending, is.Running, is.Completed, is.Failed, is.Dismissed}
	at := time.UnixMicro(t.now).UTC()
	return told, shorten(is.Job, at.Format("-20060102T150405")+at.Format(".000000")[1:]), nil
}

func timeText(us *int64) *string {
	if us == nil {
		return nil
	}
	s := job.FormatTime(time.UnixMicro(*us))
	return &s
}

// shorten returns name and end, with as much of the name as an id has room for.
func shorten(name, end string) string {
	room := job.MaxIDBytes - len(end) - len(job.OnSuccess) - 1
	cut := 0
	for i, r := range name {
		if size := len(string(r)); i+size <= room {
			cut = i + size
		}
	}
	if job.CheckID(name[:cut]) != nil { // cut where it must not be
		return end[1:]
	}
	return name[:cut] + end
}

// hooksAdder adds to the job of hooks, which it makes if there is none.
func (t *tx) hooksAdder() (*adder, error) {
	a, err := t.newAdder(job.HooksJob, nil)
	if err != nil || !a.created {
		return a, err
	}
	return a, t.setJob(a.job.ID, JobChange{Parallel: new(hooksParallel), Priority: new(hooksPriority), RetryHolds: new(bool)})
}

// addHook stores a hook. It runs where the task has run, with its environment.
func (a *adder) addHook(h dueHook, told Told, id string, ended int64) error {
	row, stored := a.next, a.count
	_, err := a.queue(job.Spec{
		ID: id, Command: h.command[0], Args: slices.Clone(h.command[1:]), Dir: fromText(told.Dir), Timeout: hookTimeout,
		Retries: hookRetries, Retry: job.Retry{Backoff: hookBackoff},
	}, true)
	if err != nil || a.count == stored { // it cannot be there: the end is recorded once
		return err
	}
	_, err = a.t.exec(`UPDATE task SET environment = (SELECT t.environment FROM task t WHERE t.id = ?) WHERE id = ?`, ended, row)
	if err != nil {
		return err
	}
	input, err := json.Marshal(told)
	if err != nil {
		return err
	}
	return a.t.give(row, input, true)
}

// SetHooks stores the hooks of tasks and jobs that have none themselves.
func (d *DB) SetHooks(ctx context.Context, all job.AllHooks) error {
	value := ""
	if !all.Tasks.IsZero() || !all.Jobs.IsZero() {
		b, err := json.Marshal(all)
		if err != nil {
			return err
		}
		value = string(b)
	}
	var is *string
	err := d.read(ctx, func(t *tx) error {
		is = nil
		_, err := t.get(&is, `SELECT value FROM setting WHERE key = 'hooks'`)
		return err
	})
	if err != nil || fromText(is) == value {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		if value == "" {
			_, err := t.exec(`DELETE FROM setting WHERE key = 'hooks'`)
			return err
		}
		_, err := t.exec(`
INSERT INTO setting (key, value)
VALUES ('hooks', ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value`, value)
		return err
	})
}

// setHooks gives a job hooks, those that it has where these say nothing; or, with anew,
// nothing else.
func (t *tx) setHooks(jobID int64, h job.Hooks, anew bool) error {
	if h.IsZero() && !anew {
		return nil
	}
	if !anew {
		is, err := t.settings(jobID)
		if err != nil {
			return err
		}
		h = h.Over(is.Hooks)
	}
	_, err := t.exec(`UPDATE job SET hooks = ? WHERE id = ?`, text(job.EncodeHooks(h)), jobID)
	return err
}
