package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
)

// exerciseLinks carries out what concerns dependencies on tasks of other jobs.
func exerciseLinks(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	enqueue := func(name string, missing bool, tasks ...job.Spec) {
		t.Helper()
		_, err := d.Enqueue(ctx, Batch{Job: name, Tasks: sequence(tasks), AllowMissing: missing})
		must(err)
	}
	cmd := func(id string, needs ...string) job.Spec {
		return job.Spec{ID: id, Command: "true", Dependencies: needs}
	}
	finish := func(name string, r job.Result) {
		t.Helper()
		a, err := d.Claim(ctx, Runner{}, 100, name)
		must(err)
		_, err = d.Finish(ctx, a, r, false)
		must(err)
	}
	enqueue("linking", true, cmd("z", "linked:y"), cmd("zz", "z"))
	enqueue("linked", false, cmd("x"), cmd("y", "x"), cmd("other"))
	enqueue("linking", false, cmd("more", "linked:y", "linked:other"))
	_, err := d.Links(ctx, "linking", 5)
	must(err)
	finish("linked", job.Result{Status: job.Failed, Reason: job.Exited})
	_, err = d.Reset(ctx, "linked", Which{})
	must(err)
	finish("linked", job.Result{Status: job.Completed})
	finish("linked", job.Result{Status: job.Completed})
	_, err = d.Retry(ctx, "linked", Retry{Which: Which{Tasks: []string{"y"}}, Completed: true, Downstream: true})
	must(err)
	_, err = d.Resume(ctx, Batch{Job: "linking", Tasks: sequence([]job.Spec{cmd("z", "linked:x", "linked:y"), cmd("more", "linked:y")})})
	must(err)
	if _, err = d.RemoveJobs(ctx, []string{"linked"}); err == nil {
		t.Fatal("a job was removed that another one needs")
	}
	_, err = d.RemoveJobs(ctx, []string{"linked", "linking"})
	must(err)
}

func TestLinksAreFoundByTheNameOfTheJobThatIsNeeded(t *testing.T) {
	d := opened(t)
	exerciseLinks(t, d)
	found := 0
	for query := range only(t, d).Stmts {
		want, ok := map[string]string{
			linksTo:     "SEARCH d USING INDEX dependency_link (missing_job=?)",
			linksToTask: "SEARCH d USING INDEX dependency_needs (needs=?)",
		}[query]
		if !ok {
			continue
		}
		found++
		if plan := explain(t, d, query); !slices.Contains(plan, want) {
			t.Errorf("links (-want +got):\n%s", cmp.Diff(want, plan))
		}
	}
	if found != 2 {
		t.Errorf("%d of 2 statements have looked for links", found)
	}
}

// plainRound returns the statements of an enqueue, a claim and a finish in job "plain".
func plainRound(t *testing.T, d *DB, id string) []string {
	t.Helper()
	must := requires(t)
	ctx := context.Background()
	var queries []string
	d.trace = func(_ *tx, query string, _ []any) { queries = append(queries, query) }
	defer func() { d.trace = nil }()
	tasks := []job.Spec{{ID: id, Command: "true"}, {ID: id + "b", Command: "true", Dependencies: []string{id}}}
	_, err := d.Enqueue(ctx, Batch{Job: "plain", Tasks: sequence(tasks)})
	must(err)
	for range tasks {
		a, err := d.Claim(ctx, Runner{}, 1000, "plain")
		must(err)
		_, err = d.Finish(ctx, a, job.Result{Status: job.Completed}, false)
		must(err)
	}
	return queries
}

func TestAJobWithoutLinksPaysNothingForThem(t *testing.T) {
	d := opened(t)
	must := requires(t)
	ctx := context.Background()
	plainRound(t, d, "first")
	alone := plainRound(t, d, "alone")
	cmd := func(id string, needs ...string) job.Spec {
		return job.Spec{ID: id, Command: "true", Dependencies: needs}
	}
	enqueue := func(name string, tasks ...job.Spec) {
		t.Helper()
		_, err := d.Enqueue(ctx, Batch{Job: name, Tasks: sequence(tasks)})
		must(err)
	}
	enqueue("a", cmd("x"))
	cost := map[int]int{}
	for n := range 21 {
		if n == 10 || n == 20 {
			count := 0
			d.trace = func(*tx, string, []any) { count++ }
			a, err := d.Claim(ctx, Runner{}, 1000, "a")
			must(err)
			_, err = d.Finish(ctx, a, job.Result{Status: job.Completed}, false)
			must(err)
			d.trace = nil
			cost[n] = count
			_, err = d.Retry(ctx, "a", Retry{Which: Which{Tasks: []string{"x"}}, Completed: true})
			must(err)
		}
		enqueue(fmt.Sprint("b", n), cmd("y", "a:x"))
	}
	if diff := cmp.Diff(alone, plainRound(t, d, "besides")); diff != "" {
		t.Errorf("statements beside jobs with links (-want +got):\n%s", diff)
	}
	for _, query := range alone {
		if strings.Contains(query, "missing_job") {
			t.Errorf("a job without links runs %s", query)
		}
	}
	t.Logf("a finish with 10 and 20 links: %d, %d statements", cost[10], cost[20])
	if each := (cost[20] - cost[10]) / 10; each > 9 {
		t.Errorf("each link costs %d statements", each)
	}
}
