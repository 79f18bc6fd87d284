package dbtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (e suite) StateOfAJobFollowsItsTasks(t *testing.T) {
	for _, c := range []struct {
		name    string
		do      func(*Store)
		state   job.State
		counts  job.Counts
		blocked int
	}{
		{
			"enqueue creates the job, waiting",
			func(s *Store) { s.MustEnqueue("j", Task("a")) },
			job.StateWaiting, job.Counts{Pending: 1}, 0,
		}, {
			"the first claim makes it working",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b")); s.MustClaim() },
			job.StateWorking, job.Counts{Pending: 1, Running: 1}, 0,
		}, {
			"it works on between tasks",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b")); s.MustFinish(s.MustClaim(), Success) },
			job.StateWorking, job.Counts{Pending: 1, Completed: 1}, 0,
		}, {
			"all completed: completed",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b")); s.Work() },
			job.StateCompleted, job.Counts{Completed: 2}, 0,
		}, {
			"one failed: failed, but only after the others",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b")); s.MustFinish(s.MustClaim(), Failure) },
			job.StateWorking, job.Counts{Pending: 1, Failed: 1}, 0,
		}, {
			"one failed, the others completed: failed",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b"), Task("c")); s.Work("b") },
			job.StateFailed, job.Counts{Completed: 2, Failed: 1}, 0,
		}, {
			"what depends on a failed task stays pending, and the job fails",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c", "b")); s.Work("a") },
			job.StateFailed, job.Counts{Pending: 2, Failed: 1}, 2,
		}, {
			"a Failure blocks only dependents",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c"), Task("d", "c")); s.Work("a") },
			job.StateFailed, job.Counts{Pending: 1, Completed: 2, Failed: 1}, 1,
		}, {
			"enqueue reopens a completed job",
			func(s *Store) { s.MustEnqueue("j", Task("a")); s.Work(); s.MustEnqueue("j", Task("b", "a")) },
			job.StateWaiting, job.Counts{Pending: 1, Completed: 1}, 0,
		}, {
			"enqueue reopens a failed job",
			func(s *Store) { s.MustEnqueue("j", Task("a")); s.Work("a"); s.MustEnqueue("j", Task("b")) },
			job.StateWaiting, job.Counts{Pending: 1, Failed: 1}, 0,
		}, {
			"a reopened job remembers its failure",
			func(s *Store) { s.MustEnqueue("j", Task("a")); s.Work("a"); s.MustEnqueue("j", Task("b")); s.Work() },
			job.StateFailed, job.Counts{Completed: 1, Failed: 1}, 0,
		}, {
			"a task that waits for a failed one does not reopen the job",
			func(s *Store) { s.MustEnqueue("j", Task("a")); s.Work("a"); s.MustEnqueue("j", Task("b", "a")) },
			job.StateFailed, job.Counts{Pending: 1, Failed: 1}, 1,
		}, {
			"enqueue into a working job leaves it working",
			func(s *Store) { s.MustEnqueue("j", Task("a")); s.MustClaim(); s.MustEnqueue("j", Task("b", "a")) },
			job.StateWorking, job.Counts{Pending: 1, Running: 1}, 1,
		}, {
			"a completed task frees what waited for it alone",
			func(s *Store) {
				s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c", "a", "b"))
				s.MustFinish(s.MustClaim(), Success)
			},
			job.StateWorking, job.Counts{Pending: 2, Completed: 1}, 1,
		}, {
			"a dependency that is named twice counts as it is",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a", "a")); s.Work() },
			job.StateCompleted, job.Counts{Completed: 2}, 0,
		}, {
			"reset makes failed tasks pending and the job waiting",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a")); s.Work("a"); s.MustReset("j") },
			job.StateWaiting, job.Counts{Pending: 2}, 1,
		}, {
			"reset while another task runs leaves the job working",
			func(s *Store) {
				s.MustEnqueue("j", Task("a"), Task("b"))
				s.MustFinish(s.MustClaim(), Failure)
				s.MustClaim()
				s.MustReset("j")
			},
			job.StateWorking, job.Counts{Pending: 1, Running: 1}, 0,
		}, {
			"reset of one task leaves the other failures",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b")); s.Work("a", "b"); s.MustReset("j", "b") },
			job.StateWaiting, job.Counts{Pending: 1, Failed: 1}, 0,
		}, {
			"reset of a job without failures changes nothing",
			func(s *Store) { s.MustEnqueue("j", Task("a")); s.Work(); s.MustReset("j") },
			job.StateCompleted, job.Counts{Completed: 1}, 0,
		}, {
			"after a reset the job can complete",
			func(s *Store) {
				s.MustEnqueue("j", Task("a"), Task("b", "a"))
				s.Work("a")
				s.MustReset("j")
				s.Work()
			},
			job.StateCompleted, job.Counts{Completed: 2}, 0,
		}, {
			"cancel fails what is pending",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a")); s.MustCancel("j", "") },
			job.StateFailed, job.Counts{Failed: 2}, 0,
		}, {
			"cancel of a task leaves the others",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c")); s.MustCancel("j", "a") },
			job.StateWaiting, job.Counts{Pending: 2, Failed: 1}, 1,
		}, {
			"cancel of the last ready task settles the job",
			func(s *Store) {
				s.MustEnqueue("j", Task("a"), Task("b"))
				s.MustFinish(s.MustClaim(), Success)
				s.MustCancel("j", "b")
			},
			job.StateFailed, job.Counts{Completed: 1, Failed: 1}, 0,
		}, {
			"cancel leaves a running task running until its runner has ended it",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b")); s.MustClaim(); s.MustCancel("j", "") },
			job.StateWorking, job.Counts{Running: 1, Failed: 1}, 0,
		}, {
			"a cancelled task that waited can be reset and waits again",
			func(s *Store) {
				s.MustEnqueue("j", Task("a"), Task("b", "a"))
				s.MustCancel("j", "")
				s.MustReset("j", "b")
			},
			job.StateFailed, job.Counts{Pending: 1, Failed: 1}, 1,
		}, {
			"a task that was cancelled while it waited is ready after a reset if its dependency has completed meanwhile",
			func(s *Store) {
				s.MustEnqueue("j", Task("a"), Task("b", "a"))
				s.MustCancel("j", "b")
				s.Work()
				s.MustReset("j", "b")
			},
			job.StateWaiting, job.Counts{Pending: 1, Completed: 1}, 0,
		}, {
			"a lost task is a failed one",
			func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b", "a")); s.MustClaim(); s.MustLose("j", "a") },
			job.StateFailed, job.Counts{Pending: 1, Failed: 1}, 1,
		}, {
			"an imported job whose tasks wait for one that may still come waits",
			func(s *Store) { s.MustImport("j", ATask("a", "later")) },
			job.StateWaiting, job.Counts{Pending: 1}, 1,
		}, {
			"a job goes on when the task that was missing has come and completed",
			func(s *Store) {
				s.MustImport("j", ATask("a", "later"))
				s.MustEnqueue("j", Task("later"))
				s.MustFinish(s.MustClaim(), Success)
			},
			job.StateWorking, job.Counts{Pending: 1, Completed: 1}, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := e.open(t)
			c.do(s)
			s.WantJob("j", c.state, c.counts, c.blocked)
			s.Sound()
		})
	}
}

