package dbtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// pooled is a task that needs places in pools.
func pooled(id string, pools ...string) job.Spec {
	return job.Spec{ID: id, Command: "true", Pools: pools}
}

// batchOf is a batch of job j.
func batchOf(tasks ...job.Spec) db.Batch { return db.Batch{Job: "j", Tasks: Specs(tasks...)} }

// setPool makes a pool.
func (s *Store) setPool(name string, capacity int) {
	s.T.Helper()
	if _, _, err := s.SetPool(ctx, name, capacity, false); err != nil {
		s.T.Fatal(err)
	}
}

// setJob changes the settings of a job.
func (s *Store) setJob(name string, c db.JobChange) {
	s.T.Helper()
	if _, err := s.SetJob(ctx, name, c); err != nil {
		s.T.Fatal(err)
	}
}

// claimAny claims the best task of all jobs, and returns it as job/task and with its
// places; nil: there was none.
func (s *Store) claimAny() (*db.Assignment, string) {
	s.T.Helper()
	a, err := s.Claim(ctx, db.Runner{}, 100, "")
	if err != nil {
		s.T.Fatal(err)
	}
	if a == nil {
		return nil, ""
	}
	return a, fmt.Sprintf("%s/%s%v", a.Job, a.Task, a.Pools)
}

// wantAny claims the best task of all, which must be this one.
func (s *Store) wantAny(want string) *db.Assignment {
	s.T.Helper()
	a, got := s.claimAny()
	if got != want {
		s.T.Errorf("claimed %q, want %q", got, want)
	}
	return a
}

// claimable counts what could be claimed.
func (s *Store) claimable(want int) {
	s.T.Helper()
	if n, err := s.Claimable(ctx, 10, ""); err != nil || n != want {
		s.T.Errorf("%d tasks can be claimed, %v, want %d", n, err, want)
	}
}

func (e suite) APoolIsNeverGivenTwice(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 2)
	for _, name := range []string{"a", "b", "c"} {
		s.MustEnqueue(name, pooled("1", "gpu"))
	}
	s.claimable(2)
	a, b := s.wantAny("a/1[{gpu [0]}]"), s.wantAny("b/1[{gpu [1]}]")
	s.claimable(0)
	s.wantAny("")
	s.Sound()
	if j, err := s.Job(ctx, "c"); err != nil || j.State != job.StateWaiting || j.Blocked != 1 {
		t.Errorf("job c is %+v, %v", j, err)
	}

	// The lowest free place is taken, and the end of a task tells that there is one.
	done, err := s.Finish(ctx, a, Success, true)
	if err != nil || !done.Ready || done.Next != nil {
		t.Errorf("finished: %+v, %v", done, err)
	}
	s.claimable(1)
	s.Sound()
	c := s.wantAny("c/1[{gpu [0]}]")
	s.MustFinish(b, Failure)
	done, err = s.Finish(ctx, c, Success, false)
	if err != nil || done.Ready {
		t.Errorf("finished, with nobody who waits: %+v, %v", done, err)
	}
	s.Sound()
	if pools, err := s.Pools(ctx, true); err != nil || len(pools) != 1 || len(pools[0].Taken) != 0 || pools[0].Waiting != 0 {
		t.Errorf("pools %+v, %v", pools, err)
	}
}

func (e suite) AFullPoolHoldsUpNobodyElse(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 1)
	s.MustEnqueue("first", pooled("1", "gpu"))
	s.MustEnqueue("mixed", pooled("needs", "gpu"), Task("not"), pooled("needs2", "gpu"))
	s.MustEnqueue("plain", Task("1"))
	first := s.wantAny("first/1[{gpu [0]}]")
	mixed := s.wantAny("mixed/not[]")
	s.wantAny("plain/1[]")
	s.wantAny("")
	s.Sound()
	s.MustFinish(first, Success)
	s.wantAny("") // the job has one place, which is taken
	s.MustFinish(mixed, Success)
	s.wantAny("mixed/needs[{gpu [0]}]")
	s.Sound()
}

func (e suite) TasksWithPoolsComeByPriorityThenAge(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 5)
	s.setPool("license", 1)
	s.MustEnqueue("a", Task("plain"))
	s.MustEnqueue("b", pooled("old", "gpu"))
	high := pooled("high", "license", "gpu:2")
	high.Priority = 1
	s.MustEnqueue("c", high)
	s.MustEnqueue("d", Task("later"))
	s.MustEnqueue("e", pooled("raised", "gpu"))
	s.setJob("e", db.JobChange{Priority: new(2)})
	s.claimable(5)
	s.wantAny("e/raised[{gpu [0]}]")
	s.wantAny("c/high[{gpu [1 2]} {license [0]}]")
	s.wantAny("a/plain[]")
	s.wantAny("b/old[{gpu [3]}]")
	s.wantAny("d/later[]")
	s.Sound()
}

