package queue

import (
	"context"

	"github.com/air-executor/air-executor/job"
)

// Outcome is how a job or task that was waited for has ended.
type Outcome struct {
	Name string    // of the job
	Task *job.Task // nil: the job was waited for
	Job  *job.Job  // nil: the task was waited for

	cancelled int
}

// OK reports whether all went well. For a job this means that nothing has failed, even
// if it was imported in state waiting, and that none of its tasks is unable to run.
func (o Outcome) OK() bool {
	if o.Job == nil {
		return o.Task != nil && o.Task.Status == job.Completed
	}
	return o.Job.State != job.StateFailed && o.Job.Blocked == 0
}

// OutcomeForm is the form of an Outcome. For a job, the task's keys are null, and
// for a task those of the job; for a job of a single command both are there.
type OutcomeForm struct {
	Job      string      `json:"job"`
	Task     *string     `json:"task"`
	State    *job.State  `json:"state"`
	Status   *job.Status `json:"status"`
	Reason   *job.Reason `json:"reason"`
	ExitCode *int        `json:"exit_code"` // of the command
	Signal   *string     `json:"signal"`
	Error    *string     `json:"error"`
	Counts   *CountsForm `json:"counts"`
}

// Form is the outcome as JSON.
func (o Outcome) Form() OutcomeForm {
	out := OutcomeForm{Job: o.Name}
	if t := o.Task; t != nil {
		out.Task, out.Status, out.Reason, out.ExitCode = &t.ID, &t.Status, OrNull(t.Reason), t.ExitCode
		out.Signal, out.Error = OrNull(t.Signal), OrNull(t.Error)
	}
	if j := o.Job; j != nil {
		counts := toCountsForm(*j, o.cancelled)
		out.State, out.Counts = &j.State, &counts
	}
	return out
}

// JobOutcome returns the outcome of a job that has ended. For the JSON form, it counts
// the cancelled tasks.
func (q *Queue) JobOutcome(ctx context.Context, j job.Job, form bool) (Outcome, error) {
	o := Outcome{Name: j.Name, Job: &j}
	if !form {
		return o, nil
	}
	cancelled, err := q.DB.Cancelled(ctx, j.Name)
	o.cancelled = cancelled[j.Name]
	return o, err
}

// Ended reports whether the job has nothing left to do. A job that was imported in
// state waiting may have nothing to wait for.
func Ended(j job.Job) bool { return j.State.Ended() || j.Tasks.Pending+j.Tasks.Running == 0 }

// Over reports whether the job has ended, or its pending tasks cannot run because they
// depend on dismissed failures. A job that waits for a task that does not exist yet is
// not over.
func (q *Queue) Over(ctx context.Context, j job.Job) (bool, error) {
	if Ended(j) || j.Tasks.Running > 0 || j.Tasks.Pending > j.Blocked {
		return Ended(j), nil
	}
	may, err := q.DB.MayGoOn(ctx, j.Name)
	return !may, err
}