func (e suite) TasksRunInOrderOfPriorityAndThenOfAge(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*Store)
		want []string
	}{
		{"older first", func(s *Store) { s.MustEnqueue("j", Task("z"), Task("a"), Task("m")) }, []string{"z", "a", "m"}},
		{"higher priority first", func(s *Store) {
			s.MustEnqueue("j", Urgent("low", -5), Urgent("mid", 0), Urgent("high", 5), Urgent("high2", 5))
		}, []string{"high", "high2", "mid", "low"}},
		{"over jobs, higher priority first", func(s *Store) {
			s.MustEnqueue("a", Urgent("a1", 1))
			s.MustEnqueue("b", Urgent("b2", 2))
			s.MustEnqueue("c", Urgent("c3", 3))
		}, []string{"c3", "b2", "a1"}},
		{"over jobs, older first", func(s *Store) {
			s.MustEnqueue("z", Task("z1"))
			s.MustEnqueue("a", Task("a1"))
			s.MustEnqueue("z", Task("z2"))
		}, []string{"z1", "a1", "z2"}},
		{"a dependency goes before a priority", func(s *Store) {
			s.MustEnqueue("j", Urgent("a", -1), job.Spec{ID: "b", Command: "true", Dependencies: []string{"a"}, Priority: 9}, Task("c"))
		}, []string{"c", "a", "b"}},
		{"a task that was freed takes its place by priority", func(s *Store) {
			s.MustEnqueue("j", Urgent("a", 9), job.Spec{ID: "b", Command: "true", Dependencies: []string{"a"}, Priority: 5}, Task("c"))
		}, []string{"a", "b", "c"}},
		{"a reset task takes its old place", func(s *Store) {
			s.MustEnqueue("j", Task("a"), Task("b"))
			s.MustFinish(s.MustClaim(), Failure)
			s.MustReset("j")
		}, []string{"a", "b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := e.open(t)
			c.do(s)
			if diff := cmp.Diff(c.want, s.Work()); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			s.Sound()
		})
	}
}

