package api

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// What the commands do to jobs and tasks beside ending and resetting them.

// Forms of package queue.
type (
	Retried        = queue.RetryResult
	Dismissed      = queue.DismissResult
	Removed        = queue.RemoveResult
	Paused         = queue.PauseResult
	Resumed        = queue.ResumeResult
	Signalled      = queue.SignalResult
	EndedOtherwise = queue.EndedResult
	Rerun          = queue.RerunResult
	Moved          = queue.MoveResult
	Pruned         = queue.PruneForm
)

// cancelLabelled ends all jobs that have labels. It asks all first, and then waits.
func cancelLabelled(c *call) (answer, error) {
	var p CancelLabelledParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	if p.Label == nil {
		return answer{}, wrongParameter("label", "is missing")
	}
	labels, err := queue.LabelFilters(*p.Label)
	if err != nil {
		return answer{}, wrongParameter("label", err.Error())
	}
	names, err := c.api.queue.Labelled(c.Context(), labels)
	if err != nil {
		return answer{}, err
	}
	until := time.Now().Add(time.Duration(or(p.Wait, 0)) * time.Second)
	out := make([]Cancelled, len(names))
	for i, name := range names {
		if out[i], err = c.cancelWithin(name, "", 0); err != nil {
			return answer{}, err
		}
	}
	for i := range out {
		left := time.Until(until)
		if out[i].Running == 0 || left <= 0 {
			continue
		}
		before := out[i].Pending
		if out[i], err = c.cancelWithin(names[i], "", left); err != nil {
			return answer{}, err
		}
		out[i].Pending = before
	}
	return ok(out, nil)
}

func retryJob(c *call) (answer, error) {
	var p RetryJobParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	return ok(c.api.queue.Retry(c.Context(), c.PathValue("job"), db.Retry{
		Which: db.Which{Cancelled: or(p.Cancelled, false)}, Completed: or(p.Completed, false), Downstream: or(p.Downstream, false),
	}))
}

// retryTask makes one task pending again. If it has not ended, there is nothing to do.
func retryTask(c *call) (answer, error) {
	var p RetryTaskParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	t, err := c.taskNamed()
	if err != nil {
		return answer{}, err
	}
	if t.Status != job.Completed && t.Status != job.Failed {
		return ok(Retried{Job: t.Job}, nil)
	}
	r, err := c.api.queue.Retry(c.Context(), t.Job, db.Retry{Which: db.Which{Tasks: []string{t.ID}}, Completed: true, Downstream: or(p.Downstream, false)})
	return ok(r, contradiction(err))
}

// taskNamed is the task that the path names.
func (c *call) taskNamed() (job.Task, error) {
	name, id, err := c.taskName()
	if err != nil {
		return job.Task{}, err
	}
	t, err := c.api.queue.DB.Task(c.Context(), name, id)
	t.Job, t.ID = name, id
	return t, err
}

func dismissJob(c *call) (answer, error) {
	return ok(c.api.queue.Dismiss(c.Context(), c.PathValue("job"), nil))
}

// dismissTask acknowledges one failure. If there is none, there is nothing to do.
func dismissTask(c *call) (answer, error) {
	t, err := c.taskNamed()
	if err != nil {
		return answer{}, err
	}
	if t.Status != job.Failed {
		j, err := c.api.queue.DB.Job(c.Context(), t.Job)
		return ok(Dismissed{Job: t.Job, State: j.State}, err)
	}
	r, err := c.api.queue.Dismiss(c.Context(), t.Job, []string{t.ID})
	return ok(r, contradiction(err))
}

func removeJob(c *call) (answer, error) {
	name := c.PathValue("job")
	j, err := c.api.queue.DB.Job(c.Context(), name)
	if err != nil {
		return answer{}, err
	}
	done, err := c.api.queue.RemoveJobs(c.Context(), []string{name})
	if err = c.left(err); err == nil && len(done) == 0 {
		done = []Removed{{Job: name, Removed: j.Tasks.Total()}}
	}
	if err != nil {
		return answer{}, err
	}
	return ok(done[0], nil)
}

func removeTask(c *call) (answer, error) {
	var p RemoveTaskParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	name, id, err := c.taskName()
	if err != nil {
		return answer{}, err
	}
	ids := []string{id}
	if or(p.Cascade, false) {
		if ids, err = c.api.queue.DB.Dependents(c.Context(), name, ids); err != nil {
			return answer{}, err
		}
	}
	done, err := c.api.queue.RemoveTasks(c.Context(), name, ids)
	if err = c.left(err); err == nil && done.Job == "" {
		done = Removed{Job: name, Removed: len(ids)}
	}
	return ok(done, err)
}

// left notes files that could not be deleted. What was removed is removed.
func (c *call) left(err error) error {
	if left := (*queue.FilesLeft)(nil); errors.As(err, &left) {
		c.api.log.Warn("files of what was removed are left", "error", err)
		return nil
	}
	return err
}

func pauseJob(c *call) (answer, error) {
	var p PauseJobParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	return c.pause([]string{c.PathValue("job")}, or(p.Freeze, false))
}

