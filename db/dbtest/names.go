package dbtest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (e suite) NamesThatBeginAlike(t *testing.T) {
	ctx := context.Background()
	s := e.open(t)
	for _, name := range []string{"a_b", "ab", "ac", "b"} {
		s.MustEnqueue(name, Task("x%1"), Task("xy"), Task("y"))
	}
	for _, tt := range []struct {
		prefix string
		limit  int
		want   []string
	}{
		{"", 10, []string{"a_b", "ab", "ac", "b"}},
		{"a", 2, []string{"a_b", "ab"}},
		{"a_", 10, []string{"a_b"}}, // no pattern
		{"abc", 10, nil},
	} {
		got, err := s.JobNames(ctx, tt.prefix, tt.limit)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("jobs %q: %v, (-want +got):\n%s", tt.prefix, err, diff)
		}
	}
	got, err := s.TaskIDs(ctx, "ab", "x", 10)
	if diff := cmp.Diff([]string{"x%1", "xy"}, got); err != nil || diff != "" {
		t.Errorf("tasks: %v, (-want +got):\n%s", err, diff)
	}
	if got, err := s.TaskIDs(ctx, "none", "", 10); err != nil || got != nil {
		t.Errorf("tasks of no job: %v, %v", got, err)
	}
}