func (e suite) ClaimTellsTheRunnerAllItNeeds(t *testing.T) {
	s := e.open(t)
	env := []string{"A=1", "B=two\nlines", "C=", "odd"}
	s.MustEnqueue("j", job.Spec{
		ID: "it", Command: "/bin/echo", Args: []string{"", "a b", "é\n\"<&>"}, Dir: "/some where",
		Env: env, Timeout: 90_000_000_000,
	})
	a := s.MustClaim()
	if len(a.Token) != 32 {
		t.Errorf("token %q, want 128 bits in hex", a.Token)
	}
	want := db.Assignment{
		Job: "j", Task: "it", Attempt: 1, Token: a.Token, Command: "/bin/echo",
		Args: []string{"", "a b", "é\n\"<&>"}, Dir: "/some where", Env: env, Timeout: 90_000_000_000,
	}
	unexported := cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && f.Name()[0] >= 'a'
	}, cmp.Ignore())
	if diff := cmp.Diff(&want, a, unexported); diff != "" {
		t.Errorf("assignment (-want +got):\n%s", diff)
	}
}

func (e suite) EnvironmentThatWasNotGivenIsNotAnEmptyOne(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("none", job.Spec{Command: "true"})
	s.MustEnqueue("empty", job.Spec{Command: "true", Env: []string{}})
	if a := s.MustClaim("none"); a.Env != nil {
		t.Errorf("environment %q, want nil", a.Env)
	}
	if a := s.MustClaim("empty"); a.Env == nil || len(a.Env) != 0 {
		t.Errorf("environment %#v, want an empty one", a.Env)
	}
}

func (e suite) AJobHasOneRunner(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("a1"), Task("a2"))
	s.MustEnqueue("b", Task("b1"), Task("b2"))
	s.MustClaim()
	s.MustClaim()
	if a := s.ClaimAny(Unlimited); a != nil {
		t.Errorf("claimed %s of job %s, in which a task runs", a.Task, a.Job)
	}
	if a := s.ClaimAny(Unlimited, "a"); a != nil {
		t.Errorf("claimed %s of job %s, in which a task runs", a.Task, a.Job)
	}
	if n, err := s.Claimable(ctx, 10, ""); n != 0 || err != nil {
		t.Errorf("Claimable: %d, %v, want 0", n, err)
	}
}

func (e suite) ASecondRunningAttemptOfAJobCannotBeStored(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"))
	s.MustClaim()
	raw := s.sql()
	const insert = `
INSERT INTO attempt (task, job, number, slot, status, token, manager, host, boot_id, runner, pid, pid_start, started_at)
SELECT t.id, t.job, 1, %s, 'running', '0123456789abcdef0123456789abcdef', 'm', 'h', 'b', 1, 1, 1, 1
FROM task t WHERE t.name = 'b'`
	for name, slot := range map[string]string{"in the same slot": "0", "in no slot": "NULL", "in a negative slot": "-1"} {
		if _, err := raw.Exec(fmt.Sprintf(insert, slot)); err == nil {
			t.Errorf("a second running attempt was stored %s", name)
		}
	}
	if n := len(s.Running()); n != 1 {
		t.Errorf("%d attempts are running, want 1", n)
	}
	s.Sound()
}