func pauseAll(c *call) (answer, error) {
	var p PauseAllParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	return c.pause(nil, or(p.Freeze, false))
}

// pause pauses a job or, without a name, all.
func (c *call) pause(names []string, freeze bool) (answer, error) {
	done, err := c.wait()
	if err != nil {
		return answer{}, err
	}
	defer done()
	r, err := c.api.queue.PauseJobs(c.Context(), queue.PauseOptions{Jobs: names, Freeze: freeze})
	return one(r, err)
}

func resumeJob(c *call) (answer, error) { return c.resume([]string{c.PathValue("job")}) }

func resumeAll(c *call) (answer, error) { return c.resume(nil) }

func (c *call) resume(names []string) (answer, error) {
	done, err := c.wait()
	if err != nil {
		return answer{}, err
	}
	defer done()
	r, err := c.api.queue.ResumeJobs(c.Context(), queue.PauseOptions{Jobs: names})
	return one(r, err)
}

// one answers with the only element of a list.
func one[T any](list []T, err error) (answer, error) {
	if err != nil || len(list) != 1 {
		return answer{}, err
	}
	return ok(list[0], nil)
}

func killJob(c *call) (answer, error) {
	var p KillJobParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	return c.kill(c.PathValue("job"), nil, or(p.Signal, "TERM"))
}

func killTask(c *call) (answer, error) {
	var p KillTaskParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	t, err := c.taskNamed()
	if err != nil {
		return answer{}, err
	}
	if t.Status != job.Running {
		return answer{}, contradicts.errorf("task %q of job %q is %s, only running tasks get signals", t.ID, t.Job, t.Status)
	}
	return c.kill(t.Job, []string{t.ID}, or(p.Signal, "TERM"))
}

// kill sends a signal to tasks of a job or, if none is named, to all that run.
func (c *call) kill(name string, tasks []string, signal string) (answer, error) {
	signal = strings.ToUpper(signal)
	if n, err := strconv.Atoi(signal); err == nil {
		signal = unix.SignalName(unix.Signal(n))
	} else if !strings.HasPrefix(signal, "SIG") {
		signal = "SIG" + signal
	}
	if unix.SignalNum(signal) == 0 {
		return answer{}, wrongParameter("signal", "is no signal; an example: USR1")
	}
	done, err := c.wait()
	if err != nil {
		return answer{}, err
	}
	defer done()
	r, err := c.api.queue.Signal(c.Context(), name, tasks, signal, nil)
	return ok(r, contradiction(err))
}

func rerunJob(c *call) (answer, error) {
	var p RerunJobParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	name, as := c.PathValue("job"), or(p.As, "")
	if as != "" {
		if err := job.CheckNewName(as); err != nil {
			return answer{}, wrongParameter("as", err.Error())
		}
	}
	form := func(added any) any {
		a := added.(db.Added)
		return Rerun{Job: a.Job, Of: name, Added: a.Count}
	}
	return c.add(nil, form, func(ctx context.Context) error {
		_, err := c.api.queue.Rerun(ctx, name, as)
		return contradiction(err)
	})
}

func moveTask(c *call) (answer, error) {
	var p MoveTaskParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	name, id, err := c.taskName()
	if err != nil {
		return answer{}, err
	}
	m := db.Move{Tasks: []string{id}, Last: or(p.To, "") == "last"}
	if (p.To == nil) == (p.Before == nil) {
		return answer{}, wrongParameter("to", "or before is needed, and not both")
	}
	if p.Before != nil {
		of, before, err := c.api.queue.DB.TaskWithKey(c.Context(), *p.Before)
		if err == nil && of != name {
			err = wrongParameter("before", "is a task of another job")
		}
		if err != nil {
			return answer{}, err
		}
		m.Before = before
	}
	r, err := c.api.queue.Move(c.Context(), name, m)
	return ok(r, contradiction(err))
}

func prune(c *call) (answer, error) {
	var p PruneParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	o := queue.PruneOptions{Keep: p.Keep, KeepTasks: p.KeepTasks, Status: job.Status(or(p.Status, "")), Jobs: or(p.Job, nil), DryRun: or(p.DryRun, false), Now: time.Now()}
	if p.OlderThan != nil {
		age, err := job.ParseAge(*p.OlderThan)
		if err != nil {
			return answer{}, wrongParameter("older_than", err.Error())
		}
		o.OlderThan = &age
	}
	if o.OlderThan == nil && o.Keep == nil && o.KeepTasks == nil {
		return answer{}, wrongParameter("older_than", "or keep or keep_tasks is needed")
	}
	done, err := c.wait()
	if err != nil {
		return answer{}, err
	}
	defer done()
	r, err := c.api.queue.Prune(c.Context(), o)
	if bad := (*queue.BadPattern)(nil); errors.As(err, &bad) {
		err = wrongParameter("job", err.Error())
	}
	return ok(r, c.left(err))
}

// contradiction makes a conflict of what a guard of a change has said, which has no kind
// of its own.
func contradiction(err error) error {
	if err == nil || errors.As(err, new(*db.Answered)) || toProblem(err).kind.name != internal.name {
		return err
	}
	return contradicts.of(err)
}
