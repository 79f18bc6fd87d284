package db

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// jobColumns begins a query for a storedJob.
func (d *DB) jobColumns() string { return jobFields + d.since2(ofJob) + " AS labels\nFROM job" }

const jobFields = `
SELECT uuid, name, state, pending, running, completed, failed, dismissed, blocked,
       created_at, updated_at, retry_holds, parallel, priority, defaults, hooks, paused_at, extra`

// storedJob is a job as stored in its row.
type storedJob struct {
	UUID, Name                                   string
	State                                        job.State
	Pending, Running, Completed, Failed, Blocked int
	Dismissed                                    int
	CreatedAt                                    int64 `db:"created_at"`
	UpdatedAt                                    int64 `db:"updated_at"`
	settingsRow
	PausedAt *int64 `db:"paused_at"`
	Extra    *string
	Labels   *string
}

func (r *storedJob) job() job.Job {
	j := job.Job{
		UUID: r.UUID, Name: r.Name, State: r.State, Blocked: r.Blocked,
		Tasks:     job.Counts{Pending: r.Pending, Running: r.Running, Completed: r.Completed, Failed: r.Failed, Dismissed: r.Dismissed},
		CreatedAt: time.UnixMicro(r.CreatedAt).UTC(),
		UpdatedAt: time.UnixMicro(r.UpdatedAt).UTC(),
	}
	s := r.settings()
	j.Priority, j.Defaults, j.Hooks, j.PausedAt = s.Priority, s.Defaults, s.Hooks, fromInstant(r.PausedAt)
	if s.Parallel > 1 {
		j.Parallel = s.Parallel
	}
	if !s.RetryHolds {
		j.RetryHolds = new(bool)
	}
	if r.Extra != nil {
		j.Extra = []byte(*r.Extra)
	}
	j.Labels = splitLabels(r.Labels)
	return j
}

// Jobs returns all jobs, by name.
func (d *DB) Jobs(ctx context.Context) ([]job.Job, error) { return d.ListJobs(ctx, JobsQuery{}) }

// Job returns one job, or ErrNoJob.
func (d *DB) Job(ctx context.Context, name string) (job.Job, error) {
	var r storedJob
	err := d.read(ctx, func(t *tx) error {
		ok, err := t.get(&r, d.jobColumns()+`
WHERE name = ?`, name)
		if err == nil && !ok {
			err = noJob(name)
		}
		return err
	})
	return r.job(), err
}

// storedTask is a task as stored in its row. Its columns have the order of taskColumns.
type storedTask struct {
	ID   int64
	Name string
	specRow
	Status               job.Status
	Reason               *string
	Place                int64
	Attempts, Tries      int
	Due                  *int64
	ExitCode             *int
	Signal, Error        *string
	CreatedAt            int64
	StartedAt, Completed *int64
	DismissedAt          *int64
	Extra, Parent        *string
	Job                  string
	Needs                *string // a dependency; a task has a row for each
	NeedsStatus          *string
	NeedsReason          *string
	Condition            *string
	Met                  *int
	Labels, Unique       *string
	UniqueFor            *int64
}

// taskColumns begins a query for tasks; taskFields and taskTables are its parts,
// between which a list has a column more.
func (d *DB) taskColumns() string { return d.taskFields() + taskTables }

func (d *DB) taskFields() string {
	return `
SELECT t.id, t.name, ` + d.askedOfT() + taskFields + d.since2(ofTask, "t.unique_key", "t.unique_for")
}

const taskFields = `, t.status, t.reason, t.place, t.attempts, t.tries,
       CASE WHEN t.holds > 0 THEN (SELECT max(h.due) FROM hold h WHERE h.task = t.id) END AS due,
       t.exit_code, t.signal, t.error, t.created_at, t.started_at, t.completed_at, t.dismissed_at, t.extra,
       CASE WHEN p.job = t.job THEN p.name END AS parent, j.name AS job,
       coalesce(d.missing_job || ':' || n.name, n.name, d.missing) AS needs, n.status AS needs_status, n.reason AS needs_reason, d.condition, d.met`

const taskTables = `
FROM task t
JOIN job j ON j.id = t.job
LEFT JOIN task p ON p.id = t.parent
LEFT JOIN dependency d ON d.task = t.id
LEFT JOIN task n ON n.id = d.needs`

func (r *storedTask) scan(rows *sqlx.Rows, more ...any) error {
	return rows.Scan(slices.Concat([]any{&r.ID, &r.Name}, r.into(), []any{
		&r.Status, &r.Reason, &r.Place, &r.Attempts, &r.Tries, &r.Due,
		&r.ExitCode, &r.Signal, &r.Error, &r.CreatedAt, &r.StartedAt, &r.Completed, &r.DismissedAt, &r.Extra, &r.Parent, &r.Job,
		&r.Needs, &r.NeedsStatus, &r.NeedsReason, &r.Condition, &r.Met, &r.Labels, &r.Unique, &r.UniqueFor,
	}, more)...)
}

