package db

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// adder puts new tasks into a job, for Enqueue and Import. Dependencies may come in any
// order: one on a task that does not exist yet is stored by name, and linked when that
// task arrives.
type adder struct {
	t      *tx
	job    jobRow
	parent *parentTask // nil: queued by a user

	created  bool       // the job is new
	defaults []job.Spec // what tasks get that do not say it themselves, the first that says it counts

	count       int   // tasks stored
	first, last int64 // their rows
	next        int64 // the row of the next one; they are numbered here, so the numbers have no gaps
	aging       ageRank
	aged        bool  // a step has begun in which no task was queued
	lastLate    int64 // the step of the last one
	tally       job.Counts
	blocked     int
	dangling    bool // the job may have dependencies on tasks that do not exist
	missing     bool // this batch has added some
	conditional bool // it has stored a dependency that any end of a task satisfies
	unsettled   bool // the conditions are to be evaluated when all tasks are stored
	tied        bool // a dependency was linked after its task was stored: only that can close a cycle

	lastEnv   []string // the environment stored last,
	lastEnvID int64    // and its row

	recent map[string]taskState // recently stored tasks, by id
}

// manyRecent limits how many ids an adder keeps in memory. Most dependencies are on a
// task that was added shortly before.
const manyRecent = 10_000

// newAdder finds the job, or creates it in state waiting. The tasks are queued by the
// parent, or by a user if parent is nil.
func (t *tx) newAdder(name string, parent *parentTask) (*adder, error) {
	j, err := t.lockToQueue(name, parent)
	created := errors.Is(err, ErrNoJob)
	if created {
		j, err = t.newJob(name)
	}
	if err != nil {
		return nil, err
	}
	a := &adder{t: t, job: *j, parent: parent, created: created, recent: map[string]taskState{}}
	if a.dangling, err = t.anyDangling(); err != nil {
		return nil, err
	}
	return a, a.begins()
}

// newJob stores a job without tasks, and returns its row.
func (t *tx) newJob(name string) (*jobRow, error) {
	var id int64
	if _, err := t.get(&id, t.d.dialect.nextJob); err != nil {
		return nil, err
	}
	_, err := t.exec(`
INSERT INTO job (id, uuid, name, state, created_at, updated_at)
VALUES (?, ?, ?, 'waiting', ?, ?)
ON CONFLICT (name) DO NOTHING`, id, job.NewUUID(), name, t.now, t.now)
	if err != nil {
		return nil, err
	}
	j, err := t.lockJob(name)
	if err == nil {
		err = t.event(JobCreated, j.ID, 0, 0, job.StateWaiting)
	}
	return j, err
}

// hasDangling reports whether a job has dependencies on tasks that do not exist. It
// reads the dangling dependencies of all jobs.
func (t *tx) hasDangling(jobID int64) (bool, error) {
	var one int
	return t.get(&one, `
SELECT 1
FROM dependency d `+t.d.dialect.byMissing+`
JOIN task t ON t.id = d.task
WHERE d.missing IS NOT NULL
  AND t.job = ?
LIMIT 1`, jobID)
}

// anyDangling reports whether any job has dependencies on tasks that do not exist. It
// does not matter which job: tie looks for the name in the right one.
func (t *tx) anyDangling() (bool, error) {
	var one int
	return t.get(&one, `
SELECT 1
FROM dependency `+t.d.dialect.byMissing+`
WHERE missing IS NOT NULL
LIMIT 1`)
}

// queue stores a pending task and returns its id. A task that already exists is skipped
// if the batch says so, or if the same parent queued it before.
func (a *adder) queue(s job.Spec, ifAbsent bool) (string, error) {
	if err := s.Check(); err != nil {
		return "", err
	}
	if held, err := a.holder(s.Unique); held != "" || err != nil {
		return held, err
	}
	s.DefaultRetries(a.defaults...)
	if s.Retries <= 0 {
		s.Retry = job.Retry{} // which would say nothing
	}
	task := job.Task{Spec: s, Status: job.Pending}
	if s.ID == "" {
		return a.queueNumbered(task)
	}
	err := a.add(task)
	if !errors.Is(err, ErrDuplicate) || ifAbsent {
		return s.ID, ignore(err, ErrDuplicate)
	}
	mine, err := a.isChild(s.ID)
	if err == nil && !mine {
		err = fmt.Errorf("task %q %w in job %q", s.ID, ErrDuplicate, a.job.Name)
	}
	return s.ID, err
}

