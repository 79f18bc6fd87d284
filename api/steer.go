package api

import (
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// Reset says what a reset has done.
type Reset = queue.ResetResult

// Ending tasks, and making them pending again.

func cancelJob(c *call) (answer, error) {
	var p CancelJobParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	return c.cancel(c.PathValue("job"), "", or(p.Wait, 0))
}

func cancelTask(c *call) (answer, error) {
	var p CancelTaskParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	name, id, err := c.taskName()
	if err != nil {
		return answer{}, err
	}
	return c.cancel(name, id, or(p.Wait, 0))
}

// cancel ends a job or, if the id is not empty, a task of it.
func (c *call) cancel(name, id string, seconds int) (answer, error) {
	if seconds > 0 {
		done, err := c.wait()
		if err != nil {
			return answer{}, err
		}
		defer done()
	}
	return ok(c.cancelWithin(name, id, time.Duration(seconds)*time.Second))
}

func (c *call) cancelWithin(name, id string, most time.Duration) (Cancelled, error) {
	r, err := c.api.queue.CancelWithin(c.Context(), name, id, most)
	return Cancelled{Job: r.Job, Task: r.Task, Pending: r.Pending, Running: r.Running}, err
}

func resetJob(c *call) (answer, error) {
	var p ResetJobParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	return ok(c.api.queue.Reset(c.Context(), c.PathValue("job"), db.Which{Cancelled: or(p.Cancelled, false)}))
}

func resetTask(c *call) (answer, error) {
	name, id, err := c.taskName()
	if err != nil {
		return answer{}, err
	}
	return ok(c.api.queue.ResetTask(c.Context(), name, id))
}

// taskName returns the job and the id of the task that the path names.
func (c *call) taskName() (name, id string, err error) {
	key, err := c.number("key", noSuchTask)
	if err != nil {
		return "", "", err
	}
	name, id, err = c.api.queue.DB.TaskWithKey(c.Context(), key)
	return name, id, err
}
