package dbtest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// due is when the schedules of these tests fire.
var due = time.Date(2026, 3, 29, 1, 15, 0, 0, time.UTC)

// nightly is a schedule of a task.
func nightly() db.Schedule {
	return db.Schedule{
		Name: "nightly", Cron: "15 3 * * *", TimeZone: "Europe/Berlin", Overlap: "skip", Missed: "one", CatchUp: time.Hour,
		Job: "nights", Spec: `{"task":{"command":"true"}}`, Env: []string{"A=1"}, NextAt: due,
	}
}

// MustAddSchedule stores a schedule.
func (s *Store) MustAddSchedule(one db.Schedule) {
	s.T.Helper()
	if err := s.AddSchedule(ctx, one); err != nil {
		s.T.Fatal(err)
	}
}

// MustSchedule returns a schedule.
func (s *Store) MustSchedule(name string) db.Schedule {
	s.T.Helper()
	one, err := s.Schedule(ctx, name)
	if err != nil {
		s.T.Fatal(err)
	}
	return one
}

// firing is what fires a schedule as it is now, at its next time.
func firing(one db.Schedule) db.Firing {
	id := one.Name + "@" + one.NextAt.Format(time.RFC3339)
	return db.Firing{
		Schedule: one, At: one.NextAt, Next: one.NextAt.AddDate(0, 0, 1),
		Batch: db.Batch{Job: "nights", Tasks: Specs(job.Spec{ID: id, Command: "true", Env: one.Env})},
	}
}

func (s *Store) mustFire(f db.Firing) db.Fired {
	s.T.Helper()
	out, err := s.Fire(ctx, f)
	if err != nil {
		s.T.Fatal(err)
	}
	return out
}

