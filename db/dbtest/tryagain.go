package dbtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// exits is the result of a command that has ended with a code.
func exits(code int) job.Result {
	if code == 0 {
		return Success
	}
	return job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: &code, Error: "exit code"}
}

// retried is a task that is tried again so many times, after exact delays of 1s, 2s, 4s, …
func retried(id string, retries int, needs ...string) job.Spec {
	return job.Spec{
		ID: id, Command: "true", Dependencies: needs, Retries: retries,
		Retry: job.Retry{Delay: time.Second, Jitter: job.NoJitter},
	}
}

// fails claims the task and lets its attempt fail.
func (c *timed) fails(id string, r job.Result) {
	c.T.Helper()
	a := c.MustClaim("j")
	if a.Task != id {
		c.T.Fatalf("claimed %s, want %s", a.Task, id)
	}
	if done := c.MustFinish(a, r); done.Ready {
		c.T.Errorf("the job is ready while it waits for a retry of %s", id)
	}
	c.Sound()
}

// after lets time pass, and lets go of what is due then, but not a moment before.
func (c *timed) after(d time.Duration, want int) {
	c.T.Helper()
	c.now = c.now.Add(d - time.Microsecond)
	c.wantLetGo(0)
	c.now = c.now.Add(time.Microsecond)
	c.wantLetGo(want)
	c.Sound()
}

func (e suite) AFailedTaskIsTriedAgain(t *testing.T) {
	c := e.timed(t)
	c.MustEnqueue("j", retried("a", 3), Task("next"))
	c.fails("a", exits(7))
	c.WantJob("j", job.StateWorking, job.Counts{Pending: 2}, 1)
	if got := c.MustTask("j", "a"); got.Status != job.Pending || got.Tries != 1 || *got.ExitCode != 7 || !got.Due.Equal(c.now.Add(time.Second)) {
		t.Errorf("the task is %+v", got)
	}
	c.after(time.Second, 1)
	c.fails("a", exits(7))
	c.after(2*time.Second, 1)
	a := c.MustClaim()
	if a.Task != "a" || a.Attempt != 3 {
		t.Errorf("claimed attempt %d of %s", a.Attempt, a.Task)
	}
	c.MustFinish(a, Success)
	if diff := cmp.Diff([]string{"next"}, c.Work()); diff != "" {
		t.Errorf("after it (-want +got):\n%s", diff)
	}
	c.WantJob("j", job.StateCompleted, job.Counts{Completed: 2}, 0)
	c.Sound()
}

func (e suite) ATaskWhoseRetriesAreSpentHasFailed(t *testing.T) {
	c := e.timed(t)
	c.MustEnqueue("j", retried("a", 2))
	for i := range 2 {
		c.fails("a", exits(1))
		c.after(time.Second<<i, 1)
	}
	c.fails("a", exits(1))
	c.WantJob("j", job.StateFailed, job.Counts{Failed: 1}, 0)
	c.wantDue(time.Time{})
	if got := c.MustTask("j", "a"); got.Tries != 3 || got.Attempts != 3 {
		t.Errorf("%d tries in %d attempts, want 3 in 3", got.Tries, got.Attempts)
	}
	c.MustReset("j", "a") // which gives it all of them again
	for i := range 2 {
		c.fails("a", exits(1))
		c.after(time.Second<<i, 1)
	}
	c.fails("a", exits(1))
	c.WantJob("j", job.StateFailed, job.Counts{Failed: 1}, 0)
}

