package db

import (
	"context"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// exerciseHolds carries out what concerns times that hold tasks.
func exerciseHolds(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	var err error
	enqueue := func(b Batch, tasks ...job.Spec) {
		t.Helper()
		b.Tasks = sequence(tasks)
		_, err := d.Enqueue(ctx, b)
		must(err)
	}
	cmd := func(id string) job.Spec { return job.Spec{ID: id, Command: "true", Env: []string{"A=1"}} }
	claim := func(only string) *Assignment {
		t.Helper()
		a, err := d.Claim(ctx, Runner{}, 10, only)
		must(err)
		return a
	}
	soon := cmd("soon")
	soon.Delay = time.Microsecond
	later := cmd("later")
	later.Delay = time.Hour
	enqueue(Batch{Job: "timed", FromFile: true}, soon, later)
	_, err = d.Due(ctx)
	must(err)
	for n := 0; n == 0; { // the clock may not have gone on yet
		n, err = d.LetGo(ctx, 100)
		must(err)
	}
	_, err = d.Resume(ctx, Batch{Job: "timed", Tasks: sequence([]job.Spec{soon, later})})
	must(err)
	_, err = d.Cancel(ctx, "timed", "later")
	must(err)
	enqueue(Batch{Job: "timed"}, job.Spec{ID: "latest", Command: "true", Delay: time.Hour})
	_, err = d.Cancel(ctx, "timed", "")
	must(err)
	_, err = d.RemoveJobs(ctx, []string{"timed"})
	must(err)
	again := cmd("again")
	again.Retries = 1
	enqueue(Batch{Job: "retried", RetryHolds: new(true)}, again)
	for range 2 {
		_, err = d.Finish(ctx, claim("retried"), job.Result{Status: job.Failed, Reason: job.Exited}, false)
		must(err)
		_, err = d.Reset(ctx, "retried", Which{Tasks: []string{"again"}})
		must(err)
	}
	_, err = d.Finish(ctx, claim("retried"), job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: new(100)}, false)
	must(err)
}