// ignore returns nil for this error, and err otherwise.
func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// queueNumbered gives the task the next free number as its id.
func (a *adder) queueNumbered(task job.Task) (string, error) {
	for {
		task.ID = strconv.FormatInt(a.job.Added+1, 10)
		err := a.add(task)
		if errors.Is(err, ErrCycle) { // a cycle of the task alone; to a user, there is no such task
			err = &Missing{Job: a.job.Name, Task: task.ID, By: task.ID}
		}
		if !errors.Is(err, ErrDuplicate) {
			return task.ID, err
		}
		a.job.Added++
	}
}

// isChild reports whether the parent of the batch, if it has one, has queued
// this task before.
func (a *adder) isChild(id string) (bool, error) {
	if a.parent == nil {
		return false, nil
	}
	var one int
	return a.t.get(&one, `SELECT 1 FROM task WHERE job = ? AND name = ? AND parent = ?`, a.job.ID, id, a.parent.ID)
}

// add stores a task in any status but running. It returns plain ErrDuplicate if the id
// is taken.
func (a *adder) add(task job.Task) error {
	id, err := a.insert(&task)
	if err == nil {
		err = a.t.needPools(a.job.ID, &task.Spec, task.Status)
	}
	if err != nil {
		return err
	}
	if a.count == 0 {
		a.first = id
	}
	a.last = id
	a.count++
	a.t.progress(a.count)
	a.job.Added++
	if err := a.attach(id, &task.Spec); err != nil {
		return err
	}
	blockers, err := a.depend(id, &task.Spec)
	if err != nil {
		return err
	}
	if due := a.t.dueAt(&task.Spec); task.Status == job.Pending && !due.IsZero() {
		if err := a.t.holdUntil(id, due); err != nil {
			return err
		}
		blockers++
	}
	if task.Status == job.Pending && len(task.Pools) > 0 {
		if err := a.t.holdForPools(id, nil, task.Pools); err != nil {
			return err
		}
		blockers++
	}
	if a.dangling {
		if err := a.tie(id, task.ID, task.Status); err != nil {
			return err
		}
	}
	if len(a.recent) >= manyRecent {
		clear(a.recent)
	}
	a.recent[task.ID] = taskState{id, task.Status}
	switch task.Status {
	case job.Pending:
		a.tally.Pending++
		if blockers > 0 {
			a.blocked++
		}
	case job.Completed:
		a.tally.Completed++
	case job.Failed:
		if task.Reason == job.Skipped {
			a.tally.Dismissed++
		} else {
			a.tally.Failed++
		}
	}
	return nil
}

// insert stores the row of a task, with as many blockers as it has dependencies.
func (a *adder) insert(task *job.Task) (int64, error) {
	values := append(make([]any, 0, 32), a.next, a.job.ID, task.ID)
	values, err := a.appendRanked(values, task)
	if err != nil {
		return 0, err
	}
	env, err := a.environment(task.Env)
	if err != nil {
		return 0, err
	}
	var parent, root *int64
	depth := 0
	if a.parent != nil {
		parent, root, depth = &a.parent.ID, &a.parent.Root, a.parent.Depth+1
	}
	created := a.t.now
	if !task.CreatedAt.IsZero() {
		created = task.CreatedAt.UnixMicro()
	}
	n, err := a.t.exec(`
INSERT INTO task (id, job, name, `+a.rankedColumns()+`,
                  environment, place, status, reason, blockers, parent, root, depth, attempts, tries,
                  exit_code, signal, error, created_at, started_at, completed_at, dismissed_at, extra)
VALUES (?, ?, ?, `+a.rankedMarks()+`, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (job, name) DO NOTHING`, append(values,
		env, a.place(task), task.Status, text(string(task.Reason)), len(task.Dependencies)+len(task.AfterAny), parent, root, depth, task.Attempts, min(task.Tries, max(0, task.Retries)+1),
		task.ExitCode, text(task.Signal), text(task.Error), created, instant(task.StartedAt), instant(task.CompletedAt), a.t.dismissedWith(task), text(string(task.Extra)),
	)...)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, ErrDuplicate
	}
	a.next++
	return a.next - 1, nil
}