func (e suite) ASchedulesLife(t *testing.T) {
	s := e.open(t)
	s.MustAddSchedule(nightly())
	if err := s.AddSchedule(ctx, nightly()); !errors.Is(err, db.ErrDuplicate) {
		t.Errorf("error %v, want ErrDuplicate", err)
	}
	got := s.MustSchedule("nightly")
	ours := cmpopts.IgnoreUnexported(db.Schedule{})
	times := cmpopts.IgnoreFields(db.Schedule{}, "CreatedAt", "UpdatedAt")
	if diff := cmp.Diff(nightly(), got, ours, times); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	other := nightly()
	other.Name, other.NextAt, other.Job, other.Env = "early", due.Add(-time.Hour), "", nil
	s.MustAddSchedule(other)
	next, err := s.NextSchedules(ctx, 5)
	if err != nil || len(next) != 2 || next[0].Name != "early" {
		t.Errorf("next are %+v, %v", next, err)
	}
	_, err = s.ChangeSchedule(ctx, "early", func(one *db.Schedule) error {
		one.PausedAt = due
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if next, err = s.NextSchedules(ctx, 5); err != nil || len(next) != 1 || next[0].Name != "nightly" {
		t.Errorf("with one paused, next are %+v, %v", next, err)
	}
	if names, err := s.ScheduleNames(ctx, "n", 5); err != nil || !slices.Equal(names, []string{"nightly"}) {
		t.Errorf("names %q, %v", names, err)
	}
	if err := s.RemoveSchedule(ctx, "nightly"); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveSchedule(ctx, "nightly"); !errors.Is(err, db.ErrNoSchedule) {
		t.Errorf("error %v, want ErrNoSchedule", err)
	}
	if all, err := s.Schedules(ctx); err != nil || len(all) != 1 || all[0].Name != "early" {
		t.Errorf("left are %+v, %v", all, err)
	}
}

func (e suite) AFiringStoresTheTaskAndTheNextTime(t *testing.T) {
	s := e.open(t)
	s.MustAddSchedule(nightly())
	one := s.MustSchedule("nightly")
	if got, want := s.mustFire(firing(one)), (db.Fired{Job: "nights", Task: "nightly@2026-03-29T01:15:00Z", Stored: true}); got != want {
		t.Errorf("fired %+v, want %+v", got, want)
	}
	now := s.MustSchedule("nightly")
	if !now.NextAt.Equal(due.AddDate(0, 0, 1)) || !now.LastAt.Equal(due) || now.LastTask != "nightly@2026-03-29T01:15:00Z" {
		t.Errorf("afterwards it is %+v", now)
	}
	if a := s.MustClaim(); !slices.Equal(a.Env, []string{"A=1"}) {
		t.Errorf("the task has the environment %q", a.Env)
	}
	s.Sound()
}

// Two managers have read the same time.
func (e suite) ATimeFiresOnce(t *testing.T) {
	s := e.open(t)
	s.MustAddSchedule(nightly())
	one := s.MustSchedule("nightly")
	f := firing(one)
	s.mustFire(f)
	// The second one would store another task, were it not for the next time.
	f.Batch.Tasks = Specs(job.Spec{ID: "another", Command: "true"})
	f.ByHand = false
	if out, err := s.Fire(ctx, f); !errors.Is(err, db.ErrNotDue) {
		t.Errorf("fired again: %+v, %v", out, err)
	}
	s.WantJob("nights", job.StateWaiting, job.Counts{Pending: 1}, 0)
}

func (e suite) AScheduleThatWasChangedOrPausedDoesNotFireAsItWas(t *testing.T) {
	now := due
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { now = now.Add(time.Second); return now }})
	s.MustAddSchedule(nightly())
	old := s.MustSchedule("nightly")
	changed, err := s.ChangeSchedule(ctx, "nightly", func(one *db.Schedule) error {
		one.Spec = `{"task":{"command":"false"}}`
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fire(ctx, firing(old)); !errors.Is(err, db.ErrNotDue) {
		t.Errorf("error %v of a firing as it was, want ErrNotDue", err)
	}
	paused, err := s.ChangeSchedule(ctx, "nightly", func(one *db.Schedule) error {
		one.PausedAt = due
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []db.Schedule{changed, paused} {
		if _, err := s.Fire(ctx, firing(one)); !errors.Is(err, db.ErrNotDue) {
			t.Errorf("error %v of a paused one, want ErrNotDue", err)
		}
	}
	f := firing(paused)
	f.ByHand = true
	s.mustFire(f)
	if got := s.MustSchedule("nightly"); !got.NextAt.Equal(due) {
		t.Errorf("by hand, the next time has become %s", got.NextAt)
	}
}

func (e suite) AFiringIsSkippedWhileTheOneBeforeHasNotEnded(t *testing.T) {
	s := e.open(t)
	s.MustAddSchedule(nightly())
	s.mustFire(firing(s.MustSchedule("nightly")))
	a := s.MustClaim()
	if out := s.mustFire(firing(s.MustSchedule("nightly"))); out != (db.Fired{Skipped: db.SkippedOverlap}) {
		t.Errorf("fired %+v", out)
	}
	if got := s.MustSchedule("nightly"); !got.SkippedAt.Equal(due.AddDate(0, 0, 1)) || got.Skipped != "overlap" || !got.NextAt.Equal(due.AddDate(0, 0, 2)) {
		t.Errorf("afterwards it is %+v", got)
	}
	s.MustFinish(a, Failure)
	if out := s.mustFire(firing(s.MustSchedule("nightly"))); !out.Stored {
		t.Errorf("after the end of the one before: %+v", out)
	}
	if _, err := s.ChangeSchedule(ctx, "nightly", func(one *db.Schedule) error { one.Overlap = "queue"; return nil }); err != nil {
		t.Fatal(err)
	}
	if out := s.mustFire(firing(s.MustSchedule("nightly"))); !out.Stored {
		t.Errorf("with queue: %+v", out)
	}
	s.WantJob("nights", job.StateWaiting, job.Counts{Pending: 2, Failed: 1}, 0)
}

func (e suite) AFiringOfAJobMakesItOnce(t *testing.T) {
	s := e.open(t)
	one := nightly()
	one.Job = ""
	s.MustAddSchedule(one)
	fire := func() db.Fired {
		t.Helper()
		f := firing(s.MustSchedule("nightly"))
		f.Batch = db.Batch{Job: "nightly-1", NewJob: true, FromFile: true, Tasks: Specs(Task("a"), Task("b", "a"))}
		return s.mustFire(f)
	}
	if out := fire(); out != (db.Fired{Job: "nightly-1", Stored: true}) {
		t.Errorf("fired %+v", out)
	}
	if out := fire(); out != (db.Fired{Skipped: db.SkippedOverlap}) {
		t.Errorf("while the job waits: %+v", out)
	}
	s.Work()
	if out := fire(); out != (db.Fired{Job: "nightly-1"}) {
		t.Errorf("with a job of the name there: %+v", out)
	}
	s.WantJob("nightly-1", job.StateCompleted, job.Counts{Completed: 2}, 0)
	f := firing(s.MustSchedule("nightly"))
	f.Error = "the file is wrong"
	s.mustFire(f)
	if got := s.MustSchedule("nightly"); got.Error != f.Error || !got.NextAt.Equal(f.Next) {
		t.Errorf("after an error: %+v", got)
	}
	f = firing(s.MustSchedule("nightly"))
	f.At, f.Lost = time.Time{}, f.At
	s.mustFire(f)
	if got := s.MustSchedule("nightly"); got.Skipped != "missed" || !got.SkippedAt.Equal(f.Lost) || got.Error != "" {
		t.Errorf("after a missed time: %+v", got)
	}
}