func (e suite) OnlyTheFailuresThatCountAreTriedAgain(t *testing.T) {
	lost := func(c *timed, a *db.Assignment) { c.MustLose("j", a.Task) }
	ends := func(r job.Result) func(*timed, *db.Assignment) {
		return func(c *timed, a *db.Assignment) { c.MustFinish(a, r) }
	}
	signal := job.Result{Status: job.Failed, Reason: job.Signaled, Signal: "SIGKILL"}
	timeout := job.Result{Status: job.Failed, Reason: job.TimedOut}
	for name, k := range map[string]struct {
		retry job.Retry
		end   func(*timed, *db.Assignment)
		again bool
	}{
		"usual: exit code":           {job.Retry{}, ends(exits(1)), true},
		"usual: signal":              {job.Retry{}, ends(signal), true},
		"usual: lost":                {job.Retry{}, lost, true},
		"usual: 100":                 {job.Retry{}, ends(exits(100)), false},
		"not on 7: 7":                {job.Retry{NotOn: []string{"7"}}, ends(exits(7)), false},
		"not on 7: 100":              {job.Retry{NotOn: []string{"7"}}, ends(exits(100)), true},
		"not on none: 100":           {job.Retry{NotOn: []string{"none"}}, ends(exits(100)), true},
		"on 75 and signal: 75":       {job.Retry{On: []string{"75", "signal"}}, ends(exits(75)), true},
		"on 75 and signal: signal":   {job.Retry{On: []string{"75", "signal"}}, ends(signal), true},
		"on 75 and signal: 1":        {job.Retry{On: []string{"75", "signal"}}, ends(exits(1)), false},
		"on 75 and signal: time out": {job.Retry{On: []string{"75", "signal"}}, ends(timeout), false},
		"on time out: lost":          {job.Retry{On: []string{"timeout"}}, lost, false},
		"on lost: lost":              {job.Retry{On: []string{"lost"}}, lost, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := e.timed(t)
			c.MustEnqueue("j", job.Spec{ID: "a", Command: "true", Retries: 1, Retry: k.retry})
			k.end(c, c.MustClaim())
			want := job.Failed
			if k.again {
				want = job.Pending
			}
			if got := c.MustTask("j", "a").Status; got != want {
				t.Errorf("it is %s, want %s", got, want)
			}
			c.Sound()
		})
	}
}

func (e suite) AJobThatDoesNotHoldForRetriesGoesOn(t *testing.T) {
	c := e.timed(t)
	tasks := Specs(retried("a", 1), Task("b"), Task("c", "a"))
	if _, err := c.Enqueue(ctx, db.Batch{Job: "j", Tasks: tasks, RetryHolds: new(bool)}); err != nil {
		t.Fatal(err)
	}
	if done := c.MustFinish(c.MustClaim(), Failure); !done.Ready {
		t.Error("the job is not ready")
	}
	if diff := cmp.Diff([]string{"b"}, c.Work()); diff != "" {
		t.Errorf("meanwhile (-want +got):\n%s", diff)
	}
	c.WantJob("j", job.StateWorking, job.Counts{Pending: 2, Completed: 1}, 2)
	c.after(time.Second, 1)
	if diff := cmp.Diff([]string{"a", "c"}, c.Work()); diff != "" {
		t.Errorf("then (-want +got):\n%s", diff)
	}
	c.Sound()
}

func (e suite) ARetryThatIsCancelledOrRemovedHoldsNothing(t *testing.T) {
	for name, end := range map[string]func(*timed) error{
		"cancel": func(c *timed) error { _, err := c.Cancel(ctx, "j", "a"); return err },
		"remove": func(c *timed) error { _, err := c.RemoveTasks(ctx, "j", []string{"a"}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			c := e.timed(t)
			c.MustEnqueue("j", retried("a", 1), Task("b"))
			c.fails("a", exits(1))
			if err := end(c); err != nil {
				t.Fatal(err)
			}
			c.Sound()
			c.wantDue(time.Time{})
			if diff := cmp.Diff([]string{"b"}, c.Work()); diff != "" {
				t.Errorf("after it (-want +got):\n%s", diff)
			}
		})
	}
}

func (e suite) ARetryThatIsResetStartsAtOnce(t *testing.T) {
	c := e.timed(t)
	c.MustEnqueue("j", retried("a", 1), Task("b"))
	c.fails("a", exits(1))
	if n := c.MustReset("j", "a"); n != 1 {
		t.Errorf("reset %d, want 1", n)
	}
	c.Sound()
	c.wantDue(time.Time{})
	c.fails("a", exits(1))
	c.after(time.Second, 1)
	c.Work("a")
	c.WantJob("j", job.StateFailed, job.Counts{Completed: 1, Failed: 1}, 0)
	c.Sound()
}

