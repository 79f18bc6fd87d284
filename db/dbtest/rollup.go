package dbtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// fold counts all events that were not counted yet.
func (s *Store) fold() {
	s.T.Helper()
	for more := true; more; {
		var err error
		if more, err = s.Fold(ctx); err != nil {
			s.T.Fatal(err)
		}
	}
}

// MustMeters folds, and reads what was counted.
func (s *Store) MustMeters(jobs ...string) db.Meters {
	s.T.Helper()
	s.fold()
	m, err := s.Meters(ctx, jobs)
	if err != nil {
		s.T.Fatal(err)
	}
	return m
}

// spans returns the names and the sums of the spans of a scope.
func (s *Store) spans(scope db.Scope) (out []*db.Span) {
	s.T.Helper()
	err := s.Rollups(ctx, scope, time.Time{}, time.Now().AddDate(10, 0, 0), 1e6, func(one *db.Span) { out = append(out, one) })
	if err != nil {
		s.T.Fatal(err)
	}
	return out
}

// Whatever was done, what was counted is what the rows say: in the sums from the
// beginning on, in the minutes, and in the hours of jobs and commands.
func (e suite) RollupsAddUp(t *testing.T) {
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: Ticking(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))})
	random := random(t)
	var held []*db.Assignment
	queued := 0
	for range steps(400) {
		name := fmt.Sprint("job", random.IntN(3))
		switch random.IntN(6) {
		case 0:
			again := job.Spec{Command: "/bin/true", Retries: random.IntN(2)}
			s.MustEnqueue(name, job.Spec{Command: "true"}, again)
			queued += 2
		case 1, 2:
			if a := s.ClaimAny(50); a != nil {
				held = append(held, a)
			}
		case 3, 4:
			if len(held) > 0 {
				s.MustFinish(held[0], []job.Result{Success, Failure, {Status: job.Failed, Reason: job.TimedOut}}[random.IntN(3)])
				held = held[1:]
			}
			if _, err := s.LetGo(ctx, 10); err != nil {
				t.Fatal(err)
			}
		case 5:
			if _, err := s.Reset(ctx, name, db.Which{}); err != nil && random.IntN(9) == 0 {
				t.Log(err)
			}
			s.fold()
		}
	}
	m := s.MustMeters("job0", "job1", "job2", "job3")
	if m.Lag != 0 || m.Running != len(held) || len(m.Jobs) != 3 {
		t.Errorf("lag %v, %d running, want %d; jobs %v", m.Lag, m.Running, len(held), m.Jobs)
	}
	want := map[string]int{}
	for _, a := range must(s.attemptEnds()) {
		want["started"]++
		if a.status != string(job.Running) {
			want[a.status+" "+a.reason]++
		}
	}
	want["added"] = queued
	sums := map[string]*db.Rollup{"ever": &m.Counted, "jobs ever": {}}
	for i := range m.Jobs {
		sums["jobs ever"].Add(&m.Jobs[i].Counted)
	}
	for _, scope := range []db.Scope{db.OfAll, db.OfJob, db.OfCommand} {
		sums[string(scope)] = &db.Rollup{}
		for _, one := range s.spans(scope) {
			sums[string(scope)].Add(&one.Rollup)
		}
	}
	sums["command"].Added = int64(queued) // it is not known of which
	for name, r := range sums {
		if diff := cmp.Diff(want, counted(r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if n := r.Wait.Count(); n != r.Started {
			t.Errorf("%s: %d waits of %d attempts", name, n, r.Started)
		}
		if n := r.Completed.Count() + r.Failed.Count(); n != r.Attempts() {
			t.Errorf("%s: %d durations of %d attempts", name, n, r.Attempts())
		}
	}
	before := s.MustMeters()
	if diff := cmp.Diff(before, s.MustMeters()); diff != "" {
		t.Errorf("they were counted again: %s", diff)
	}
}

func counted(r *db.Rollup) map[string]int {
	out := map[string]int{"added": int(r.Added), "started": int(r.Started)}
	for i, n := range r.Ended {
		if status, reason := db.Outcome(i); n > 0 {
			out[string(status)+" "+string(reason)] = int(n)
		}
	}
	return out
}

type attemptEnd struct{ status, reason string }

// attemptEnds are how all attempts have ended.
func (s *Store) attemptEnds() (out []attemptEnd, err error) {
	rows, err := s.sql().Query(`SELECT status, coalesce(reason, '') FROM attempt`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a attemptEnd
		if err := rows.Scan(&a.status, &a.reason); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A wait begins when a task could have run: when it was queued, when the last of what it
// needs has ended, when its time has come, when it was reset, when its retry is due.
func (e suite) AWaitBeginsWhenATaskCouldHaveRun(t *testing.T) {
	s := e.timed(t)
	waited := func(job, what string, want time.Duration) {
		t.Helper()
		before := s.MustMeters().Counted.Wait
		s.MustFinish(s.MustClaim(job), Failure)
		after := s.MustMeters().Counted.Wait
		if got := time.Duration(after.Sum-before.Sum) * time.Microsecond; got != want || after.Count() != before.Count()+1 {
			t.Errorf("%s: it waited %v, want %v", what, got, want)
		}
	}
	letGo := func() {
		t.Helper()
		if _, err := s.LetGo(ctx, 10); err != nil {
			t.Fatal(err)
		}
	}
	pass := func(d time.Duration) { s.now = s.now.Add(d) }
	again := Task("again")
	again.Retries, again.Retry = 1, job.Retry{Delay: time.Minute}
	s.MustEnqueue("j", again)
	pass(3 * time.Second)
	waited("j", "queued", 3*time.Second)
	due, err := s.Due(ctx)
	if err != nil || !due.After(s.now) {
		t.Fatalf("it is due at %v, %v", due, err)
	}
	s.now = due.Add(5 * time.Second)
	letGo()
	pass(time.Second)
	waited("j", "retried", 6*time.Second)
	pass(time.Hour)
	s.MustReset("j")
	pass(2 * time.Second)
	waited("j", "reset", 2*time.Second) // and it is tried again

	s.MustCancel("j", "")
	s.MustEnqueue("k", later("late", time.Hour))
	pass(time.Hour + 4*time.Second)
	letGo()
	waited("k", "delayed", 4*time.Second)

	s.MustEnqueue("m", Task("a"), Task("b", "a"))
	a := s.MustClaim("m")
	pass(time.Hour)
	s.MustFinish(a, Success)
	s.fold()
	pass(7 * time.Second)
	before := s.MustMeters()
	if s.now.Sub(before.OldestReady) != 7*time.Second {
		t.Errorf("b could run since %v, and it is %v", before.OldestReady, s.now)
	}
	waited("m", "after another", 7*time.Second)

	s.MustEnqueue("n", Task("a"))
	pass(-time.Minute)
	waited("n", "the clock is set back", 0)
}

// The sums of a job that is removed go with it: one of the same name begins anew. Those of
// its hours stay.
func (e suite) TheSumsOfARemovedJobBeginAnew(t *testing.T) {
	s := e.open(t)
	for range 2 {
		s.MustEnqueue("j", Task("a"))
		s.Work()
		if m := s.MustMeters("j"); len(m.Jobs) != 1 || m.Jobs[0].Counted.Attempts() != 1 {
			t.Errorf("%+v", m.Jobs)
		}
		if _, err := s.RemoveJobs(ctx, []string{"j"}); err != nil {
			t.Fatal(err)
		}
	}
	if m := s.MustMeters("j"); len(m.Jobs) != 0 || m.Counted.Attempts() != 2 {
		t.Errorf("%+v, %d attempts", m.Jobs, m.Counted.Attempts())
	}
	n := int64(0)
	for _, one := range s.spans(db.OfJob) {
		n += one.Attempts()
	}
	if n != 2 {
		t.Errorf("%d attempts in the hours", n)
	}
}

// However many commands there are, a thousand have sums of their own.
func (e suite) ManyCommandsAreCountedAsOne(t *testing.T) {
	s := e.open(t)
	var tasks []job.Spec
	for i := range 1010 {
		tasks = append(tasks, job.Spec{Command: fmt.Sprint("/opt/c", i)})
	}
	s.MustEnqueue("j", tasks...)
	s.Work()
	s.fold()
	names := map[string]int64{}
	for _, one := range s.spans(db.OfCommand) {
		names[one.Name] += one.Attempts()
	}
	if len(names) != 1001 || names["c0"] != 1 || names[db.OtherCommand] != 10 {
		t.Errorf("%d names, %d attempts of others", len(names), names[db.OtherCommand])
	}
}

// Minutes are kept for 30 days, hours for a year. What is older is deleted a span at a
// time, with what is counted then; the sums from the beginning on stay.
func (e suite) OldRollupsAreDeleted(t *testing.T) {
	s := e.timed(t)
	work := func() {
		s.MustEnqueue("j", job.Spec{Command: "true"})
		s.Work()
		s.fold()
	}
	want := func(minutes, hours int) {
		t.Helper()
		if m, h := len(s.spans(db.OfAll)), len(s.spans(db.OfCommand)); m != minutes || h != hours {
			t.Errorf("%d minutes and %d hours, want %d and %d", m, h, minutes, hours)
		}
	}
	work()
	want(1, 1)
	s.now = s.now.Add(29 * 24 * time.Hour)
	work()
	want(2, 2)
	s.now = s.now.Add(2 * 24 * time.Hour)
	work()
	want(2, 3)
	s.now = s.now.Add(364 * 24 * time.Hour)
	work()
	want(2, 3)
	if m := s.MustMeters(); m.Counted.Attempts() != 4 {
		t.Errorf("%d attempts", m.Counted.Attempts())
	}
}

// Events that were not counted are not pruned.
func (e suite) EventsAreCountedBeforeTheyArePruned(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	s.Work()
	prune := func() int { return must(s.PruneEvents(ctx, time.Now().Add(time.Hour), 1, 100)) }
	if n := prune(); n != 0 {
		t.Errorf("%d events were deleted", n)
	}
	if m, err := s.Meters(ctx, nil); err != nil || m.Lag <= 0 {
		t.Errorf("lag %v, %v", m.Lag, err)
	}
	s.fold()
	if n := prune(); n == 0 {
		t.Error("no event was deleted")
	}
	if m := s.MustMeters(); m.Counted.Attempts() != 1 {
		t.Errorf("%d attempts", m.Counted.Attempts())
	}
}
