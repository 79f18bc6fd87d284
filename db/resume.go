package db

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// Change is a task of the job that a batch defines again, before and after. Only
// pending and failed tasks are changed.
type Change struct {
	Status        job.Status
	Before, After job.Spec
}

// Resumed is the result of a Resume.
type Resumed struct {
	Changes []Change  // tasks of the batch that existed, in its order, including environments
	Added   []string  // tasks of the batch that did not exist
	Removed []Removed // tasks of an earlier batch that are not in this one
	Running []string  // such tasks that were kept because they are running
	Kept    []string  // pending and failed tasks that were not queued from a file
	// LastStep is the result of [DB.LastStep] at this instant.
	LastStep int64
}

// Resume makes all tasks of a job run that have not completed, as the batch defines
// them now: command, arguments, environment, limits, dependencies. Tasks from an
// earlier file that are not in this batch are removed, unless they have completed or
// are running. Failed tasks that were not queued from a file are reset.
//
// All of it is one commit. Errors, after which nothing has changed, are those of
// Enqueue, ErrNoJob, and ErrContradict: a completed task would depend on one that has
// not completed, or a remaining task on one that is removed.
func (d *DB) Resume(ctx context.Context, b Batch) (Resumed, error) {
	var out Resumed
	err := d.write(ctx, func(t *tx) error {
		parent, err := t.parent(&b)
		if err != nil {
			return err
		}
		if _, err := t.lockToRemove(b.Job); err != nil {
			return err
		}
		a, err := t.newAdder(b.Job, parent)
		if err != nil {
			return err
		}
		a.defaults = append(a.defaults, b.Defaults)
		if err := t.setRetryHolds(a.job.ID, b.RetryHolds); err != nil {
			return err
		}
		if err := a.set(b.Settings); err != nil {
			return err
		}
		r := resumer{t: t, job: &a.job, adder: a, batch: b, stored: map[string]*storedDef{}, given: map[string]bool{}, envs: map[int64][]string{}}
		if err = t.relabel(a.job.ID, 0, b.Labels); err == nil {
			err = r.resume()
		}
		out = r.out
		return err
	})
	return out, d.wakeAfter(err)
}

// storedDef is a task of the job as currently stored.
type storedDef struct {
	id          int64
	name        string
	status      job.Status
	environment *int64
	fromFile    bool
	parent      *int64
	spec        job.Spec
}

// resumer carries out one Resume.
type resumer struct {
	t      *tx
	job    *jobRow
	batch  Batch
	adder  *adder
	out    Resumed
	order  []*storedDef // oldest first
	stored map[string]*storedDef
	specs  []job.Spec
	given  map[string]bool // ids of specs
	envs   map[int64][]string
	unused []int64 // environments that tasks no longer use
}

