package queue

import (
	"context"
	"fmt"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// SignalResult counts the tasks that got a signal, and lists what was faster.
type SignalResult struct {
	Job       string        `json:"job"`
	Signal    string        `json:"signal"`
	Signalled int           `json:"signalled"`       // running tasks
	Otherwise []EndedResult `json:"ended_otherwise"` // ran, and ended before the signal was sent
}

// Unheard is the error about tasks whose runners have not sent a signal within
// PatienceWithRunners. They may yet.
type Unheard struct{ Tasks []string }

// Error says how many.
func (e *Unheard) Error() string {
	if len(e.Tasks) == 1 {
		return fmt.Sprintf("the runner of task %q has not sent the signal yet", e.Tasks[0])
	}
	return fmt.Sprintf("the runners of %d tasks have not sent the signal yet", len(e.Tasks))
}

// Signal has the runners of running tasks of a job send a signal, such as SIGUSR1, to
// the process groups of their commands: of these tasks, or of all for none. It returns
// when that is done. Errors: db.ErrNoJob, db.ErrNoTask, or that a task does not run,
// and then nothing has changed; *Unheard.
func (q *Queue) Signal(ctx context.Context, name string, tasks []string, signal string, waiting func(db.Active)) (SignalResult, error) {
	out := SignalResult{Job: name, Signal: signal, Otherwise: []EndedResult{}}
	asked, err := q.DB.Signal(ctx, name, tasks, signal)
	if err != nil {
		return out, err
	}
	if err := q.heard(ctx, asked, waiting, q.DB.SignalsTaken); err != nil {
		return out, err
	}
	became, err := q.DB.Become(ctx, asked)
	if err != nil {
		return out, err
	}
	late := &Unheard{}
	for _, b := range became {
		is, err := q.DB.SignalsTaken(ctx, b.Active)
		switch {
		case err != nil:
			return out, err
		case is:
			out.Signalled++
		case b.Status == job.Running:
			late.Tasks = append(late.Tasks, b.Task)
		default:
			out.Otherwise = append(out.Otherwise, EndedResult{b.Task, b.Number, b.Status, OrNull(b.Reason), OrNull(b.Error)})
		}
	}
	if len(late.Tasks) > 0 {
		return out, late
	}
	return out, nil
}
