package queue

import (
	"context"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
)

// StatusQuery says what to show. The zero value shows all jobs, without tasks.
type StatusQuery struct {
	Job      string          // only this one, with its tasks; empty: all
	Task     string          // only this one of the job, with its attempts; empty: all
	Tasks    bool            // with tasks, even if neither job nor status is given
	Only     map[string]bool // only tasks of the job with these ids; nil: all
	Statuses []job.Status    // only tasks with one of these; none: any
	Order    db.Order        // of the list: of tasks, or of jobs if no tasks are listed
	Offset   int             // how many rows of the list to skip
	Limit    int             // how many rows of the list to show; 0: all
	First    int             // how many jobs to show if it is just jobs and there are more: those that one wants to see first; 0: all
	Sums     bool            // also sum up all jobs if only some of them are shown
	ForJSON  bool            // also read what only the JSON form has: jobs with a list of tasks, and how many were cancelled

	Labels []db.LabelFilter // only what has all of these; none: all
}

// Listing reports whether tasks are listed; else it is the jobs.
func (query *StatusQuery) Listing() bool {
	return query.Job != "" || query.Tasks || len(query.Statuses) > 0
}

// Status is the state of the queue, as of (almost) one moment.
type Status struct {
	Query StatusQuery
	Rows  int // how many rows the whole list has

	Manager *db.Instance // nil: none serves
	Trouble string       // why it starts nothing; empty: nothing is wrong
	Since   time.Time    // when that began
	Places  int          // how many tasks may run at once

	Totals db.Totals   // of all jobs, or of the selected one
	Jobs   []job.Job   // the jobs to show
	Tasks  []db.Listed // to show
	Active []db.Active // running attempts of all jobs
	Pauses db.Pauses   // of all jobs
	Pools  []db.Pool   // with who holds their places

	History   []job.Attempt // of the one task
	EnvNames  []string      // names of the variables that are stored with it
	EnvStored bool          // else it runs with the manager's environment

	queue     *Queue
	unsummed  bool           // Totals is not what all jobs have
	ready     bool           // a task could start, if unsummed
	cancelled map[string]int // by job
}

// Status reads what is to be shown. Errors: db.ErrNoJob, db.ErrNoTask.
func (q *Queue) Status(ctx context.Context, query StatusQuery) (*Status, error) {
	s, err := q.StatusHead(ctx, query)
	if err != nil {
		return nil, err
	}
	err = s.EachTask(ctx, func(l db.Listed) error {
		s.Tasks = append(s.Tasks, l)
		return nil
	})
	return s, err
}