// depend stores the dependencies of a new task and returns how many of them
// do not let go of it yet.
func (a *adder) depend(id int64, s *job.Spec) (int, error) {
	edges := edgesOf(s)
	blockers := len(edges)
	for i, e := range edges {
		dep, ok, err := a.find(e.needs)
		if own, is := a.own(e.needs); !ok && is && err == nil {
			e.needs = own
			dep, ok, err = a.find(own)
		}
		if err != nil {
			return 0, err
		}
		if !ok {
			linked, met, err := a.dependElsewhere(id, i, e)
			if err != nil {
				return 0, err
			}
			if met {
				blockers--
			}
			if linked {
				continue
			}
		}
		if ok && dep.ID == id {
			return 0, cycleError([]string{e.needs})
		}
		var need *int64
		missing := &e.needs
		if ok {
			need, missing = &dep.ID, nil
		}
		if !ok {
			a.dangling, a.missing = true, true
		}
		met, err := a.meets(e.condition, dep, ok)
		if err != nil {
			return 0, err
		}
		if met {
			blockers--
		}
		_, err = a.t.exec(`INSERT INTO dependency (task, position, needs, missing, condition, met) VALUES (?, ?, ?, ?, ?, ?)`,
			id, i, need, missing, e.condition, e.condition.stored(met))
		if err != nil {
			return 0, err
		}
	}
	if s.RunIf == job.RunOnFailure && blockers == 0 {
		a.unsettled = true
	}
	if blockers == len(edges) {
		return blockers, nil
	}
	_, err := a.t.exec(`UPDATE task SET blockers = holds + ? WHERE id = ?`, blockers, id)
	return blockers, err
}

// find returns the state of a task of the job.
func (a *adder) find(name string) (s taskState, ok bool, err error) {
	if s, ok = a.recent[name]; ok {
		return s, true, nil
	}
	return a.t.findTask(a.job.ID, name)
}

// tie links the dependencies that were waiting for this name to the new task.
func (a *adder) tie(id int64, name string, status job.Status) error {
	var waiting []int64
	// Not a join, which would start from all tasks of the job.
	err := a.t.all(&waiting, `
SELECT d.task
FROM dependency d
WHERE d.missing = ?
  AND (SELECT t.job FROM task t WHERE t.id = d.task) = ?`, name, a.job.ID)
	if err == nil {
		err = a.tieLinks(id, name)
	}
	if err != nil || len(waiting) == 0 {
		return err
	}
	a.tied = true
	for _, w := range waiting {
		_, err := a.t.exec(`UPDATE dependency SET needs = ?, missing = NULL WHERE task = ? AND missing = ?`, id, w, name)
		if err != nil {
			return err
		}
	}
	if conditional, err := a.t.conditional(a.job.ID); conditional || err != nil {
		a.unsettled = true
		return err
	}
	if status != job.Completed {
		return nil
	}
	var d delta
	err = a.t.unblock(id, &d)
	a.blocked += d.blocked
	return err
}

// requireAll returns ErrNoTask if a stored task depends on one that does not exist.
func (a *adder) requireAll() error {
	if !a.missing {
		return nil
	}
	var first struct{ Name, Missing string }
	// The rows of a batch are contiguous, and so are those of its dependencies.
	ok, err := a.t.get(&first, `
SELECT t.name, d.missing
FROM dependency d
JOIN task t ON t.id = d.task
WHERE d.task BETWEEN ? AND ?
  AND d.missing IS NOT NULL
ORDER BY d.task, d.position
LIMIT 1`, a.first, a.last)
	if err != nil || !ok {
		return err
	}
	return &Missing{Job: a.job.Name, Task: first.Missing, By: first.Name}
}