// Whoever has asked for the end of a task does not want it again, even if it fails by
// itself before it hears of that.
func (e suite) ACancelledTaskIsNotTriedAgain(t *testing.T) {
	for name, r := range map[string]job.Result{"by itself": exits(7), "cancelled": {Status: job.Failed, Reason: job.Cancelled}} {
		t.Run(name, func(t *testing.T) {
			c := e.timed(t)
			c.MustEnqueue("j", retried("a", 5))
			a := c.MustClaim()
			c.MustCancel("j", "a")
			c.MustFinish(a, r)
			c.WantJob("j", job.StateFailed, job.Counts{Failed: 1}, 0)
			c.Sound()
		})
	}
}

// The shutdown of a machine is nobody's failure.
func (e suite) WhatEndsATaskFromOutsideIsNoFailedAttempt(t *testing.T) {
	c := e.timed(t)
	c.MustEnqueue("j", retried("a", 1))
	c.fails("a", job.Result{Status: job.Failed, Reason: job.Cancelled}) // SIGTERM to its runner
	c.after(time.Second, 1)
	c.MustClaim()
	active := c.Running()[0]
	active.Rebooted = true
	if lost, err := c.Lose(ctx, active, "the machine was restarted"); !lost || err != nil {
		t.Fatal(lost, err)
	}
	c.after(time.Second, 1)
	if got := c.MustTask("j", "a"); got.Tries != 0 || got.Attempts != 2 {
		t.Errorf("%d tries in %d attempts, want 0 in 2", got.Tries, got.Attempts)
	}
	c.fails("a", exits(1))
	c.after(time.Second, 1)
	c.fails("a", exits(1))
	c.WantJob("j", job.StateFailed, job.Counts{Failed: 1}, 0)
	c.MustEnqueue("k", Task("b")) // without retries it fails, as ever
	c.MustFinish(c.MustClaim(), job.Result{Status: job.Failed, Reason: job.Cancelled})
	c.WantJob("k", job.StateFailed, job.Counts{Failed: 1}, 0)
}

func (e suite) RetriesThatATaskDoesNotSayAreThoseOfTheBatch(t *testing.T) {
	c := e.timed(t)
	defaults := job.Spec{Retries: 4, Retry: job.Retry{Delay: time.Minute, Backoff: 3}}
	none := Task("none")
	none.Retries = job.NoRetries
	tasks := Specs(Task("a"), retried("b", 1), none)
	if _, err := c.Enqueue(ctx, db.Batch{Job: "j", Tasks: tasks, Defaults: defaults}); err != nil {
		t.Fatal(err)
	}
	type retries struct {
		N int
		R job.Retry
	}
	var got []retries
	for _, id := range []string{"a", "b", "none"} {
		task := c.MustTask("j", id)
		got = append(got, retries{task.Retries, task.Retry})
	}
	want := []retries{{4, defaults.Retry}, {1, job.Retry{Delay: time.Second, Backoff: 3, Jitter: job.NoJitter}}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("retries (-want +got):\n%s", diff)
	}
}

func (e suite) WhatIsImportedKeepsItsRetriesAndTimes(t *testing.T) {
	c := e.timed(t)
	waits := job.Task{Spec: retried("a", 3), Status: job.Pending, Attempts: 2, Tries: 2}
	waits.Due = c.now.Add(time.Minute)
	j := job.Job{UUID: "u", Name: "j", RetryHolds: new(bool)}
	if err := c.Import(ctx, j, Seq([]job.Task{waits})); err != nil {
		t.Fatal(err)
	}
	c.Sound()
	got := c.MustTask("j", "a")
	if got.Retries != 3 || got.Tries != 2 || got.Retry.Delay != time.Second || !got.Due.Equal(waits.Due) {
		t.Errorf("the task is %+v", got)
	}
	if is, err := c.Job(ctx, "j"); err != nil || is.RetryHolds == nil || *is.RetryHolds {
		t.Errorf("the job is %+v, %v", is, err)
	}
	c.after(time.Minute, 1)
	c.MustFinish(c.MustClaim(), Failure)
	c.after(4*time.Second, 1)
	c.Work("a")
	c.WantJob("j", job.StateFailed, job.Counts{Failed: 1}, 0)
}
