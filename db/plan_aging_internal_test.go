package db

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// exerciseAging ranks tasks by their age, and no longer.
func exerciseAging(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	age := func(interval time.Duration) {
		t.Helper()
		for did := true; did; {
			var err error
			did, err = d.Age(ctx, interval, 5)
			must(err)
		}
	}
	age(time.Minute)
	_, err := d.Enqueue(ctx, Batch{Job: "aged", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}})})
	must(err)
	d.clock = func() time.Time { return time.Now().Add(time.Hour) }
	_, err = d.Enqueue(ctx, Batch{Job: "aged", Tasks: sequence([]job.Spec{{ID: "b", Command: "true"}, {ID: "c", Command: "true"}})})
	must(err)
	d.clock = time.Now
	for _, m := range []Move{{Tasks: []string{"b"}}, {Tasks: []string{"b"}, Last: true}, {Tasks: []string{"c"}, Before: "a"}} {
		_, err = d.Move(ctx, "aged", m)
		must(err)
	}
	age(time.Hour)
	age(0)
}

// What is done with tasks where nothing ages is what was done before there was aging.
func TestWithoutAgingNothingIsDoneForIt(t *testing.T) {
	d := opened(t)
	ctx := context.Background()
	must := requires(t)
	_, err := d.Age(ctx, 0, 5) // as a manager does at its start
	must(err)
	var said []string
	d.trace = func(_ *tx, query string, _ []any) {
		if strings.Contains(query, "aging") || strings.Contains(query, "late") {
			said = append(said, strings.Fields(query)[0]+" "+query[strings.LastIndex(query, "FROM"):])
		}
	}
	_, err = d.Enqueue(ctx, Batch{Job: "j", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}, {ID: "b", Command: "true"}})})
	must(err)
	for range 2 {
		a, err := d.Claim(ctx, Runner{}, 10, "")
		must(err)
		_, err = d.Finish(ctx, a, job.Result{Status: job.Failed, Reason: job.Exited}, false)
		must(err)
	}
	_, err = d.Reset(ctx, "j", Which{})
	must(err)
	// The number of the next task is asked for in any case.
	if want := []string{"SELECT FROM setting WHERE key = 'aging') AS aging"}; !slices.Equal(said, want) {
		t.Errorf("statements: %q, want %q", said, want)
	}
}