// requireAcyclic returns ErrCycle, naming the tasks, if the new tasks form one. That
// takes a dependency on a task that was added later.
func (a *adder) requireAcyclic() error {
	if !a.tied {
		return nil
	}
	index := map[int64]int{}
	var ids, needed []int64
	var edges [][]int
	own := map[int64]bool{} // that need others
	node := func(id int64) int {
		i, ok := index[id]
		if !ok {
			i = len(ids)
			index[id] = i
			ids = append(ids, id)
			edges = append(edges, nil)
		}
		return i
	}
	err := a.t.each(func(rows *sqlx.Rows) error {
		var task, needs int64
		if err := rows.Scan(&task, &needs); err != nil {
			return err
		}
		from, to := node(task), node(needs)
		edges[from] = append(edges[from], to)
		own[task], needed = true, append(needed, needs)
		return nil
	}, `
SELECT d.task, d.needs
FROM task t
JOIN dependency d ON d.task = t.id
WHERE t.job = ?
  AND d.needs IS NOT NULL`, a.job.ID)
	if err != nil {
		return err
	}
	if linked, err := a.t.isLinked(a.job.ID); err != nil || linked {
		if err != nil {
			return err
		}
		err = a.t.linkedEdges(slices.DeleteFunc(needed, func(id int64) bool { return own[id] }), func(id int64) bool { _, ok := index[id]; return ok }, func(from, to int64) {
			f, t := node(from), node(to)
			edges[f] = append(edges[f], t)
		})
		if err != nil {
			return err
		}
	}
	cycle := job.Cycle(len(ids), func(i int) []int { return edges[i] })
	if cycle == nil {
		return nil
	}
	names := make([]string, len(cycle))
	for i, n := range cycle {
		if names[i], err = a.t.nameFrom(a.job.ID, ids[n]); err != nil {
			return err
		}
	}
	return cycleError(names)
}

// tallyUp adds what was stored to the job's counters. A job that had ended and now has
// a ready task is waiting again; state, if not empty, overrides that.
func (a *adder) tallyUp(state job.State) error {
	d := delta{Counts: a.tally, blocked: a.blocked}
	if a.unsettled {
		var err error
		if d, err = a.t.reconsider(a.job.ID); err != nil {
			return err
		}
	}
	d.added, d.state, d.linked = &a.job.Added, state, a.tied || a.unsettled
	if err := a.tell(); err != nil {
		return err
	}
	_, err := a.t.updateJob(a.job.ID, d)
	return err
}

// tell writes the event of the tasks that were stored.
func (a *adder) tell() error {
	if a.count == 0 {
		return nil
	}
	return a.t.event(TasksAdded, a.job.ID, 0, 0, a.count, a.first, a.last)
}

// environment stores an environment unless it is stored already, and returns its row.
func (a *adder) environment(env []string) (*int64, error) {
	if env == nil {
		return nil, nil
	}
	if len(env) > 0 && len(env) == len(a.lastEnv) && &env[0] == &a.lastEnv[0] {
		return &a.lastEnvID, nil
	}
	content := encodeEnv(env)
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])
	const find = `SELECT id FROM environment WHERE digest = ?`
	var id int64
	found, err := a.t.get(&id, find, digest)
	if err != nil {
		return nil, err
	}
	if !found {
		_, err = a.t.exec(`
INSERT INTO environment (digest, content)
VALUES (?, ?)
ON CONFLICT (digest) DO NOTHING`, digest, content)
		if err == nil {
			_, err = a.t.get(&id, find, digest)
		}
		if err != nil {
			return nil, err
		}
	}
	a.lastEnv, a.lastEnvID = env, id
	return &id, nil
}

func encodeArgs(args []string) (string, error) {
	if len(args) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(args)
	return string(b), err
}
