package dbtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// ended returns the entries of the history, as in "done/a#1 completed".
func (s *Store) ended(q db.HistoryQuery) (out []string) {
	s.T.Helper()
	err := s.History(ctx, q, func(e db.Ended) error {
		out = append(out, fmt.Sprintf("%s/%s#%d %s", e.Job, e.Task, e.Number, e.Status))
		return nil
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return out
}

// lived is a database with a history: two that end in another order than they
// began, a failure and its second try, one that was cancelled before it started,
// one that was so after a reset, and an imported one.
func (e suite) lived(t *testing.T) *Store {
	t.Helper()
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: Ticking(time.Date(2025, 10, 2, 10, 30, 0, 0, time.UTC))})
	s.MustImport("old", ACompleted("a"))
	s.MustEnqueue("one", Task("slow"))
	s.MustEnqueue("two", Task("quick"), Task("again"), Task("never"))
	slow, quick := s.MustClaim("one"), s.MustClaim("two")
	s.MustFinish(quick, Success)
	s.MustFinish(slow, Success)
	s.MustFinish(s.MustClaim("two"), Failure)
	s.MustReset("two", "again")
	s.MustCancel("two", "never")
	s.MustFinish(s.MustClaim("two"), Success)
	s.MustEnqueue("three", Task("x"))
	s.MustFinish(s.MustClaim("three"), Failure)
	s.MustReset("three", "x")
	s.MustCancel("three", "x")
	s.MustEnqueue("one", Task("runs"))
	s.MustClaim("one")
	return s
}

var wholeHistory = []string{
	"three/x#0 failed", "three/x#1 failed", "two/again#2 completed", "two/never#0 failed",
	"two/again#1 failed", "one/slow#1 completed", "two/quick#1 completed", "old/a#0 completed",
}

func (e suite) TheHistoryIsWhatHasEndedNewestFirst(t *testing.T) {
	s := e.lived(t)
	if diff := cmp.Diff(wholeHistory, s.ended(db.HistoryQuery{})); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	for n := 1; n <= len(wholeHistory); n++ {
		if diff := cmp.Diff(wholeHistory[:n], s.ended(db.HistoryQuery{Limit: n})); diff != "" {
			t.Errorf("the first %d (-want +got):\n%s", n, diff)
		}
	}
}

