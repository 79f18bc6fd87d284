package dbtest

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// every is one hook of each kind.
var every = job.Hooks{OnSuccess: job.ShellHook("fine"), OnFailure: job.ShellHook("alarm"), OnEnd: job.Hook{"tell", "it"}}

// hooked is a task with every hook.
func hooked(id string, needs ...string) job.Spec {
	s := Task(id, needs...)
	s.Hooks = every
	return s
}

// hooks are the hooks that were stored, as their names and what they are of, sorted; they
// are removed.
func (s *Store) hooks() []string {
	s.T.Helper()
	var out []string
	for s.hook() {
		a := s.MustClaim(job.HooksJob)
		in, err := s.Input(ctx, a)
		if err != nil || !a.Input || in.Told == nil {
			s.T.Fatalf("hook %s reads %+v, error %v", a.Task, in, err)
		}
		t := in.Told
		what := t.Job
		if t.Of == "task" {
			what += ":" + t.Task
		}
		if !strings.HasPrefix(a.Task, t.Hook+"-"+t.Job) {
			s.T.Errorf("the hook %s of job %s is called %s", t.Hook, t.Job, a.Task)
		}
		out = append(out, t.Hook+" "+what)
		s.MustFinish(a, Success)
	}
	if len(out) > 0 {
		if _, err := s.RemoveJobs(ctx, []string{job.HooksJob}); err != nil {
			s.T.Fatal(err)
		}
	}
	s.Sound()
	slices.Sort(out)
	return out
}

// hook reports whether there is one that has not run.
func (s *Store) hook() bool {
	s.T.Helper()
	j, err := s.Job(ctx, job.HooksJob)
	if errors.Is(err, db.ErrNoJob) {
		return false
	}
	if err != nil {
		s.T.Fatal(err)
	}
	return j.Tasks.Pending > 0
}

func (s *Store) setHooks(name string, h job.Hooks) {
	s.T.Helper()
	if _, err := s.SetJob(ctx, name, db.JobChange{Hooks: h}); err != nil {
		s.T.Fatal(err)
	}
}

// workOn carries out the tasks of job j; those named fail.
func (s *Store) workOn(failing ...string) {
	s.T.Helper()
	for a := s.ClaimAny(Unlimited, "j"); a != nil; a = s.ClaimAny(Unlimited, "j") {
		r := Success
		if slices.Contains(failing, a.Task) {
			r = Failure
		}
		s.MustFinish(a, r)
	}
}

// cancelled is the end of an attempt that was told to end.
var cancelled = job.Result{Status: job.Failed, Reason: job.Cancelled, Error: "cancelled"}

