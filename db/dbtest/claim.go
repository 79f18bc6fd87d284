package dbtest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// seen is an assignment without what only the package can see.
var seen = cmpopts.IgnoreUnexported(db.Assignment{})

// Full is a task that uses all that a task can have.
func Full(id string) job.Spec {
	return job.Spec{
		ID: id, Command: "./größe", Args: []string{"", "a b", "\n"}, Dir: "/tmp",
		Env: []string{"A=1", "B=" + strings.Repeat("x", 1000)}, Timeout: time.Minute,
	}
}

func (e suite) ARunnerFindsTheTaskThatWasClaimedForIt(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Full("a"), Task("b"))
	r := db.Runner{Lock: 7, PID: 1234, PIDStart: 5678, Host: "host", BootID: "boot", Manager: "m", Namespace: 11, InitLock: 12}
	find := func(lock int64, boot string) *db.Assignment {
		t.Helper()
		a, err := s.Assigned(ctx, lock, boot, nil)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := find(7, "boot"); a != nil {
		t.Errorf("before a claim: %+v", a)
	}
	claimed, err := s.Claim(ctx, r, Unlimited, "")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := find(8, "boot"), find(7, "another boot"); a != nil || b != nil {
		t.Errorf("another runner found %+v, %+v", a, b)
	}
	got := find(7, "boot")
	if diff := cmp.Diff(claimed, got, seen); diff != "" {
		t.Errorf("(-claimed +found):\n%s", diff)
	}
	if done, err := s.Finish(ctx, got, Success, true); err != nil || done.Next == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	if a := find(7, "boot"); a == nil || a.Task != "b" {
		t.Errorf("after the first task: %+v", a)
	}
	if active, err := s.Active(ctx); err != nil || !cmp.Equal(active[0].Runner, r) {
		t.Errorf("the second attempt names %+v, %v", active[0].Runner, err)
	}
	s.Sound()
}

func (e suite) OneClaimForSeveralRunners(t *testing.T) {
	s := e.open(t)
	for _, name := range []string{"a", "b", "c"} {
		s.MustEnqueue(name, Task("1"), Task("2"))
	}
	claim := func(most int, locks ...int64) (got []string) {
		t.Helper()
		var runners []db.Runner
		for _, n := range locks {
			runners = append(runners, db.Runner{Lock: n})
		}
		claimed, err := s.ClaimAll(ctx, runners, most, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range claimed {
			found, err := s.Assigned(ctx, locks[i], "", nil)
			if err != nil || found == nil || found.Token != a.Token {
				t.Errorf("runner %d has %+v, %v", locks[i], found, err)
			}
			got = append(got, a.Job+a.Task)
		}
		return got
	}
	for _, c := range []struct {
		most  int
		locks []int64
		want  []string
	}{
		{2, []int64{1, 2, 3}, []string{"a1", "b1"}}, // no more than may run
		{2, []int64{4}, nil},
		{9, []int64{5, 6}, []string{"c1"}}, // no two of one job
		{9, nil, nil},
	} {
		if got := claim(c.most, c.locks...); !cmp.Equal(got, c.want) {
			t.Errorf("claimed %q, want %q", got, c.want)
		}
	}
	s.Sound()
}