func (r *resumer) resume() error {
	for _, step := range []func() error{
		r.readStored, r.readBatch, r.requireConsistent, r.drop, r.redefine, r.add, r.connect, r.resetOthers, r.recount,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	var err error
	if r.out.LastStep, err = r.t.lastStep(); err != nil {
		return err
	}
	_, err = r.t.forgetEnvironments(r.unused)
	return err
}

// readStored reads the tasks of the job with their dependencies.
func (r *resumer) readStored() error {
	var last *storedDef
	return r.t.each(func(rows *sqlx.Rows) error {
		var s storedDef
		var asked specRow
		var needs, cond *string
		err := rows.Scan(slices.Concat([]any{&s.id, &s.name, &s.status, &s.environment, &s.fromFile, &s.parent}, asked.into(), []any{&needs, &cond})...)
		if err != nil {
			return err
		}
		if last == nil || last.id != s.id {
			if s.spec, err = asked.spec(s.name); err != nil {
				return err
			}
			last = &s
			r.order = append(r.order, last)
			r.stored[s.name] = last
		}
		if needs != nil {
			need(&last.spec, *needs, condition(*cond))
		}
		return nil
	}, `
SELECT t.id, t.name, t.status, t.environment, t.from_file, t.parent,
       `+r.t.d.askedOfT()+`, coalesce(d.missing_job || ':' || n.name, n.name, d.missing), d.condition
FROM task t
LEFT JOIN dependency d ON d.task = t.id
LEFT JOIN task n ON n.id = d.needs
WHERE t.job = ?
ORDER BY t.id, d.position`, r.job.ID)
}

// readBatch reads the batch, and compares it with the stored tasks.
func (r *resumer) readBatch() error {
	for spec, err := range r.batch.Tasks {
		if err == nil {
			err = spec.Check()
		}
		if err != nil {
			return err
		}
		if err := r.adder.fill(&r.batch, &spec); err != nil {
			return err
		}
		spec.DefaultRetries(r.adder.defaults...)
		if spec.Retries = max(0, spec.Retries); spec.Retries == 0 {
			spec.Retry = job.Retry{}
		}
		r.specs = append(r.specs, spec)
		r.given[spec.ID] = true
		s := r.stored[spec.ID]
		if s == nil {
			r.out.Added = append(r.out.Added, spec.ID)
			continue
		}
		if s.environment != nil {
			if s.spec.Env, err = r.t.environmentOf(*s.environment, r.envs); err != nil {
				return err
			}
		}
		if s.spec.Labels, err = r.t.labelsOf(r.job.ID, s.id); err != nil {
			return err
		}
		r.out.Changes = append(r.out.Changes, Change{s.status, s.spec, spec})
	}
	if len(r.specs) == 0 {
		return ErrEmpty
	}
	return nil
}

// fixed reports whether a task cannot change because it has completed or is running.
func (s *storedDef) fixed() bool {
	return s != nil && (s.status == job.Completed || s.status == job.Running)
}

// requireConsistent returns ErrContradict if the batch contradicts a completed or
// running task.
func (r *resumer) requireConsistent() error {
	for _, spec := range r.specs {
		s := r.stored[spec.ID]
		if !s.fixed() {
			continue
		}
		for _, need := range spec.Dependencies {
			if id, own := r.adder.own(need); own && r.stored[need] == nil {
				need = id
			}
			if n := r.stored[need]; n == nil && slices.Contains(s.spec.Dependencies, need) {
				continue // of another job
			} else if n == nil || n.status != job.Completed {
				return fmt.Errorf("%w: task %q is %s, and now depends on %q, which is not completed", ErrContradict, spec.ID, s.status, need)
			}
		}
	}
	for _, s := range r.order {
		if r.given[s.name] && !s.fixed() || r.drops(s) {
			continue // its new dependencies are in the batch, or it is removed
		}
		for _, need := range s.spec.Dependencies {
			if n := r.stored[need]; n != nil && r.drops(n) {
				return fmt.Errorf("%w: task %q, which is left out now, is needed by %q", ErrContradict, need, s.name)
			}
		}
	}
	return nil
}

// drops reports whether a task is to be removed because it is no longer in its file.
func (r *resumer) drops(s *storedDef) bool {
	return s.fromFile && !r.given[s.name] && !s.fixed()
}

// drop removes tasks that are no longer in the file, and records those that stay
// because they are running.
func (r *resumer) drop() error {
	m := remover{t: r.t, job: r.job}
	for _, s := range r.order {
		switch {
		case r.given[s.name] || s.status == job.Completed:
		case r.drops(s):
			if err := m.name(s.name); err != nil {
				return err
			}
		case s.fromFile:
			r.out.Running = append(r.out.Running, s.name)
		case s.parent == nil && s.status != job.Running:
			r.out.Kept = append(r.out.Kept, s.name)
		}
	}
	// Tasks that depend on a dropped task by their old definition get a new one.
	for _, spec := range r.specs {
		if s := r.stored[spec.ID]; s != nil && !s.fixed() {
			if _, err := r.t.exec(`DELETE FROM dependency WHERE task = ?`, s.id); err != nil {
				return err
			}
			if err := r.t.forgetHolds(r.job.ID, s.name); err != nil {
				return err
			}
		}
	}
	err := m.remove()
	r.out.Removed = m.removed
	return err
}

// redefine changes the existing tasks that can still change to what the batch says, and
// makes them pending.
func (r *resumer) redefine() error {
	for _, spec := range r.specs {
		s := r.stored[spec.ID]
		if s == nil || s.fixed() {
			continue
		}
		asked, err := appendSpec(nil, &spec)
		if err != nil {
			return err
		}
		env, err := r.adder.environment(spec.Env)
		if err != nil {
			return err
		}
		if err := r.t.needPools(r.job.ID, &spec, job.Pending); err != nil {
			return err
		}
		query, args := r.t.toPending(`,`+r.t.d.specSet()+`,
    environment = ?,
    from_file = 1
WHERE id = ?`, append(asked, env, s.id)...)
		if _, err = r.t.exec(query, args...); err != nil {
			return err
		}
		if err := r.t.relabel(r.job.ID, s.id, spec.Labels); err != nil {
			return err
		}
		if err := r.t.holdForPools(s.id, s.spec.Pools, spec.Pools); err != nil {
			return err
		}
		if s.environment != nil && (env == nil || *env != *s.environment) && !slices.Contains(r.unused, *s.environment) {
			r.unused = append(r.unused, *s.environment)
		}
		if due := r.t.dueAt(&spec); !due.IsZero() {
			if err := r.t.holdUntil(s.id, due); err != nil {
				return err
			}
		}
	}
	return nil
}

// add stores the new tasks.
func (r *resumer) add() error {
	a := r.adder
	for _, spec := range r.specs {
		if r.stored[spec.ID] != nil {
			continue
		}
		if _, err := a.queue(spec, false); err != nil {
			return err
		}
	}
	if a.count == 0 {
		return nil
	}
	if err := a.t.countSubtasks(a.parent, a.count, r.batch); err != nil {
		return err
	}
	return a.markFromFile()
}

// connect stores the new dependencies of existing tasks.
func (r *resumer) connect() error {
	a := r.adder
	for _, spec := range r.specs {
		if s := r.stored[spec.ID]; s != nil && !s.fixed() {
			if _, err := a.depend(s.id, &spec); err != nil {
				return err
			}
		}
	}
	if a.count > 0 {
		if err := a.requireAll(); err != nil {
			return err
		}
	}
	a.tied = true // a dependency on an existing task may close a cycle as well
	return a.requireAcyclic()
}

// resetOthers resets the failed tasks that the batch does not mention.
func (r *resumer) resetOthers() error {
	for _, s := range r.order {
		if s.status == job.Failed && !r.given[s.name] && !r.drops(s) {
			query, args := r.t.toPending(`
WHERE id = ?`, s.id)
			if _, err := r.t.exec(query, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// recount counts the blockers and tasks of the job again, and updates its row.
func (r *resumer) recount() error {
	if err := r.tell(); err != nil {
		return err
	}
	d, err := r.t.reconsider(r.job.ID)
	if err != nil {
		return err
	}
	d.added, d.linked = &r.adder.job.Added, true
	return r.t.reopen(r.job, d)
}

// tell writes the events of what the batch has changed.
func (r *resumer) tell() error {
	changed := 0
	for _, s := range r.order {
		if !s.fixed() && !r.drops(s) {
			changed++
		}
	}
	if err := r.t.jobChanged(r.job.ID); err != nil {
		return err
	}
	if err := r.t.eventOf(TasksRemoved, r.job.ID, "", len(r.out.Removed)); err != nil {
		return err
	}
	if err := r.t.eventOf(TasksChanged, r.job.ID, "", changed); err != nil {
		return err
	}
	return r.adder.tell()
}
