package dbtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (e suite) DependentsAreAllThatNeedATaskDirectlyOrNot(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c", "b", "a"), Task("d"), afterAny("e", "c"), Task("f", "d"))
	for want, ids := range map[string][]string{"[b c e]": {"b"}, "[a b c e]": {"a", "a"}, "[c a e b]": {"c", "a"}, "[d f]": {"d"}, "[]": nil} {
		got, err := s.Dependents(ctx, "j", ids)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("dependents of %q: %q, %v, want %s", ids, got, err, want)
		}
	}
	if _, err := s.Dependents(ctx, "j", []string{"x"}); !errors.Is(err, db.ErrNoTask) {
		t.Errorf("of what is not there: %v", err)
	}
	ids, err := s.Dependents(ctx, "j", []string{"b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RemoveTasks(ctx, "j", ids); err != nil {
		t.Fatal(err)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 1)
	s.Sound()
}
