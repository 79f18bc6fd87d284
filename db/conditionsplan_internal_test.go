package db

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
)

// exerciseConditions carries out what only jobs do whose tasks ask for other ends than
// success.
func exerciseConditions(t *testing.T, d *DB) {
	t.Helper()
	ctx := t.Context()
	must := requires(t)
	tasks := []job.Spec{
		{ID: "a", Command: "true"}, {ID: "b", Command: "true", Dependencies: []string{"a"}},
		{ID: "clean", Command: "true", Dependencies: []string{"b"}, RunIf: job.RunAlways},
		{ID: "alarm", Command: "true", Dependencies: []string{"clean"}, RunIf: job.RunOnFailure},
		{ID: "report", Command: "true", Dependencies: []string{"alarm"}},
	}
	_, err := d.Enqueue(ctx, Batch{Job: "conditional", Tasks: sequence(tasks)})
	must(err)
	for _, r := range []job.Result{{Status: job.Failed, Reason: job.Exited}, {Status: job.Completed}} {
		a, err := d.Claim(ctx, Runner{}, 100, "conditional")
		must(err)
		_, err = d.Finish(ctx, a, r, false)
		must(err)
	}
	_, err = d.Dependents(ctx, "conditional", []string{"a"})
	must(err)
	_, err = d.Rerun(ctx, "conditional", "")
	must(err)
	_, err = d.Reset(ctx, "conditional", Which{Tasks: []string{"a", "report"}})
	must(err)
	_, err = d.Enqueue(ctx, Batch{Job: "conditional", Tasks: sequence([]job.Spec{{ID: "late", Command: "true", Dependencies: []string{"alarm"}, AfterAny: []string{"b"}}})})
	must(err)
}

func TestConditionsAreFoundByTheIndexOfWhatIsNeeded(t *testing.T) {
	d := opened(t)
	exerciseConditions(t, d)
	found := 0
	for query := range only(t, d).Stmts {
		plan := explain(t, d, query)
		switch query {
		case meetOne:
			found++
			want := []string{"SEARCH dependency USING INDEX dependency_needs (needs=?)"}
			if diff := cmp.Diff(want, plan); diff != "" {
				t.Errorf("let go (-want +got):\n%s", diff)
			}
		case findDead:
			found++
			if !slices.Contains(plan, "SEARCH d USING INDEX dependency_needs (needs=?)") || slices.ContainsFunc(plan, scansTable) {
				t.Errorf("find what can never run: %q", plan)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d of 2 statements were prepared", found)
	}
}

// scansTable reports whether a step reads a whole table.
func scansTable(step string) bool { return step == "SCAN d" || step == "SCAN t" || step == "SCAN task" }
