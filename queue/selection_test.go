package queue_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

func TestPatternsMatchIDs(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"page-*", "page-1", true},
		{"page-*", "page-", true},
		{"page-*", "pages", false},
		{"*", "", true},
		{"*", "a/b", true},
		{"*-1", "a-1-1", true},
		{"*-1", "a-1-2", false},
		{"a*b*c", "a1b2b3c", true},
		{"a*b*c", "a1b2b3", false},
		{"?", "ü", true},
		{"?", "", false},
		{"??", "a", false},
		{"[a-c]1", "b1", true},
		{"[a-c]1", "d1", false},
		{"[!a-c]1", "d1", true},
		{"[]x]", "]", true},
		{"[]x]", "x", true},
		{"[a-]", "-", true},
		{"a**", "a", true},
		{"", "a", false},
		{"*a", "ba", true},
		{"*ab", "aab", true},
	} {
		if got := queue.Match(c.pattern, c.text); got != c.want {
			t.Errorf("Match(%q, %q) is %t", c.pattern, c.text, got)
		}
	}
}

func TestASelectionNamesTasks(t *testing.T) {
	q := openQueue(t)
	ids := []string{"page-1", "page-2", "page-*", "odd[", "last"}
	for _, id := range ids {
		if _, err := q.Enqueue(t.Context(), dbtest.Specs(job.Spec{ID: id, Command: "true"}), queue.EnqueueOptions{Job: "j"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.DB.Cancel(t.Context(), "j", "page-2"); err != nil {
		t.Fatal(err)
	}
	pending := []job.Status{job.Pending}
	for _, c := range []struct {
		s    queue.Selection
		may  []job.Status
		want []string
	}{
		{queue.Selection{Tasks: []string{"page-?"}}, job.Statuses, []string{"page-*", "page-1", "page-2"}},
		{queue.Selection{Tasks: []string{"page-?"}}, pending, []string{"page-*", "page-1"}},
		{queue.Selection{Tasks: []string{"page-2"}}, pending, []string{"page-2"}},      // what is named is for the caller to refuse
		{queue.Selection{Tasks: []string{"page-*"}}, job.Statuses, []string{"page-*"}}, // the id
		{queue.Selection{Tasks: []string{"odd["}}, job.Statuses, []string{"odd["}},
		{queue.Selection{Tasks: []string{"last", "l*", "last"}}, job.Statuses, []string{"last"}},
		{queue.Selection{Statuses: []job.Status{job.Failed}}, job.Statuses, []string{"page-2"}},
		{queue.Selection{Tasks: []string{"p*"}, Statuses: []job.Status{job.Failed}}, job.Statuses, []string{"page-2"}},
		{queue.Selection{Statuses: []job.Status{job.Completed}}, job.Statuses, nil},
	} {
		got, err := q.Select(t.Context(), "j", c.s, c.may...)
		if err != nil {
			t.Errorf("%+v: %v", c.s, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.s, diff)
		}
	}
	for pattern, want := range map[string]error{"none-*": db.ErrNoTask, "none": db.ErrNoTask} {
		if _, err := q.Select(t.Context(), "j", queue.Selection{Tasks: []string{pattern}}, job.Statuses...); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", pattern, err, want)
		}
	}
	var bad *queue.BadPattern
	if _, err := q.Select(t.Context(), "j", queue.Selection{Tasks: []string{"page-["}}, job.Statuses...); !errors.As(err, &bad) {
		t.Errorf("page-[: %v, want BadPattern", err)
	}
	if _, err := q.Select(t.Context(), "nobody", queue.Selection{}, job.Statuses...); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("a job that is not there: %v", err)
	}
}
