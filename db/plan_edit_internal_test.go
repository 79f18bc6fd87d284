package db

import (
	"context"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// exerciseEdits carries out what changes pending tasks.
func exerciseEdits(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	_, _, err := d.SetPool(ctx, "edits", 1, false)
	must(err)
	cmd := func(id string, needs ...string) job.Spec {
		return job.Spec{ID: id, Command: "true", Env: []string{"A=1"}, Dependencies: needs}
	}
	pooled := cmd("pooled")
	pooled.Pools = []string{"edits"}
	_, err = d.Enqueue(ctx, Batch{Job: "edited", Tasks: sequence([]job.Spec{cmd("a"), cmd("b", "a"), cmd("c"), pooled})})
	must(err)
	_, err = d.Move(ctx, "edited", Move{Tasks: []string{"c"}, Before: "a"})
	must(err)
	for _, last := range []bool{true, false} {
		_, err = d.Move(ctx, "edited", Move{Tasks: []string{"pooled", "b"}, Last: last})
		must(err)
	}
	_, err = d.Definitions(ctx, "edited", []string{"a"})
	must(err)
	edit := func(change func(*job.Spec)) {
		_, err := d.Edit(ctx, "edited", []string{"b", "c"}, func(s *job.Spec) error { change(s); return nil })
		must(err)
	}
	edit(func(s *job.Spec) { s.Env, s.Labels, s.Delay = []string{"A=2"}, []string{"k=v"}, time.Hour })
	edit(func(s *job.Spec) { s.Due, s.AfterAny, s.Dependencies = time.Time{}, []string{"a"}, nil })
	edit(func(s *job.Spec) { s.Unique, s.Pools = s.ID, []string{"edits"} })
	edit(func(s *job.Spec) { s.Unique, s.Pools = "", nil })
	for range 2 { // the first of both
		a, err := d.Claim(ctx, Runner{}, 10, "edited")
		must(err)
		_, err = d.Finish(ctx, a, job.Result{Status: job.Completed}, false)
		must(err)
	}
	moved := []job.Task{{Spec: cmd("a"), Status: job.Pending, Place: -1}}
	must(d.Import(ctx, job.Job{UUID: "v", Name: "paused", State: job.StateWaiting, Parallel: 2, PausedAt: time.Now()}, sequence(moved)))
	_, err = d.RemoveJobs(ctx, []string{"edited", "paused"})
	must(err)
	_, err = d.RemovePool(ctx, "edits", false)
	must(err)
}
