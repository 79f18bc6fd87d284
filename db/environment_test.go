package db_test

import (
	"fmt"
	"testing"

	"github.com/air-executor/air-executor/job"
)

func TestEnvironmentsThatNoTaskHasAreRemoved(t *testing.T) {
	s := open(t)
	with := func(id string) job.Spec {
		spec := task(id)
		spec.Env = []string{"ID=" + id}
		return spec
	}
	for i := range 5 {
		s.MustEnqueue("j", with(fmt.Sprint("t", i)))
	}
	if n, err := s.RemoveUnusedEnvironments(ctx, 100); n != 0 || err != nil {
		t.Errorf("%d environments in use were removed, %v", n, err)
	}
	if _, err := raw(s).Exec(`UPDATE task SET environment = NULL WHERE name IN ('t0', 't1', 't4')`); err != nil {
		t.Fatal(err)
	}
	var steps []int64
	for range 4 { // two at a time, and round again
		n, err := s.RemoveUnusedEnvironments(ctx, 2)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, n)
	}
	if got := fmt.Sprint(steps); got != "[2 0 1 0]" {
		t.Errorf("the steps have removed %s, want [2 0 1 0]", got)
	}
	s.MustEnqueue("j", with("t0 again"))
	s.Sound()
}