func (e suite) NoMoreAttemptsRunThanAllowed(t *testing.T) {
	s := e.open(t)
	for _, name := range []string{"a", "b", "c"} {
		s.MustEnqueue(name, Task("1"))
	}
	if a := s.ClaimAny(0); a != nil {
		t.Error("claimed with a limit of none")
	}
	first := s.ClaimAny(2)
	if first == nil || s.ClaimAny(2) == nil {
		t.Fatal("the limit was not reached yet")
	}
	if a := s.ClaimAny(2); a != nil {
		t.Errorf("claimed a third task, of job %s, with a limit of 2", a.Job)
	}
	s.MustFinish(first, Success)
	if s.ClaimAny(2) == nil {
		t.Error("the place of a finished task was not given away")
	}
}

func (e suite) ATaskThatWaitsForOthersLendsItsPlace(t *testing.T) {
	s := e.open(t)
	for _, name := range []string{"a", "b", "c"} {
		s.MustEnqueue(name, Task("1"))
	}
	park := func(a *db.Assignment, on bool) {
		t.Helper()
		if err := s.SetParked(ctx, a.Token, on); err != nil {
			t.Fatal(err)
		}
	}
	wantParked := func(want int) {
		t.Helper()
		if n, err := s.Parked(ctx); n != want || err != nil {
			t.Errorf("Parked: %d, %v, want %d", n, err, want)
		}
	}
	a := s.ClaimAny(1)
	if s.ClaimAny(1) != nil {
		t.Fatal("claimed above the limit")
	}
	park(a, true)
	park(a, true) // two commands of the task wait
	wantParked(1)
	b := s.ClaimAny(1)
	if b == nil {
		t.Fatal("the place of a task that waits was not lent")
	}
	if s.ClaimAny(1) != nil {
		t.Error("the place was lent twice")
	}
	s.MustFinish(b, Success)
	park(a, false)
	wantParked(1)
	park(a, false)
	wantParked(0)
	if s.ClaimAny(1) != nil {
		t.Error("claimed above the limit after the task has taken its place back")
	}
	park(a, true)
	s.MustFinish(a, Success)
	wantParked(0)
	before := s.Dump()
	park(a, true) // it is over
	wantParked(0)
	s.Unchanged(before)
	s.Sound()
}

func (e suite) ClaimOnlyInOneJob(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("first", Urgent("f", 9))
	s.MustEnqueue("wanted", Task("w"))
	for only, want := range map[string]int{"": 2, "first": 1, "wanted": 1} {
		if n, err := s.Claimable(ctx, 10, only); n != want || err != nil {
			t.Errorf("Claimable(%q): %d, %v, want %d", only, n, err, want)
		}
	}
	if n, err := s.Claimable(ctx, 1, ""); n != 1 || err != nil {
		t.Errorf("Claimable counts %d, %v, of at most 1", n, err)
	}
	if a := s.MustClaim("wanted"); a.Task != "w" {
		t.Errorf("claimed %s", a.Task)
	}
	if a := s.ClaimAny(Unlimited, "wanted"); a != nil {
		t.Errorf("claimed %s", a.Task)
	}
	if _, err := s.Claim(ctx, Runner1, Unlimited, "absent"); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("claim in a job that is not there: %v, want ErrNoJob", err)
	}
}

func (e suite) FinishGoesOnWithTheNextTaskOfTheSameJob(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("other", Urgent("x", 9), Urgent("y", 9))
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c"), Urgent("d", 1))
	var got []string
	for a := s.MustClaim("j"); a != nil; {
		got = append(got, a.Task)
		done, err := s.Finish(ctx, a, Success, true)
		if err != nil {
			t.Fatal(err)
		}
		if done.Ready {
			t.Errorf("after %s a task is ready that was not claimed", a.Task)
		}
		if a = done.Next; a != nil && (a.Job != "j" || a.Attempt != 1 || len(a.Token) != 32) {
			t.Errorf("next is %+v", a)
		}
		s.Sound()
	}
	if want := []string{"d", "a", "b", "c"}; !cmp.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 4}, 0)
	s.WantJob("other", job.StateWaiting, job.Counts{Pending: 2}, 0)
}