func (r *storedTask) task() (job.Task, error) {
	spec, err := r.spec(r.Name)
	t := job.Task{
		Spec: spec,
		Job:  r.Job, Status: r.Status, Reason: job.Reason(fromText(r.Reason)), Parent: fromText(r.Parent),
		Place: r.Place, Attempts: r.Attempts, Tries: r.Tries, ExitCode: r.ExitCode, Signal: fromText(r.Signal), Error: fromText(r.Error),
		CreatedAt: time.UnixMicro(r.CreatedAt).UTC(), StartedAt: fromInstant(r.StartedAt), CompletedAt: fromInstant(r.Completed),
		DismissedAt: fromInstant(r.DismissedAt),
	}
	t.Due = fromInstant(r.Due)
	if r.Extra != nil {
		t.Extra = []byte(*r.Extra)
	}
	t.Labels, t.Unique, t.UniqueFor = splitLabels(r.Labels), fromText(r.Unique), fromUniqueFor(r.UniqueFor)
	return t, err
}

// EachTask calls fn with every task of a job, oldest first, as of one instant.
// Environments are not read. It holds one task in memory at a time. fn must not use the
// database.
func (d *DB) EachTask(ctx context.Context, name string, fn func(job.Task) error) error {
	return d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		return t.eachTask(fn, d.taskColumns()+`
WHERE t.job = ?
ORDER BY t.id, d.position`, j.ID)
	})
}

// eachTask calls fn with each task that a query returns.
func (t *tx) eachTask(fn func(job.Task) error, query string, args ...any) error {
	return t.eachListed(func(l Listed) error { return fn(l.Task) }, query, args...)
}

// Tasks returns every task of a job, oldest first, or ErrNoJob.
func (d *DB) Tasks(ctx context.Context, name string) ([]job.Task, error) {
	var out []job.Task
	err := d.EachTask(ctx, name, func(t job.Task) error {
		out = append(out, t)
		return nil
	})
	return out, err
}

// Task returns one task, or ErrNoJob or ErrNoTask.
func (d *DB) Task(ctx context.Context, name, id string) (job.Task, error) {
	var out *job.Task
	err := d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		return t.eachTask(func(task job.Task) error {
			out = &task
			return nil
		}, d.taskColumns()+`
WHERE t.job = ?
  AND t.name = ?
ORDER BY t.id, d.position`, j.ID, id)
	})
	if err == nil && out == nil {
		err = noTask(name, id)
	}
	if err != nil {
		return job.Task{}, err
	}
	return *out, nil
}

// RunningTasks returns the running tasks of a job, or of all jobs if the name is empty,
// oldest first.
func (d *DB) RunningTasks(ctx context.Context, name string) ([]Active, error) {
	active, err := d.Active(ctx)
	if name == "" {
		return active, err
	}
	var out []Active
	for _, a := range active {
		if a.Job == name {
			out = append(out, a)
		}
	}
	return out, err
}

// Attempts returns the attempts of a task, or of all tasks of the job if the id is
// empty, oldest first. Errors: ErrNoJob, ErrNoTask.
func (d *DB) Attempts(ctx context.Context, name, id string) ([]job.Attempt, error) {
	var rows []struct {
		Task           string
		Number         int
		Status         job.Status
		Reason, Signal *string
		ExitCode       *int `db:"exit_code"`
		Error          *string
		StartedAt      int64  `db:"started_at"`
		EndedAt        *int64 `db:"ended_at"`
		PID            int
		UserTime       int64 `db:"user_time"`
		SystemTime     int64 `db:"system_time"`
		MaxRSS         int64 `db:"max_rss"`
	}
	err := d.read(ctx, func(t *tx) error {
		j, err := t.findJob(name)
		if err != nil {
			return err
		}
		if _, err := t.taskRow(name, j.ID, id); err != nil {
			return err
		}
		query, args := `
SELECT t.name AS task, a.number, a.status, a.reason, a.exit_code, a.signal, a.error,
       a.started_at, a.ended_at, a.pid, a.user_time, a.system_time, a.max_rss
FROM task t
JOIN attempt a ON a.task = t.id
WHERE t.job = ?`, []any{j.ID}
		if id != "" {
			query, args = query+"\n  AND t.name = ?", append(args, id)
		}
		return t.all(&rows, query+"\nORDER BY a.id", args...)
	})
	out := make([]job.Attempt, len(rows))
	for i, r := range rows {
		out[i] = job.Attempt{
			Job: name, Task: r.Task, Number: r.Number, Status: r.Status, Reason: job.Reason(fromText(r.Reason)),
			ExitCode: r.ExitCode, Signal: fromText(r.Signal), Error: fromText(r.Error),
			StartedAt: time.UnixMicro(r.StartedAt).UTC(), EndedAt: fromInstant(r.EndedAt), RunnerPID: r.PID,
			UserTime:   time.Duration(r.UserTime) * time.Microsecond,
			SystemTime: time.Duration(r.SystemTime) * time.Microsecond, MaxRSS: r.MaxRSS,
		}
	}
	return out, err
}

// Changes returns a number that differs from the one returned before if another process
// has changed the database in between. It may also differ if none has. The call is
// cheap.
func (d *DB) Changes(ctx context.Context) (int64, error) {
	c, done, err := d.engine.Begin(ctx, false)
	if err != nil {
		return 0, err
	}
	defer done(false)
	t := d.newTx(ctx, c)
	var n uint32 // each connection has its own counter
	err = d.patient(ctx, func() error {
		_, err := t.get(&n, d.dialect.changes)
		return err
	})
	return int64(c.Place)<<32 | int64(n), d.engine.Translate(err)
}