// StatusHead is Status without the tasks, which may be many: EachTask reads them.
func (q *Queue) StatusHead(ctx context.Context, query StatusQuery) (*Status, error) {
	s := &Status{Query: query, Places: q.conf.MaxConcurrentRunners, queue: q}
	for _, read := range []func(context.Context) error{s.ReadManager, s.readJobs, s.readTask, s.readPools} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ReadManager reads again whether a manager serves, which does not show as a change of
// the database.
func (s *Status) ReadManager(ctx context.Context) error {
	s.Manager, s.Trouble = nil, ""
	h, on, err := manager.Serving(s.queue.conf.BasePath)
	if err != nil || !on {
		return err
	}
	s.Trouble, s.Since = h.Trouble, h.Since
	s.Manager, err = s.queue.DB.Manager(ctx)
	return err
}

// readPools reads who holds the places of pools.
func (s *Status) readPools(ctx context.Context) (err error) {
	s.Pools, err = s.queue.DB.Pools(ctx, false)
	return err
}

// readJobs reads the jobs to show, and the totals.
func (s *Status) readJobs(ctx context.Context) (err error) {
	d, q := s.queue.DB, s.Query
	switch {
	case q.Job != "":
		var j job.Job
		if j, err = d.Job(ctx, q.Job); err == nil {
			s.Jobs = []job.Job{j}
			s.Totals.Add(j)
		}
	case len(q.Labels) > 0:
		return s.readLabelled(ctx)
	case !q.Listing() && q.First > 0:
		return s.readFirst(ctx)
	case !q.Listing():
		s.Jobs, err = d.ListJobs(ctx, db.JobsQuery{Sort: q.Order, Limit: q.Limit, Offset: q.Offset})
		if err == nil && q.Limit > 0 && !q.Sums && !q.ForJSON {
			if s.Rows, err = d.CountJobs(ctx); err == nil {
				err = s.unsum(ctx)
			}
			return err
		}
	case q.ForJSON:
		s.Jobs, err = d.Jobs(ctx)
	}
	if err == nil && q.Job == "" {
		s.Totals, err = d.Totals(ctx)
	}
	if err == nil && q.ForJSON {
		s.cancelled, err = d.Cancelled(ctx, q.Job)
	}
	if err == nil {
		err = s.readBeside(ctx)
	}
	if s.Rows = s.Totals.Count(); q.Only != nil {
		s.Rows = len(q.Only)
	} else if q.Listing() {
		s.Rows = countTasks(s.Totals.Tasks, q.Statuses)
	}
	if len(q.Labels) > 0 && err == nil {
		s.Rows, err = s.countLabelled(ctx)
	}
	return err
}

// readBeside reads what is the same whichever jobs are shown.
func (s *Status) readBeside(ctx context.Context) (err error) {
	if s.Active, err = s.queue.DB.Active(ctx); err == nil {
		s.Pauses, err = s.queue.DB.Pauses(ctx)
	}
	return err
}

// readFirst is readJobs for those that one wants to see first.
func (s *Status) readFirst(ctx context.Context) (err error) {
	d := s.queue.DB
	if s.Jobs, s.Rows, err = d.Foremost(ctx, s.Query.First); err != nil {
		return err
	}
	if s.Rows > len(s.Jobs) && s.Query.Sums {
		if s.Totals, err = d.Totals(ctx); err == nil {
			err = s.readBeside(ctx)
		}
		return err
	}
	return s.unsum(ctx)
}

// unsum reads what is shown beside some of the jobs if not all are summed up.
func (s *Status) unsum(ctx context.Context) error {
	if s.Rows == len(s.Jobs) {
		for _, j := range s.Jobs {
			s.Totals.Add(j)
		}
	} else {
		n, err := s.queue.DB.Claimable(ctx, 1, "")
		if err != nil {
			return err
		}
		s.unsummed, s.ready = true, n > 0
	}
	return s.readBeside(ctx)
}

// readLabelled is readJobs for those with labels.
func (s *Status) readLabelled(ctx context.Context) (err error) {
	d, q := s.queue.DB, s.Query
	if s.Jobs, err = d.ListJobs(ctx, db.JobsQuery{Sort: q.Order, Labels: q.Labels}); err != nil {
		return err
	}
	for _, j := range s.Jobs {
		s.Totals.Add(j)
	}
	if err := s.readBeside(ctx); err != nil {
		return err
	}
	if q.ForJSON {
		if s.cancelled, err = d.Cancelled(ctx, ""); err != nil {
			return err
		}
	}
	if s.Rows = len(s.Jobs); q.Listing() {
		s.Rows, err = s.countLabelled(ctx)
	}
	switch {
	case q.Listing() && !q.ForJSON:
		s.Jobs = nil
	case !q.Listing():
		s.Jobs = s.Jobs[min(q.Offset, len(s.Jobs)):]
		if q.Limit > 0 {
			s.Jobs = s.Jobs[:min(q.Limit, len(s.Jobs))]
		}
	}
	return err
}

// countLabelled counts the tasks of the list, if not all are shown.
func (s *Status) countLabelled(ctx context.Context) (n int, err error) {
	q, only := s.tasksQuery(), s.Query.Only
	if q.Limit == 0 {
		return 0, nil
	}
	q.Limit, q.Offset = 0, 0
	err = s.queue.DB.ListTasks(ctx, q, func(l db.Listed) error {
		if only == nil || only[l.ID] {
			n++
		}
		return nil
	})
	return n, err
}

// readTask reads what is only shown for a single task.
func (s *Status) readTask(ctx context.Context) (err error) {
	q := s.Query
	if q.Task == "" {
		return nil
	}
	if s.History, err = s.queue.DB.Attempts(ctx, q.Job, q.Task); err != nil {
		return err
	}
	s.EnvNames, s.EnvStored, err = s.queue.DB.EnvNames(ctx, q.Job, q.Task)
	slices.Sort(s.EnvNames)
	return err
}

// EachTask calls fn with the tasks to list, if tasks are to be listed, as of one
// moment. It ends with the first error of fn. Errors: db.ErrNoJob, db.ErrNoTask.
func (s *Status) EachTask(ctx context.Context, fn func(db.Listed) error) error {
	q := s.Query
	if !q.Listing() {
		return nil
	}
	list := s.tasksQuery()
	if q.Only == nil {
		return s.queue.DB.ListTasks(ctx, list, fn)
	}
	list.Limit, list.Offset = 0, 0
	n := 0
	return s.queue.DB.ListTasks(ctx, list, func(l db.Listed) error {
		if !q.Only[l.ID] {
			return nil
		}
		if n++; n <= q.Offset || q.Limit > 0 && n > q.Offset+q.Limit {
			return nil
		}
		return fn(l)
	})
}

func (s *Status) tasksQuery() db.TasksQuery {
	q := s.Query
	return db.TasksQuery{
		Job: asked(q.Job), Task: asked(q.Task), Statuses: q.Statuses, Sort: q.Order, Limit: q.Limit, Offset: q.Offset, Labels: q.Labels,
	}
}

// asked returns a name for a query of the database; nil means any.
func asked(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}

// countTasks counts the tasks that have one of the statuses.
func countTasks(c job.Counts, statuses []job.Status) (n int) {
	if len(statuses) == 0 {
		return c.Total()
	}
	for _, s := range statuses {
		switch s {
		case job.Running:
			n += c.Running
		case job.Failed:
			n += c.Failed
		case job.Pending:
			n += c.Pending
		case job.Completed:
			n += c.Completed
		}
	}
	return n
}

// WaitsFor says why a pending task does not run.
type WaitsFor string

// The reasons. A reason that explains others comes first.
const (
	WaitsForTasks   WaitsFor = "dependencies" // other tasks must complete first
	WaitsForResume  WaitsFor = "resume"       // its job is paused, or all jobs are
	WaitsForTime    WaitsFor = "time"         // it is to start later
	WaitsForRetry   WaitsFor = "retry"        // it has failed, and is tried again later
	WaitsForManager WaitsFor = "manager"      // none serves
	WaitsForJob     WaitsFor = "job"          // as many tasks of its job run as may at once
	WaitsForPool    WaitsFor = "pool"         // the places that it needs in a pool are not free
	WaitsForPlace   WaitsFor = "place"        // max_concurrent_runners are running
	WaitsForTurn    WaitsFor = "turn"         // it is about to start, or other tasks of its job come first
)

// Waits says why a task does not run; nothing if it is not pending.
func (s *Status) Waits(l db.Listed) WaitsFor {
	switch {
	case l.Status != job.Pending:
		return ""
	case len(l.Blockers) > 0:
		return WaitsForTasks
	case !s.Pauses.Of(l.Job).IsZero():
		return WaitsForResume
	case !l.Due.IsZero() && l.Tries > 0:
		return WaitsForRetry
	case !l.Due.IsZero():
		return WaitsForTime
	case s.Manager == nil:
		return WaitsForManager
	case s.fullJob(l.Job):
		return WaitsForJob
	case s.Short(l) != nil:
		return WaitsForPool
	case len(s.Active) >= s.Places:
		return WaitsForPlace
	}
	return WaitsForTurn
}

// fullJob reports whether as many tasks of a job run as may at once.
func (s *Status) fullJob(name string) bool {
	running, parallel := 0, 1
	for _, a := range s.Active {
		if a.Job == name {
			running, parallel = running+1, a.Parallel
		}
	}
	return running >= parallel
}

// RunningTask returns a running task of a job, or "".
func (s *Status) RunningTask(name string) string {
	for _, a := range s.Active {
		if a.Job == name {
			return a.Task
		}
	}
	return ""
}

// FrozenAt is since when the processes of a running task are stopped; zero: they are
// not.
func (s *Status) FrozenAt(t job.Task) time.Time {
	if t.Status != job.Running {
		return time.Time{}
	}
	return s.Pauses.Frozen[db.FrozenTask{Job: t.Job, Task: t.ID}]
}

// Ready reports whether a task of the selected jobs could start.
func (s *Status) Ready() bool {
	if s.unsummed {
		return s.ready
	}
	return s.Totals.Tasks.Pending > s.Totals.Blocked
}

// Form returns the status as JSON, with the tasks that have been read.
func (s *Status) Form() StatusForm {
	out := StatusForm{Jobs: []JobForm{}, Tasks: []TaskForm{}}
	if m := s.Manager; m != nil {
		out.Manager = &ManagerForm{
			PID: m.PID, Host: m.Host, StartedAt: job.FormatTime(m.StartedAt), Stop: OrNull(string(m.Stop)), Trouble: OrNull(s.Trouble),
		}
	}
	out.PausedAt = instant(s.Pauses.All)
	for _, j := range s.Jobs {
		out.Jobs = append(out.Jobs, toJobForm(j, s.cancelled[j.Name], s.Pauses.Of(j.Name)))
	}
	for _, l := range s.Tasks {
		out.Tasks = append(out.Tasks, s.TaskForm(l))
	}
	return out
}

// TaskForm returns a task as JSON. A task that was selected by its id has all details.
func (s *Status) TaskForm(l db.Listed) TaskForm {
	base := s.queue.conf.BasePath
	t := toTaskForm(l, s.Waits(l), s.queue.conf.TaskTimeout, base)
	t.FrozenAt = instant(s.FrozenAt(l.Task))
	if s.Query.Task != "" {
		t.History = []AttemptForm{}
		for _, h := range s.History {
			t.History = append(t.History, toAttemptForm(h, t.Attempts, base))
		}
		if s.EnvStored {
			t.EnvNames = list(s.EnvNames)
		}
	}
	return t
}
