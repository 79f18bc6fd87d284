package dbtest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// mustEdit changes tasks of job j.
func (s *Store) mustEdit(change func(*job.Spec), ids ...string) []db.Change {
	s.T.Helper()
	out, err := s.Edit(ctx, "j", ids, func(spec *job.Spec) error {
		change(spec)
		return nil
	})
	if err != nil {
		s.T.Fatal(err)
	}
	s.Sound()
	return out
}

func (e suite) AnEditedTaskRunsAsItIsNow(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 1)
	a := job.Spec{ID: "a", Command: "true", Args: []string{"x"}, Env: []string{"A=1"}, Labels: []string{"k=v"}, Retries: 2}
	s.MustEnqueue("j", a, Task("b"))
	is := job.Spec{
		ID: "a", Command: "echo", Args: []string{"y", "z"}, Dir: "/tmp", Env: []string{"A=2", "B=3"}, Priority: -2, Timeout: time.Minute,
		Pools: []string{"gpu"}, Labels: []string{"l=w"}, Retries: 1, Retry: job.Retry{Delay: time.Second}, Unique: "key",
	}
	changes := s.mustEdit(func(spec *job.Spec) { *spec = is }, "a")
	if diff := cmp.Diff([]db.Change{{Status: job.Pending, Before: a, After: is}}, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	stored, err := s.Definitions(ctx, "j", []string{"a"})
	if diff := cmp.Diff([]job.Spec{is}, stored); diff != "" || err != nil {
		t.Errorf("stored (-want +got), %v:\n%s", err, diff)
	}
	if got := s.MustClaim("j"); got.Task != "b" { // a has the lower priority now
		t.Fatalf("claimed %s", got.Task)
	} else {
		s.MustFinish(got, Success)
	}
	got := s.MustClaim("j")
	if got.Task != "a" || got.Command != "echo" || !slices.Equal(got.Env, is.Env) || len(got.Pools) != 1 {
		t.Errorf("claimed %+v", got)
	}
	s.Sound()
}

func (e suite) AnEditOfDependenciesCountsWhatIsReady(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c", "b"))
	s.mustEdit(func(spec *job.Spec) { spec.Dependencies = nil }, "c")
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 1)
	s.mustEdit(func(spec *job.Spec) { spec.Dependencies = []string{"c"} }, "a")
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 2)
	s.wantOrder("c", "a", "b")
}

func (e suite) AJobGoesOnWhenAnEditFreesATask(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"))
	s.Work("a")
	s.WantJob("j", job.StateFailed, job.Counts{Pending: 1, Failed: 1}, 1)
	s.mustEdit(func(spec *job.Spec) { spec.Dependencies, spec.AfterAny = nil, []string{"a"} }, "b")
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 1, Failed: 1}, 0)
	s.mustEdit(func(spec *job.Spec) { spec.AfterAny, spec.Dependencies = nil, []string{"a"} }, "b")
	s.WantJob("j", job.StateFailed, job.Counts{Pending: 1, Failed: 1}, 1)
	s.mustEdit(func(spec *job.Spec) { spec.RunIf = job.RunOnFailure }, "b")
	s.wantOrder("b")
}

func (e suite) AnEditChangesWhenATaskStarts(t *testing.T) {
	s := e.open(t)
	late := Task("late")
	late.Delay = time.Hour
	s.MustEnqueue("j", late, Task("now"))
	s.mustEdit(func(spec *job.Spec) { spec.Due = time.Time{} }, "late")
	s.mustEdit(func(spec *job.Spec) { spec.Delay = time.Hour }, "now")
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 2}, 1)
	if got := s.MustTask("j", "now"); got.Due.IsZero() {
		t.Error("now does not wait")
	}
	s.wantOrder("late")
}

func (e suite) AnEditIsWholeOrNotAtAll(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"), Task("c", "b"), job.Spec{ID: "d", Command: "true", Unique: "key"}, Task("e"))
	s.MustClaim("j")
	before := s.Dump()
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		ids    []string
		change func(*job.Spec) error
		want   error
	}{
		"a running task": {[]string{"b", "a"}, func(spec *job.Spec) error { spec.Priority = 1; return nil }, new(db.NotPending)},
		"no such task":   {[]string{"b", "x"}, func(spec *job.Spec) error { spec.Priority = 1; return nil }, db.ErrNoTask},
		"a cycle":        {[]string{"b"}, func(spec *job.Spec) error { spec.Dependencies = []string{"c"}; return nil }, db.ErrCycle},
		"a new cycle of two": {[]string{"d", "e"}, func(spec *job.Spec) error {
			spec.Dependencies = []string{map[string]string{"d": "e", "e": "d"}[spec.ID]}
			return nil
		}, db.ErrCycle},
		"an unknown task":     {[]string{"b"}, func(spec *job.Spec) error { spec.AfterAny = []string{"x"}; return nil }, db.ErrNoTask},
		"an unknown pool":     {[]string{"b"}, func(spec *job.Spec) error { spec.Pools = []string{"gpu"}; return nil }, new(db.NoRoom)},
		"a key that is taken": {[]string{"b"}, func(spec *job.Spec) error { spec.Unique = "key"; return nil }, db.ErrKeyTaken},
		"the caller": {[]string{"b", "c"}, func(spec *job.Spec) error {
			if spec.Priority = 1; spec.ID == "c" {
				return refused
			}
			return nil
		}, refused},
	} {
		_, err := s.Edit(ctx, "j", c.ids, c.change)
		if ok := errors.Is(err, c.want); !ok {
			switch c.want.(type) {
			case *db.NotPending:
				ok = errors.As(err, new(*db.NotPending))
			case *db.NoRoom:
				ok = errors.As(err, new(*db.NoRoom))
			}
			if !ok {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	}
	s.Unchanged(before)
	if _, err := s.Edit(ctx, "j", []string{"b"}, func(spec *job.Spec) error { spec.ID = "z"; return nil }); err == nil {
		t.Error("an id was changed")
	}
	s.Unchanged(before)
}

func (e suite) AnEditLeavesAMissingDependencyThatWasAccepted(t *testing.T) {
	s := e.open(t)
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", AllowMissing: true, Tasks: Specs(Task("a", "future"), Task("b"))}); err != nil {
		t.Fatal(err)
	}
	s.mustEdit(func(spec *job.Spec) { spec.Dependencies = append(spec.Dependencies, "b") }, "a")
	s.MustEnqueue("j", Task("future"))
	s.wantOrder("b", "future", "a")
}

// With fewer retries than it has used up, the attempt that comes is the last one.
func (e suite) AnEditTakesRetriesAway(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", job.Spec{ID: "a", Command: "true", Retries: 5, Retry: job.Retry{Delay: job.MinDuration, Jitter: job.NoJitter}})
	for range 3 {
		s.letGoAll()
		s.MustFinish(s.MustClaim("j"), Failure)
	}
	s.mustEdit(func(spec *job.Spec) { spec.Retries = 1 }, "a")
	s.letGoAll()
	s.MustFinish(s.MustClaim("j"), Failure)
	s.WantJob("j", job.StateFailed, job.Counts{Failed: 1}, 0)
	s.Sound()
}

// letGoAll waits until nothing waits for a time.
func (s *Store) letGoAll() {
	s.T.Helper()
	for {
		due, err := s.Due(ctx)
		if err != nil {
			s.T.Fatal(err)
		}
		if due.IsZero() {
			return
		}
		if _, err := s.LetGo(ctx, 100); err != nil {
			s.T.Fatal(err)
		}
	}
}