func (e suite) FinishSaysWhetherTheJobHasAnotherReadyTask(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c", "b"))
	if done := s.MustFinish(s.MustClaim(), Success); !done.Ready || done.Next != nil {
		t.Errorf("after a: %+v, want ready", done)
	}
	if done := s.MustFinish(s.MustClaim(), Failure); done.Ready || done.Next != nil {
		t.Errorf("after b has failed: %+v, want nothing ready", done)
	}
}

func (e suite) ResultIsKeptWithTaskAndAttempt(t *testing.T) {
	for _, c := range []struct {
		name string
		r    job.Result
	}{
		{"success", job.Result{Status: job.Completed, ExitCode: &zero, UserTime: 1500_000, SystemTime: 2_000, MaxRSS: 4096}},
		{"exit code", Failure},
		{"signal", job.Result{Status: job.Failed, Reason: job.Signaled, Signal: "SIGSEGV", Error: "ended by SIGSEGV"}},
		{"timeout", job.Result{Status: job.Failed, Reason: job.TimedOut, Signal: "SIGKILL", Error: "timed out after 1s"}},
		{"not started", job.Result{Status: job.Failed, Reason: job.NotStarted, Error: "no such file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := e.open(t)
			s.MustEnqueue("j", Task("a"))
			s.MustFinish(s.MustClaim(), c.r)
			got := s.MustTask("j", "a")
			attempts, err := s.Attempts(ctx, "j", "a")
			if err != nil || len(attempts) != 1 {
				t.Fatalf("attempts %+v, %v", attempts, err)
			}
			a := attempts[0]
			wantTask := job.Task{
				Spec: got.Spec, Job: "j", Status: c.r.Status, Reason: c.r.Reason, Attempts: 1, ExitCode: c.r.ExitCode,
				Signal: c.r.Signal, Error: c.r.Error, CreatedAt: got.CreatedAt, StartedAt: a.StartedAt, CompletedAt: a.EndedAt,
			}
			wantAttempt := job.Attempt{
				Job: "j", Task: "a", Number: 1, Status: c.r.Status, Reason: c.r.Reason, ExitCode: c.r.ExitCode, Signal: c.r.Signal, Error: c.r.Error,
				StartedAt: got.StartedAt, EndedAt: got.CompletedAt, RunnerPID: Runner1.PID,
				UserTime: c.r.UserTime.Truncate(1000), SystemTime: c.r.SystemTime.Truncate(1000), MaxRSS: c.r.MaxRSS,
			}
			if diff := cmp.Diff(wantTask, got); diff != "" {
				t.Errorf("task (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantAttempt, a); diff != "" {
				t.Errorf("attempt (-want +got):\n%s", diff)
			}
			if got.StartedAt.IsZero() || got.CompletedAt.IsZero() {
				t.Error("the times are not there")
			}
		})
	}
}

func (e suite) EveryReasonForAFailureCanBeRecorded(t *testing.T) {
	s := e.open(t)
	for _, reason := range job.Reasons {
		id := string(reason)
		if reason == job.Imported || reason == job.Skipped { // no attempt ends like that
			imported := ATask(id)
			imported.Status, imported.Reason = job.Failed, reason
			s.MustImport(id, imported)
			continue
		}
		s.MustEnqueue("j", Task(id))
		s.MustFinish(s.MustClaim(), job.Result{Status: job.Failed, Reason: reason})
		if got := s.MustTask("j", id).Reason; got != reason {
			t.Errorf("reason %s, want %s", got, reason)
		}
	}
	s.Sound()
}

func (e suite) ResetKeepsTheHistory(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	s.Work("a")
	if n := s.MustReset("j"); n != 1 {
		t.Errorf("reset %d tasks, want 1", n)
	}
	got := s.MustTask("j", "a")
	if got.Status != job.Pending || got.Reason != "" || got.ExitCode != nil || got.Error != "" || !got.CompletedAt.IsZero() || got.Attempts != 1 {
		t.Errorf("after reset: %+v", got)
	}
	if a := s.MustClaim(); a.Attempt != 2 {
		t.Errorf("attempt %d, want 2", a.Attempt)
	}
	attempts, err := s.Attempts(ctx, "j", "")
	if err != nil || len(attempts) != 2 || attempts[0].Status != job.Failed || attempts[1].Status != job.Running {
		t.Errorf("attempts %+v, %v, want a failed one and a running one", attempts, err)
	}
	s.Sound()
}

func (e suite) CancelSaysWhatItMet(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("other", Task("x"))
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c"))
	s.MustClaim("other")
	s.MustClaim("j")
	c := s.MustCancel("j", "")
	if c.Pending != 2 || len(c.Running) != 1 || c.Running[0].Task != "a" || !c.Running[0].Cancelled || c.Running[0].Runner != Runner1 {
		t.Errorf("Cancel: %+v, want 2 pending, and a of the runner", c)
	}
	for _, a := range s.Running() {
		if a.Cancelled != (a.Job == "j") {
			t.Errorf("task %s of job %s: cancelled is %t", a.Task, a.Job, a.Cancelled)
		}
	}
	if got := s.MustTask("j", "b"); got.Reason != job.Cancelled || got.Attempts != 0 || got.CompletedAt.IsZero() {
		t.Errorf("a cancelled task is %+v", got)
	}
	all, err := s.CancelRunning(ctx, "")
	if err != nil || len(all) != 2 || !all[0].Cancelled || !all[1].Cancelled {
		t.Errorf("CancelRunning: %+v, %v, want both that run", all, err)
	}
}

func (e suite) ALostAttemptThatWasCancelledIsCancelled(t *testing.T) {
	for _, c := range []struct {
		cancel bool
		want   job.Reason
	}{{false, job.Lost}, {true, job.Cancelled}} {
		s := e.open(t)
		s.MustEnqueue("j", Task("a"))
		s.MustClaim()
		if c.cancel {
			s.MustCancel("j", "a")
		}
		s.MustLose("j", "a")
		if got := s.MustTask("j", "a"); got.Reason != c.want || got.Error != "its runner is gone" || got.ExitCode != nil {
			t.Errorf("cancelled %t: task is %+v, want reason %s", c.cancel, got, c.want)
		}
		s.Sound()
	}
}

func (e suite) WhatIsNotThereCannotBeChanged(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("done"), Task("failed"), Task("pending", "failed"))
	s.Work("failed")
	before := s.Dump()
	do := map[string]func(job, id string) error{
		"Cancel":   func(name, id string) error { _, err := s.Cancel(ctx, name, id); return err },
		"Reset":    func(name, id string) error { _, err := s.Reset(ctx, name, db.Which{Tasks: []string{id}}); return err },
		"Dismiss":  func(name, id string) error { _, err := s.Dismiss(ctx, name, []string{id}); return err },
		"Remove":   func(name, id string) error { _, err := s.RemoveTasks(ctx, name, []string{id}); return err },
		"Task":     func(name, id string) error { _, err := s.Task(ctx, name, id); return err },
		"Attempts": func(name, id string) error { _, err := s.Attempts(ctx, name, id); return err },
	}
	for name, f := range do {
		if err := f("absent", "done"); !errors.Is(err, db.ErrNoJob) {
			t.Errorf("%s in a job that is not there: %v, want ErrNoJob", name, err)
		}
		if err := f("j", "absent"); !errors.Is(err, db.ErrNoTask) {
			t.Errorf("%s of a task that is not there: %v, want ErrNoTask", name, err)
		}
	}
	for _, id := range []string{"done", "failed"} {
		if err := do["Cancel"]("j", id); err == nil {
			t.Errorf("task %s, which has ended, was cancelled", id)
		}
	}
	for _, id := range []string{"done", "pending"} {
		if err := do["Reset"]("j", id); err == nil {
			t.Errorf("task %s, which has not failed, was reset", id)
		}
		if err := do["Dismiss"]("j", id); err == nil {
			t.Errorf("task %s, which has not failed, was dismissed", id)
		}
	}
	s.Unchanged(before)
}