// What each end lets run. docs/hooks.md has the same table.
func (e suite) EachEndHasItsHooks(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*Store)
		want []string
	}{
		{"completed", func(s *Store) { s.MustEnqueue("j", hooked("a")); s.workOn() }, []string{"on_end j:a", "on_success j:a"}},
		{"failed", func(s *Store) { s.MustEnqueue("j", hooked("a")); s.workOn("a") }, []string{"on_end j:a", "on_failure j:a"}},
		{"lost", func(s *Store) { s.MustEnqueue("j", hooked("a")); s.MustClaim(); s.MustLose("j", "a") }, []string{"on_end j:a", "on_failure j:a"}},
		{
			"cancelled while it ran", func(s *Store) {
				s.MustEnqueue("j", hooked("a"))
				a := s.MustClaim()
				s.MustCancel("j", "a")
				s.MustFinish(a, cancelled)
			},
			[]string{"on_end j:a"},
		},
		{
			"cancelled, and completed all the same", func(s *Store) {
				s.MustEnqueue("j", hooked("a"))
				a := s.MustClaim()
				s.MustCancel("j", "a")
				s.MustFinish(a, Success)
			},
			[]string{"on_end j:a", "on_success j:a"},
		},
		{"ended by the shutdown of the machine", func(s *Store) { s.MustEnqueue("j", hooked("a")); s.MustFinish(s.MustClaim(), cancelled) }, []string{"on_end j:a", "on_failure j:a"}},
		{"cancelled before it started", func(s *Store) { s.MustEnqueue("j", hooked("a")); s.MustCancel("j", "a") }, nil},
		{
			"skipped", func(s *Store) {
				skipped := hooked("b", "a")
				skipped.RunIf = job.RunOnFailure
				s.MustEnqueue("j", Task("a"), skipped)
				s.workOn()
			}, nil,
		},
		{
			"dismissed", func(s *Store) {
				s.MustEnqueue("j", hooked("a"))
				s.setHooks("j", every)
				s.workOn("a")
				s.hooks()
				if _, err := s.Dismiss(ctx, "j", []string{"a"}); err != nil {
					t.Fatal(err)
				}
			}, nil,
		},
		{
			"removed", func(s *Store) {
				s.MustEnqueue("j", Task("a"), hooked("b", "a"))
				s.setHooks("j", every)
				s.MustFinish(s.MustClaim(), Success)
				s.hooks()
				if _, err := s.RemoveTasks(ctx, "j", []string{"b"}); err != nil {
					t.Fatal(err)
				}
			}, nil,
		},
		{
			"imported", func(s *Store) {
				s.MustImport("j", job.Task{Spec: hooked("a"), Status: job.Failed, Reason: job.Imported}, job.Task{Spec: hooked("b"), Status: job.Completed})
			}, nil,
		},
		{"no hook", func(s *Store) { s.MustEnqueue("j", Task("a")); s.workOn("a") }, nil},
		{"job completed", func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b")); s.setHooks("j", every); s.workOn() }, []string{"on_end j", "on_success j"}},
		{"job failed", func(s *Store) { s.MustEnqueue("j", Task("a"), Task("b")); s.setHooks("j", every); s.workOn("a") }, []string{"on_end j", "on_failure j"}},
		{"job has not ended", func(s *Store) {
			s.MustEnqueue("j", Task("a"), Task("b"))
			s.setHooks("j", every)
			s.MustFinish(s.MustClaim(), Failure)
		}, nil},
		{"job cancelled", func(s *Store) { s.MustEnqueue("j", Task("a")); s.setHooks("j", every); s.MustCancel("j", "") }, []string{"on_end j"}},
		{
			"job with a failure, the rest cancelled", func(s *Store) {
				s.MustEnqueue("j", Task("a"), Task("b"))
				s.setHooks("j", every)
				s.MustFinish(s.MustClaim(), Failure)
				s.MustCancel("j", "")
			},
			[]string{"on_end j", "on_failure j"},
		},
		{
			"a task and its job", func(s *Store) { s.MustEnqueue("j", hooked("a")); s.setHooks("j", every); s.workOn() },
			[]string{"on_end j", "on_end j:a", "on_success j", "on_success j:a"},
		},
		{
			"none", func(s *Store) {
				a := hooked("a")
				a.Hooks.OnEnd = job.Hook{}
				s.MustEnqueue("j", a)
				s.workOn()
			},
			[]string{"on_success j:a"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := e.open(t)
			c.do(s)
			if diff := cmp.Diff(c.want, s.hooks()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func (e suite) AHookWaitsUntilNoRetryFollows(t *testing.T) {
	c := e.timed(t)
	a := retried("a", 1)
	a.Hooks = every
	c.MustEnqueue("j", a)
	c.fails("a", exits(7))
	if c.hook() {
		t.Error("a hook has run before the retry")
	}
	c.after(time.Second, 1)
	c.MustFinish(c.MustClaim("j"), exits(7))
	if diff := cmp.Diff([]string{"on_end j:a", "on_failure j:a"}, c.hooks()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// It is told of the attempt, and of the job's counts after it.
func (e suite) AHookIsToldWhatHasEnded(t *testing.T) {
	s := e.open(t)
	a := Task("a")
	a.Hooks, a.Dir, a.Env = job.Hooks{OnFailure: job.Hook{"alarm", "x y"}}, "/srv", []string{"A=1"}
	s.MustEnqueue("j", a, Task("b"))
	s.setHooks("j", job.Hooks{OnEnd: job.ShellHook("end")})
	ended := s.MustClaim()
	s.MustFinish(ended, Failure)
	s.MustFinish(s.MustClaim("j"), Success)
	h := s.MustClaim(job.HooksJob)
	if h.Command != "alarm" || !cmp.Equal(h.Args, []string{"x y"}) || h.Dir != "/srv" || !cmp.Equal(h.Env, []string{"A=1"}) {
		t.Errorf("the hook is %+v", h)
	}
	if want := "on_failure-j-a-1-" + ended.Token[:8]; h.Task != want {
		t.Errorf("the hook is called %s, want %s", h.Task, want)
	}
	in, err := s.Input(ctx, h)
	if err != nil {
		t.Fatal(err)
	}
	if got := in.Told; got.Hook != job.OnFailure || got.Of != "task" || got.Task != "a" || got.Status != "failed" || *got.Reason != "exited" || *got.ExitCode != 1 || got.Attempt != 1 || got.CompletedAt == nil || got.Counts != nil {
		t.Errorf("it is told %+v", got)
	}
	if in, err = s.Input(ctx, s.MustClaim(job.HooksJob)); err != nil {
		t.Fatal(err)
	}
	if got := in.Told; got.Of != "job" || got.Task != "a" || got.Status != "failed" || *got.Counts != (db.ToldCounts{Total: 2, Completed: 1, Failed: 1}) {
		t.Errorf("the hook of the job is told %+v", got)
	}
	var keys map[string]any
	if err := json.Unmarshal(in.Stdin, &keys); err != nil || len(keys) != 19 {
		t.Errorf("it reads %s, error %v", in.Stdin, err)
	}
}

func (e suite) TheHooksOfAllAreForThoseThatHaveNone(t *testing.T) {
	s := e.open(t)
	all := job.AllHooks{Tasks: job.Hooks{OnFailure: job.ShellHook("all")}, Jobs: job.Hooks{OnEnd: job.ShellHook("all")}}
	for range 2 {
		if err := s.SetHooks(ctx, all); err != nil {
			t.Fatal(err)
		}
	}
	own := Task("own")
	own.Hooks.OnFailure = job.ShellHook("own")
	quiet := Task("quiet")
	quiet.Hooks.OnFailure = job.Hook{}
	s.MustEnqueue("j", Task("a"), own, quiet)
	for range 3 {
		s.MustFinish(s.MustClaim("j"), Failure)
	}
	var ran []string
	for s.hook() && len(ran) < 10 {
		a := s.MustClaim(job.HooksJob)
		ran = append(ran, a.Args[1])
		s.MustFinish(a, exits(100)) // for good; but a hook has no hooks
	}
	if diff := cmp.Diff([]string{"all", "own", "all"}, ran); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.SetHooks(ctx, job.AllHooks{}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("k", Task("a"))
	s.MustFinish(s.MustClaim("k"), Failure)
	if s.hook() {
		t.Error("a hook runs that is no longer there")
	}
}

// Each end is told of, also that of a job or task that has ended before.
func (e suite) WhatEndsAgainIsToldAgain(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", hooked("a"))
	s.setHooks("j", job.Hooks{OnEnd: job.ShellHook("end")})
	for n := range 3 {
		s.MustFinish(s.MustClaim("j"), Failure)
		s.MustReset("j")
		if j := s.MustJob(job.HooksJob); j.Tasks.Total() != 3*(n+1) {
			t.Errorf("%d hooks after %d ends, want three for each", j.Tasks.Total(), n+1)
		}
	}
	if _, err := s.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("j", hooked("a"))
	s.MustFinish(s.MustClaim("j"), Failure)
	if j := s.MustJob(job.HooksJob); j.Tasks.Total() != 11 {
		t.Errorf("%d hooks, want two more for the new task", j.Tasks.Total())
	}
}

// Hooks of jobs that were there before the job of hooks, and after it.
func (e suite) HooksKeepTheOrderOfLocks(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("before", hooked("a"))
	s.MustEnqueue(job.HooksJob, Task("mine"))
	s.MustEnqueue("after", hooked("a"), hooked("b", "a"))
	for _, name := range []string{"before", "after"} {
		if done := s.MustFinish(s.MustClaim(name), Success); name == "before" && done.Ready {
			t.Error("the job is ready, and has ended")
		}
	}
	if j := s.MustJob(job.HooksJob); j.Tasks.Pending != 5 {
		t.Errorf("%d tasks in the job of hooks, want two hooks of each and the one that was there", j.Tasks.Pending)
	}
	s.Sound()
}

func (e suite) HooksDoNotWaitForEachOther(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", hooked("a"), Task("b"))
	s.MustFinish(s.MustClaim(), Failure)
	var got []string
	for range 3 {
		got = append(got, s.MustClaim().Job)
	}
	if diff := cmp.Diff([]string{job.HooksJob, job.HooksJob, "j"}, got); diff != "" {
		t.Errorf("what runs (-want +got):\n%s", diff)
	}
}

func (e suite) LongNamesHaveHooks(t *testing.T) {
	s := e.open(t)
	id := strings.Repeat("é", job.MaxIDBytes/2)
	s.MustEnqueue("j", hooked(id))
	ended := s.MustClaim()
	s.MustFinish(ended, Failure)
	for range 2 {
		if a := s.MustClaim(job.HooksJob); len(a.Task) > job.MaxIDBytes || !strings.HasSuffix(a.Task, "-1-"+ended.Token[:8]) {
			t.Errorf("the hook is called %s", a.Task)
		}
	}
}

// What a hook reads is deleted with it, however that is done.
func (e suite) WhatAHookReadsGoesWithIt(t *testing.T) {
	for name, remove := range map[string]func(*Store) error{
		"remove the job": func(s *Store) error {
			_, err := s.RemoveJobs(ctx, []string{job.HooksJob})
			return err
		},
		"remove the tasks": func(s *Store) error {
			var ids []string
			err := s.EachTask(ctx, job.HooksJob, func(t job.Task) error {
				ids = append(ids, t.ID)
				return nil
			})
			if err == nil {
				_, err = s.RemoveTasks(ctx, job.HooksJob, ids)
			}
			return err
		},
		"prune": func(s *Store) error {
			s.prune(db.PruneQuery{Jobs: true}, 1)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := e.open(t)
			s.MustEnqueue("j", hooked("a"))
			s.workOn("a")
			s.Work()
			if err := remove(s); err != nil {
				t.Fatal(err)
			}
			var n int
			if err := s.sql().QueryRow("SELECT count(*) FROM task_input").Scan(&n); err != nil || n != 0 {
				t.Errorf("%d inputs are left, %v", n, err)
			}
			s.Sound()
		})
	}
}

func (e suite) HooksThatRunAgainReadTheSame(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", hooked("a"))
	s.workOn("a")
	before, err := s.Input(ctx, s.MustClaim(job.HooksJob))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rerun(ctx, job.HooksJob, "again"); err != nil {
		t.Fatal(err)
	}
	a := s.MustClaim("again")
	after, err := s.Input(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" || !a.Input {
		t.Errorf("(-before +after):\n%s", diff)
	}
}
