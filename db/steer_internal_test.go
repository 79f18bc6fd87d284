package db

import (
	"context"
	"testing"

	"github.com/air-executor/air-executor/job"
)

// exercisePauses carries out the operations of pauses and of what is told to runners.
func exercisePauses(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	_, err := d.Enqueue(ctx, Batch{Job: "steered", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}, {ID: "b", Command: "true", Dependencies: []string{"a"}}})})
	must(err)
	a, err := d.Claim(ctx, Runner{}, 10, "steered")
	must(err)
	_, err = d.PauseJobs(ctx, []string{"steered"}, true)
	must(err)
	_, err = d.PauseAll(ctx, true)
	must(err)
	_, err = d.Asked(ctx, a)
	must(err)
	must(d.SetFrozen(ctx, a, true))
	must(d.SetFrozen(ctx, a, false))
	running, err := d.Signal(ctx, "steered", []string{"a"}, "SIGHUP")
	must(err)
	_, err = d.SignalsTaken(ctx, running[0])
	must(err)
	_, err = d.TakeSignals(ctx, a, "SIGHUP")
	must(err)
	_, err = d.Pauses(ctx)
	must(err)
	_, err = d.ResumeAll(ctx)
	must(err)
	_, err = d.ResumeJobs(ctx, []string{"steered"})
	must(err)
	_, err = d.Finish(ctx, a, job.Result{Status: job.Completed}, false)
	must(err)
	_, err = d.Retry(ctx, "steered", Retry{Which: Which{Tasks: []string{"a"}}, Completed: true, Downstream: true})
	must(err)
	_, err = d.Retry(ctx, "steered", Retry{Completed: true})
	must(err)
	a, err = d.Claim(ctx, Runner{}, 10, "steered")
	must(err)
	_, err = d.CancelTasks(ctx, "steered", []string{"a", "b"})
	must(err)
	_, _, err = d.TaskName(ctx, "steered", "a")
	must(err)
	must(d.EachTaskName(ctx, "steered", "a", func(TaskName) error { return nil }))
	_, err = d.Finish(ctx, a, job.Result{Status: job.Completed}, false)
	must(err)
}