func (e suite) TheJobIsAskedBeforeThePool(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 9)
	s.MustEnqueue("j", pooled("1", "gpu"), pooled("2", "gpu"), pooled("3", "gpu"), pooled("4", "gpu"))
	s.claimable(1)
	first := s.wantAny("j/1[{gpu [0]}]")
	s.claimable(0)
	s.wantAny("")
	s.Sound()
	s.setJob("j", db.JobChange{Parallel: new(3)})
	s.claimable(2)
	s.wantAny("j/2[{gpu [1]}]")
	s.Sound()
	s.set("j", "holds = 1")
	s.claimable(0)
	s.wantAny("")
	s.set("j", "holds = 0")
	if _, err := s.PauseAll(ctx, false); err != nil {
		t.Fatal(err)
	}
	s.claimable(0)
	s.wantAny("")
	if _, err := s.ResumeAll(ctx); err != nil {
		t.Fatal(err)
	}
	s.claimable(1)
	s.setJob("j", db.JobChange{Parallel: new(1)})
	s.claimable(0)
	s.wantAny("")
	s.Sound()

	// The end of a task claims the next of its job in the same commit, if it may.
	s.setJob("j", db.JobChange{Parallel: new(2)})
	done, err := s.Finish(ctx, first, Success, true)
	if err != nil || done.Next == nil || done.Next.Task != "3" {
		t.Fatalf("went on with %+v, %v", done.Next, err)
	}
	if diff := cmp.Diff([]db.PoolPlaces{{Pool: "gpu", Numbers: []int{0}}}, done.Next.Pools); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	s.Sound()
}

func (e suite) ATaskWithPoolsComesBack(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 1)
	s.MustEnqueue("j", pooled("1", "gpu"), job.Spec{ID: "2", Command: "true", Pools: []string{"gpu"}, Dependencies: []string{"1"}})
	a := s.wantAny("j/1[{gpu [0]}]")
	if given, err := s.GiveBack(ctx, a); err != nil || !given {
		t.Fatalf("given back: %v, %v", given, err)
	}
	s.Sound()
	s.MustFinish(s.wantAny("j/1[{gpu [0]}]"), Failure)
	s.Sound()
	s.wantAny("")
	s.MustReset("j", "1")
	s.Sound()
	lost, _ := s.claimAny()
	active, err := s.Active(ctx)
	if err != nil || len(active) != 1 {
		t.Fatalf("%v, %v", active, err)
	}
	if ended, err := s.Lose(ctx, active[0], "gone"); err != nil || !ended {
		t.Fatalf("lost: %v, %v", ended, err)
	}
	if _, err := s.Finish(ctx, lost, Success, false); !errors.Is(err, db.ErrFenced) {
		t.Errorf("a result that is too late: %v", err)
	}
	s.Sound()
	if _, err := s.Reset(ctx, "j", db.Which{}); err != nil {
		t.Fatal(err)
	}
	s.MustFinish(s.wantAny("j/1[{gpu [0]}]"), Success)
	s.MustFinish(s.wantAny("j/2[{gpu [0]}]"), Success)
	s.Sound()
	if j, err := s.Job(ctx, "j"); err != nil || j.State != job.StateCompleted {
		t.Errorf("%+v, %v", j, err)
	}
}

func (e suite) ATaskThatWaitsForAPlaceCanBeCancelledAndRemoved(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 1)
	s.MustEnqueue("j", pooled("1", "gpu"), pooled("2", "gpu"), pooled("3", "gpu"))
	s.wantAny("j/1[{gpu [0]}]")
	s.MustCancel("j", "2")
	s.Sound()
	s.MustReset("j", "2")
	s.Sound()
	if _, err := s.RemoveTasks(ctx, "j", []string{"2"}); err != nil {
		t.Fatal(err)
	}
	s.Sound()
	s.MustEnqueue("other", pooled("1", "gpu"))
	if _, err := s.RemoveJobs(ctx, []string{"other"}); err != nil {
		t.Fatal(err)
	}
	s.Sound()
}

func (e suite) WhatNoPoolCanEverHoldIsRefused(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 2)
	for _, c := range []struct{ pool, want string }{
		{"tpu", `task "x": there is no pool tpu`},
		{"gpu:3", `task "x": pool gpu has 2, not 3 places`},
	} {
		_, err := s.Enqueue(ctx, batchOf(pooled("x", c.pool)))
		if short := (*db.NoRoom)(nil); !errors.As(err, &short) || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.pool, err, c.want)
		}
	}
	if _, err := s.Job(ctx, "j"); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("something was stored: %v", err)
	}

	// Nor can a pool be taken from those that wait for it.
	s.MustEnqueue("j", pooled("x", "gpu:2"))
	if _, _, err := s.SetPool(ctx, "gpu", 1, false); err == nil || err.Error() != "1 pending task needs more than 1 places in pool gpu" {
		t.Errorf("made smaller: %v", err)
	}
	if _, err := s.RemovePool(ctx, "gpu", false); err == nil {
		t.Error("removed")
	}
	s.claimable(1)
	if n, err := s.RemovePool(ctx, "gpu", true); err != nil || n != 1 {
		t.Errorf("%d tasks wait, %v", n, err)
	}
	s.claimable(0)
	s.wantAny("")
	s.Sound()
	s.setPool("gpu", 2)
	s.wantAny("j/x[{gpu [0 1]}]")

	// What runs keeps its places. The pool gives none until there is room.
	s.setPool("gpu", 1)
	s.MustEnqueue("k", pooled("y", "gpu"))
	s.wantAny("")
	s.Sound()
	if _, err := s.RemovePool(ctx, "nobody", false); !errors.Is(err, db.ErrNoPool) {
		t.Errorf("no such pool: %v", err)
	}
}

