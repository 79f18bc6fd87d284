package dbtest

import (
	"errors"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// pause pauses jobs, or all for no name.
func (s *Store) pause(names ...string) (p db.Pausing) {
	s.T.Helper()
	var err error
	if len(names) == 0 {
		p, err = s.PauseAll(ctx, false)
	} else {
		p, err = s.PauseJobs(ctx, names, false)
	}
	if err != nil {
		s.T.Fatal(err)
	}
	return p
}

// unpause ends the pause of jobs, or of all for no name.
func (s *Store) unpause(names ...string) (p db.Pausing) {
	s.T.Helper()
	var err error
	if len(names) == 0 {
		p, err = s.ResumeAll(ctx)
	} else {
		p, err = s.ResumeJobs(ctx, names)
	}
	if err != nil {
		s.T.Fatal(err)
	}
	return p
}

// wantNoTask fails the test if there is a task to claim, or if one is counted.
func (s *Store) wantNoTask(only string) {
	s.T.Helper()
	if n, err := s.Claimable(ctx, 10, only); n != 0 || err != nil {
		s.T.Errorf("%d jobs are claimable (%v), want none", n, err)
	}
	if a, err := s.Claim(ctx, db.Runner{}, Unlimited, only); a != nil || err != nil {
		s.T.Errorf("claimed %+v (%v), want nothing", a, err)
	}
}

// wantClaimed claims the best task, which must be this one.
func (s *Store) wantClaimed(name, id string) {
	s.T.Helper()
	if a := s.ClaimAny(Unlimited); a == nil || a.Job != name || a.Task != id {
		s.T.Errorf("claimed %+v, want %s of %s", a, id, name)
	}
}

func (e suite) APausedJobGivesNoTask(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("a1"))
	s.MustEnqueue("b", Task("b1"))
	p := s.pause("a")
	if len(p.Jobs) != 1 || !p.Jobs[0].Changed || p.Jobs[0].Tasks != (job.Counts{Pending: 1}) {
		t.Errorf("pause: %+v", p)
	}
	s.wantNoTask("a")
	if a := s.ClaimAny(Unlimited); a == nil || a.Job != "b" {
		t.Fatalf("claimed %+v, want the task of b", a)
	}
	s.wantNoTask("")

	// Twice is once.
	if p := s.pause("a"); p.Jobs[0].Changed {
		t.Errorf("paused again: %+v", p)
	}
	s.Sound()
	if p := s.unpause("a"); !p.Jobs[0].Changed {
		t.Errorf("resume: %+v", p)
	}
	if p := s.unpause("a"); p.Jobs[0].Changed {
		t.Errorf("resumed again: %+v", p)
	}
	s.wantClaimed("a", "a1")
	s.Sound()
}

func (e suite) APauseOfAllJobsHoldsLaterOnesToo(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("a1"))
	if p := s.pause(); !p.Changed {
		t.Errorf("pause: %+v", p)
	}
	s.MustEnqueue("later", Task("l1"))
	s.wantNoTask("")
	s.wantNoTask("later")
	if p := s.pause(); p.Changed {
		t.Errorf("paused again: %+v", p)
	}
	if got, err := s.Pauses(ctx); err != nil || got.All.IsZero() || got.Of("later").IsZero() || len(got.Jobs) != 0 {
		t.Errorf("pauses: %+v, %v", got, err)
	}

	// A job that was paused by its name stays so.
	s.pause("later")
	s.unpause()
	if got, err := s.Pauses(ctx); err != nil || !got.All.IsZero() || got.Of("later").IsZero() || !got.Of("a").IsZero() {
		t.Errorf("pauses: %+v, %v", got, err)
	}
	s.wantNoTask("later")
	s.wantClaimed("a", "a1")
	s.Sound()
}

func (e suite) ARunnerThatFinishesGetsNoTaskOfAPausedJob(t *testing.T) {
	for _, name := range [][]string{{"a"}, nil} {
		s := e.open(t)
		s.MustEnqueue("a", Task("a1"), Task("a2"))
		a := s.ClaimAny(Unlimited)
		if p := s.pause(name...); len(p.Running) != 1 || p.Running[0].Task != "a1" {
			t.Errorf("pause %q: %+v, want what runs", name, p)
		}
		done, err := s.Finish(ctx, a, Success, true)
		if err != nil || done.Next != nil {
			t.Errorf("pause %q: the same runner goes on with %+v (%v)", name, done.Next, err)
		}
		if done, err := s.Recorded(ctx, a, Success); err != nil || done.Ready {
			t.Errorf("pause %q: recorded %+v (%v), want nothing ready", name, done, err)
		}
		s.wantNoTask("")
		s.WantJob("a", job.StateWorking, job.Counts{Pending: 1, Completed: 1}, 0)
		s.unpause(name...)
		s.wantClaimed("a", "a2")
		s.Sound()
	}
}

func (e suite) APauseOfAJobThatIsNotThereChangesNothing(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("a1"))
	if _, err := s.PauseJobs(ctx, []string{"a", "nobody"}, false); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("pause: %v, want ErrNoJob", err)
	}
	if got, err := s.Pauses(ctx); err != nil || len(got.Jobs) != 0 {
		t.Errorf("pauses: %+v, %v", got, err)
	}
}