func (e suite) TheHistoryIsReadInPages(t *testing.T) {
	s := e.lived(t)
	if _, err := s.sql().Exec(`UPDATE task SET completed_at = (SELECT max(completed_at) FROM task) WHERE completed_at IS NOT NULL AND name IN ('never', 'a')`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sql().Exec(`UPDATE attempt SET ended_at = (SELECT max(completed_at) FROM task) WHERE ended_at IS NOT NULL AND job <> (SELECT id FROM job WHERE name = 'three')`); err != nil {
		t.Fatal(err)
	}
	all := s.ended(db.HistoryQuery{})
	if len(all) != len(wholeHistory) {
		t.Fatalf("all: %q", all)
	}
	var got []string
	q := db.HistoryQuery{Limit: 2}
	for more := true; more && len(got) <= len(all); {
		more = false
		err := s.History(ctx, q, func(e db.Ended) error {
			got, q.After, more = append(got, fmt.Sprintf("%s/%s#%d %s", e.Job, e.Task, e.Number, e.Status)), e.Place(), true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("page after page, all of one instant (-whole +pages):\n%s", diff)
	}
}

func (e suite) OnlyTheHistoryThatIsAskedForIsListed(t *testing.T) {
	s := e.lived(t)
	_, err := s.sql().Exec(`
INSERT INTO label (job, task, key, value)
SELECT t.job, CASE WHEN t.name = 'x' THEN t.id ELSE 0 END, 'team', CASE WHEN t.name = 'x' THEN 'a' ELSE 'b' END
FROM task t WHERE t.name IN ('x', 'slow')`)
	if err != nil {
		t.Fatal(err)
	}
	var slow time.Time
	err = s.History(ctx, db.HistoryQuery{}, func(e db.Ended) error {
		if e.Task == "slow" {
			slow = e.EndedAt
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	failed := []string{"three/x#0 failed", "three/x#1 failed", "two/never#0 failed", "two/again#1 failed"}
	for _, c := range []struct {
		name  string
		query db.HistoryQuery
		want  []string
	}{
		{"failed", db.HistoryQuery{Failed: true}, failed},
		{"completed", db.HistoryQuery{Completed: true}, []string{"two/again#2 completed", "one/slow#1 completed", "two/quick#1 completed", "old/a#0 completed"}},
		{"cancelled", db.HistoryQuery{Reason: job.Cancelled}, []string{"three/x#0 failed", "two/never#0 failed"}},
		{"exited", db.HistoryQuery{Reason: job.Exited}, []string{"three/x#1 failed", "two/again#1 failed"}},
		{"of a job", db.HistoryQuery{Job: func(n string) bool { return n == "one" }}, []string{"one/slow#1 completed"}},
		{"of some jobs", db.HistoryQuery{Job: func(n string) bool { return strings.HasPrefix(n, "t") }, Failed: true}, failed},
		{"of no job", db.HistoryQuery{Job: func(string) bool { return false }}, nil},
		{"since", db.HistoryQuery{Since: slow}, wholeHistory[:6]},
		{"until", db.HistoryQuery{Until: slow}, wholeHistory[6:]},
		{"with a label of a task", db.HistoryQuery{Labels: []db.LabelFilter{{Key: "team", Value: new("a")}}}, []string{"three/x#0 failed", "three/x#1 failed"}},
		{"with a label of a job", db.HistoryQuery{Labels: []db.LabelFilter{{Key: "team", Value: new("b")}}}, []string{"one/slow#1 completed"}},
		{"with a label of any value", db.HistoryQuery{Labels: []db.LabelFilter{{Key: "team"}}}, []string{"three/x#0 failed", "three/x#1 failed", "one/slow#1 completed"}},
		{"with another label", db.HistoryQuery{Labels: []db.LabelFilter{{Key: "team", Value: new("c")}}}, nil},
	} {
		if diff := cmp.Diff(c.want, s.ended(c.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func (e suite) EndedJobsAreListedNewestFirst(t *testing.T) {
	s := e.lived(t)
	names := func(q db.HistoryQuery) (out []string) {
		jobs, err := s.HistoryJobs(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			out = append(out, j.Name+" "+string(j.State))
		}
		return out
	}
	for _, c := range []struct {
		name  string
		query db.HistoryQuery
		want  []string
	}{
		{"all", db.HistoryQuery{}, []string{"three failed", "two failed", "old completed"}},
		{"one", db.HistoryQuery{Limit: 1}, []string{"three failed"}},
		{"by name", db.HistoryQuery{Job: func(n string) bool { return n == "two" }, Limit: 1}, []string{"two failed"}},
		{"completed", db.HistoryQuery{Completed: true}, []string{"old completed"}},
		{"failed", db.HistoryQuery{Failed: true, Until: time.Date(2025, 10, 2, 10, 30, 0, 0, time.UTC)}, nil},
	} {
		if diff := cmp.Diff(c.want, names(c.query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func (e suite) FiguresAreOfAttemptsThatHaveEnded(t *testing.T) {
	s := e.lived(t)
	var got []string
	err := s.Figures(ctx, db.HistoryQuery{Job: func(n string) bool { return n != "one" }}, func(f db.Figure) {
		if f.Waited <= 0 || f.Took <= 0 || f.EndedAt.IsZero() {
			t.Errorf("%+v", f)
		}
		got = append(got, fmt.Sprintf("%s %s %s %t", f.Job, f.Command, f.Status, f.First))
	})
	want := []string{"two true completed true", "two true failed true", "two true completed false", "three true failed true"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