func (e suite) AResumeChangesThePoolsOfTasks(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 1)
	resume := func(tasks ...job.Spec) {
		t.Helper()
		if _, err := s.Resume(ctx, batchOf(tasks...)); err != nil {
			t.Fatal(err)
		}
		s.Sound()
	}
	s.MustEnqueue("j", Task("a"), pooled("b", "gpu"), pooled("c", "gpu"))
	resume(pooled("a", "gpu"), Task("b"), pooled("c", "gpu"))
	a := s.MustClaim("j")
	if a.Task != "a" || len(a.Pools) != 1 {
		t.Errorf("claimed %+v", a)
	}
	s.MustFinish(a, Failure)
	resume(Task("a"), Task("b"), job.Spec{ID: "c", Command: "true", Pools: []string{"gpu"}, Dependencies: []string{"b"}})
	if a := s.MustClaim("j"); a.Task != "a" || len(a.Pools) != 0 {
		t.Errorf("claimed %+v", a)
	}
}

func (e suite) AJobHasSettings(t *testing.T) {
	s := e.open(t)
	b := batchOf(Task("a"), Task("b"))
	b.Settings = &db.JobChange{Parallel: new(2)}
	if _, err := s.Enqueue(ctx, b); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("k", Task("a"))
	s.setJob("k", db.JobChange{Priority: new(1), RetryHolds: new(false)})
	s.wantAny("k/a[]")
	s.wantAny("j/a[]")
	s.wantAny("j/b[]")
	s.Sound()
	if got, err := s.JobSettings(ctx, "k"); err != nil || got.Parallel != 1 || got.Priority != 1 || got.RetryHolds {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.SetJob(ctx, "k", db.JobChange{Parallel: new(0)}); err == nil {
		t.Error("a job without a place")
	}
	if _, err := s.SetJob(ctx, "nobody", db.JobChange{}); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("no such job: %v", err)
	}
}

// Operations in any order, of which none may leave a contradiction, and no pool with
// more holders than places.
func (e suite) PoolsStaySoundWhateverHappens(t *testing.T) {
	s := e.open(t)
	s.setPool("gpu", 2)
	s.setPool("license", 3)
	random := rand.New(rand.NewPCG(1, 2))
	var running []*db.Assignment
	take := func() *db.Assignment {
		i := random.IntN(len(running))
		a := running[i]
		running = append(running[:i], running[i+1:]...)
		return a
	}
	needs := [][]string{nil, {"gpu"}, {"gpu:2"}, {"license"}, {"gpu", "license:2"}}
	for step := range 600 {
		name := fmt.Sprint("j", random.IntN(4))
		switch what := random.IntN(10); {
		case what < 3:
			s.MustEnqueue(name, pooled(fmt.Sprint(step), needs[random.IntN(len(needs))]...))
		case what < 6:
			n, err := s.Claimable(ctx, 100, "")
			if err != nil {
				t.Fatal(err)
			}
			a, _ := s.claimAny()
			if (n > 0) != (a != nil) {
				t.Fatalf("step %d: %d can be claimed, and the claim gave %v", step, n, a)
			}
			if a != nil {
				running = append(running, a)
			}
		case what < 8 && len(running) > 0:
			r := Success
			if random.IntN(3) == 0 {
				r = Failure
			}
			done, err := s.Finish(ctx, take(), r, random.IntN(2) == 0)
			if err != nil {
				t.Fatal(err)
			}
			if done.Next != nil {
				running = append(running, done.Next)
			}
		case what == 8 && len(running) > 0:
			if _, err := s.GiveBack(ctx, take()); err != nil {
				t.Fatal(err)
			}
		default:
			if _, err := s.Job(ctx, name); err == nil {
				s.setJob(name, db.JobChange{Parallel: new(1 + random.IntN(3)), Priority: new(random.IntN(2))})
				if _, err := s.Reset(ctx, name, db.Which{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if step%20 == 0 {
			s.Sound()
			pools, err := s.Pools(ctx, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pools {
				if len(p.Taken) > p.Capacity {
					t.Fatalf("step %d: %+v", step, p)
				}
			}
		}
	}
	s.Sound()
}
