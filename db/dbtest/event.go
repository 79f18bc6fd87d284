package dbtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// MustEvents reads all events behind a cursor.
func (s *Store) MustEvents(after db.Cursor) ([]db.Event, db.Cursor) {
	s.T.Helper()
	var out []db.Event
	for {
		page, err := s.Events(ctx, after, db.EventQuery{})
		if err != nil {
			s.T.Fatal(err)
		}
		out, after = append(out, page.Events...), page.Cursor
		if !page.More {
			return out, after
		}
	}
}

// wantEvents compares the events behind a cursor, in a short form, and returns the cursor
// behind them.
func (s *Store) wantEvents(after db.Cursor, want ...string) db.Cursor {
	s.T.Helper()
	events, at := s.MustEvents(after)
	got := []string{}
	for _, e := range events {
		got = append(got, short(e))
	}
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		s.T.Errorf("events (-want +got):\n%s", diff)
	}
	return at
}

// short is what an event says, as words.
func short(e db.Event) string {
	words := []string{e.Type}
	add := func(format string, v any, is bool) {
		if is {
			words = append(words, fmt.Sprintf(format, v))
		}
	}
	add("%s", e.Job, e.Job != "")
	add("%s", e.Task, e.Task != "")
	add("#%d", e.Attempt, e.Attempt > 0)
	add("%s", e.State, e.State != "")
	add("%d", e.Count, e.Count > 0)
	add("of %d", e.Last-e.First+1, e.First > 0)
	if r := e.Result; r != nil {
		add("%s", r.Status, true)
		add("%s", r.Reason, r.Reason != "")
		if r.ExitCode != nil {
			add("code %d", *r.ExitCode, true)
		}
		add("%s", r.Signal, r.Signal != "")
	}
	add("%s", e.Name, e.Name != "")
	return strings.Join(words, " ")
}

// The life of a task is in the feed, in order, and each event once.
func (e suite) EventsOfALife(t *testing.T) {
	s := e.open(t)
	at := s.wantEvents("")
	s.MustEnqueue("j", Task("a"), Task("b", "a"))
	at = s.wantEvents(at, "job.created j waiting", "tasks.added j 2 of 2")
	a := s.MustClaim()
	at = s.wantEvents(at, "task.started j a #1", "job.changed j working")
	s.MustFinish(a, job.Result{Status: job.Completed, ExitCode: new(0)})
	at = s.wantEvents(at, "task.ended j a #1 completed code 0")
	a = s.MustClaim()
	if _, err := s.Cancel(ctx, "j", "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cancel(ctx, "j", "b"); err != nil { // asked twice, told once
		t.Fatal(err)
	}
	s.MustFinish(a, job.Result{Status: job.Failed, Reason: job.Cancelled, Signal: "SIGTERM"})
	at = s.wantEvents(at, "task.started j b #1", "task.cancelling j b #1", "task.ended j b #1 failed cancelled SIGTERM", "job.changed j failed")
	if _, err := s.Reset(ctx, "j", db.Which{Tasks: []string{"b"}}); err != nil {
		t.Fatal(err)
	}
	at = s.wantEvents(at, "tasks.reset j b 1", "job.changed j waiting")
	if _, err := s.Cancel(ctx, "j", ""); err != nil {
		t.Fatal(err)
	}
	at = s.wantEvents(at, "tasks.cancelled j 1", "job.changed j failed")
	if _, err := s.Dismiss(ctx, "j", nil); err != nil {
		t.Fatal(err)
	}
	at = s.wantEvents(at, "tasks.dismissed j 1", "job.changed j completed")
	if _, err := s.RemoveTasks(ctx, "j", []string{"b"}); err != nil {
		t.Fatal(err)
	}
	at = s.wantEvents(at, "tasks.removed j 1")
	if _, err := s.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	s.wantEvents(at, "job.removed j j")
}

// What a runner gives back is pending again, and what is tried again says when.
func (e suite) EventsOfReturnsAndRetries(t *testing.T) {
	s := e.open(t)
	again := Task("a")
	again.Retries = 1
	s.MustEnqueue("j", again)
	_, at := s.MustEvents("")
	if given, err := s.GiveBack(ctx, s.MustClaim()); err != nil || !given {
		t.Fatal(given, err)
	}
	at = s.wantEvents(at, "task.started j a #1", "job.changed j working", "tasks.reset j a 1", "job.changed j waiting")
	s.MustFinish(s.MustClaim(), job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: new(3)})
	events, _ := s.MustEvents(at)
	s.wantEvents(at, "task.started j a #1", "job.changed j working", "task.ended j a #1 failed exited code 3", "task.retrying j a #1")
	if due := events[3].Due; !due.After(events[2].At) {
		t.Errorf("it is tried again at %v, and ended at %v", due, events[2].At)
	}
}

// A batch is one event, and so is what is done to all of a job.
func (e suite) EventsOfManyTasksAreOne(t *testing.T) {
	s := e.open(t)
	var tasks []job.Spec
	for i := range 2500 {
		tasks = append(tasks, Task(fmt.Sprint(i)))
	}
	s.MustEnqueue("j", tasks...)
	at := s.wantEvents("", "job.created j waiting", "tasks.added j 2500 of 2500")
	if _, err := s.Cancel(ctx, "j", ""); err != nil {
		t.Fatal(err)
	}
	at = s.wantEvents(at, "tasks.cancelled j 2500", "job.changed j failed")
	if _, err := s.Reset(ctx, "j", db.Which{Cancelled: true}); err != nil {
		t.Fatal(err)
	}
	s.wantEvents(at, "tasks.reset j 2500", "job.changed j waiting")
}

// What is undone leaves no event.
func (e suite) EventsOfWhatIsUndone(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	_, at := s.MustEvents("")
	if _, err := s.Enqueue(ctx, db.Batch{Job: "k", Tasks: Specs(Task("b"), Task("b"))}); !errors.Is(err, db.ErrDuplicate) {
		t.Fatal(err)
	}
	s.wantEvents(at)
}

// A cursor is good for the events behind it, and for no others.
func (e suite) EventCursors(t *testing.T) {
	s := e.open(t)
	before, err := s.AsOf(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("j", Task("a"), Task("b"))
	s.MustClaim()
	all, end := s.MustEvents("")
	for i, event := range all {
		if rest, at := s.MustEvents(event.Cursor); at != end || !cmp.Equal(rest, append([]db.Event(nil), all[i+1:]...)) {
			t.Errorf("behind event %d there are %d more, want %d", i, len(rest), len(all)-i-1)
		}
	}
	if rest, _ := s.MustEvents(before); !cmp.Equal(rest, all) {
		t.Errorf("%d events since the beginning, want %d", len(rest), len(all))
	}
	words := strings.Split(string(end), ".")
	for c, gone := range map[db.Cursor]bool{
		"x": false, "1.2": false, ".1.": true, db.Cursor(words[0] + ".-1.0"): false, db.Cursor(words[0] + ".x.0"): false,
		db.Cursor("00000000." + words[1] + "." + words[2]): true, // of another database
		db.Cursor(words[0] + "." + words[1] + ".zz"):       true, // of another copy
		db.Cursor(words[0] + ".4711." + words[2]):          true,
		db.Cursor(words[0] + ".0.1"):                       true,
	} {
		var wrong *db.CursorError
		if _, err := s.Events(ctx, c, db.EventQuery{}); !errors.As(err, &wrong) || !errors.Is(err, db.ErrCursor) || wrong.Gone != gone || wrong.Oldest != all[0].Cursor {
			t.Errorf("cursor %q: %v %+v, want that it is gone: %t", c, err, wrong, gone)
		}
	}
}

// A filter leaves out events, and the cursor still passes them.
func (e suite) EventFilters(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	s.MustEnqueue("k", Task("b"), Task("c"))
	s.MustClaim()
	all, end := s.MustEvents("")
	for _, c := range []struct {
		q    db.EventQuery
		want []string
	}{
		{db.EventQuery{Jobs: []string{"k"}}, []string{"job.created k waiting", "tasks.added k 2 of 2"}},
		{db.EventQuery{Types: []string{"task."}}, []string{"task.started j a #1"}},
		{db.EventQuery{Types: []string{"task", "job.changed"}}, []string{"job.changed j working"}},
		{db.EventQuery{Jobs: []string{"k"}, Types: []string{"task."}}, nil},
	} {
		page, err := s.Events(ctx, "", c.q)
		var got []string
		for _, event := range page.Events {
			got = append(got, short(event))
		}
		if err != nil || page.Cursor != end || page.More || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, cursor %s, %v, want %q and cursor %s", c.q, got, page.Cursor, err, c.want, end)
		}
	}
	var got []db.Event
	for at, more := db.Cursor(""), true; more; {
		page, err := s.Events(ctx, at, db.EventQuery{Limit: 1})
		if err != nil || len(page.Events) > 1 {
			t.Fatal(page, err)
		}
		got, at, more = append(got, page.Events...), page.Cursor, page.More
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("one by one (-want +got):\n%s", diff)
	}
}

// A list and its cursor are of one instant.
func (e suite) ListsAsOfACursor(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	var pending int
	at, err := s.AsOf(ctx, func(d *db.DB) error {
		s.MustEnqueue("j", Task("b")) // beside the reading
		j, err := d.Job(ctx, "j")
		pending = j.Tasks.Pending
		if _, err := d.Reset(ctx, "j", db.Which{}); err == nil {
			t.Error("it writes")
		}
		return err
	})
	if err != nil || pending != 1 {
		t.Errorf("%d pending tasks, %v", pending, err)
	}
	s.wantEvents(at, "tasks.added j 1 of 1")
}

// The oldest events go, the newest stays, and nothing that a reader has not seen goes.
func (e suite) EventsArePruned(t *testing.T) {
	now := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	for range 5 {
		s.MustEnqueue("j", Task(""))
	}
	old := now
	now = now.Add(time.Hour)
	s.MustEnqueue("j", Task(""), Task(""))
	s.fold()                     // or they stay
	all, end := s.MustEvents("") // 1 created, 6 added
	prune := func(before time.Time, keep int64, most, want int) {
		t.Helper()
		n, err := s.PruneEvents(ctx, before, keep, most)
		left, _ := s.MustEvents("")
		if err != nil || n != want || !cmp.Equal(left, all[len(all)-len(left):]) {
			t.Errorf("%d pruned, %d left, %v, want %d pruned", n, len(left), err, want)
		}
	}
	if err := s.SetReader(ctx, "slow", all[1].Cursor); err != nil {
		t.Fatal(err)
	}
	prune(old, 100, 100, 0)
	prune(old.Add(time.Microsecond), 100, 100, 1) // the reader goes on behind the second
	if at, err := s.Reader(ctx, "slow"); err != nil || at != all[1].Cursor {
		t.Errorf("the reader is at %s, %v", at, err)
	}
	// One that may miss events keeps none.
	if at, err := s.Place(ctx, "quick"); err != nil || at != "" {
		t.Errorf("before it has read, the other is at %q, %v", at, err)
	}
	if err := s.SetPlace(ctx, "quick", all[1].Cursor); err != nil {
		t.Fatal(err)
	}
	if at, err := s.Place(ctx, "quick"); err != nil || at != all[1].Cursor {
		t.Errorf("the other is at %s, %v", at, err)
	}
	if err := s.RemoveReader(ctx, "slow"); err != nil {
		t.Fatal(err)
	}
	prune(old, 5, 100, 1)
	prune(old.Add(time.Microsecond), 100, 2, 2)
	prune(old.Add(time.Microsecond), 100, 100, 2)
	prune(now.Add(time.Hour), 0, 100, 0)
	var wrong *db.CursorError
	if _, err := s.Events(ctx, all[0].Cursor, db.EventQuery{}); !errors.As(err, &wrong) || wrong.Oldest != end {
		t.Errorf("from a cursor that is too old: %v", err)
	}
	s.wantEvents(end)
	at, err := s.Place(ctx, "quick")
	if err == nil {
		err = s.CheckCursor(ctx, at)
	}
	if !errors.As(err, &wrong) || !wrong.Gone {
		t.Errorf("a place whose event was pruned: %v", err)
	}
}

// Numbers of jobs and tasks are not given twice, so events name them for good.
func (e suite) EventsNameWhatIsGone(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	s.MustEnqueue("j", Task("b"))
	if _, err := s.RemoveTasks(ctx, "j", []string{"b"}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("j", Task("c"))
	if _, err := s.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("k", Task("d"))
	if _, err := s.PruneTasks(ctx, nil, false); err != nil {
		t.Fatal(err)
	}
	events, _ := s.MustEvents("")
	seen := map[int64]bool{}
	want := ""
	for _, event := range events {
		if event.Type == db.TasksAdded {
			if seen[event.First] {
				t.Errorf("number %d is given twice", event.First)
			}
			seen[event.First] = true
		}
		if event.Type == db.JobCreated {
			want = map[string]string{"": "j", "j": "k"}[want]
		}
		if event.Job != want {
			t.Errorf("%s is about job %q, want %q", event.Type, event.Job, want)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d batches", len(seen))
	}
}

// Whoever reads anew what the events name has an equal list, whatever was done. The random
// operations follow, too; here is what they do not do.
func (e suite) ListsAreKeptByEvents(t *testing.T) {
	now := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { now = now.Add(time.Microsecond); return now }})
	f := s.follow()
	do := func(what string, fn func() error) {
		t.Helper()
		if err := fn(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		f.catchUp()
	}
	late, again, after := Task("late"), Task("again"), Task("after")
	late.Delay, again.Retries = time.Hour, 1
	after.Dependencies, after.RunIf = []string{"again"}, job.RunOnFailure
	do("enqueue", func() error { s.MustEnqueue("j", again, late, after); return nil })
	var a *db.Assignment
	do("claim", func() error { a = s.MustClaim(); return nil })
	do("stick", func() error { return s.SetStuck(ctx, a.Token, "it hangs") })
	do("freeze", func() error { return s.SetFrozen(ctx, a, true) })
	do("thaw", func() error { return s.SetFrozen(ctx, a, false) })
	do("fail", func() error { s.MustFinish(a, job.Result{Status: job.Failed, Reason: job.Exited}); return nil })
	now = now.Add(2 * time.Hour)
	do("let go", func() error { _, err := s.LetGo(ctx, 10); return err })
	do("claim again", func() error { a = s.MustClaim(); return nil })
	do("complete, and skip", func() error { s.MustFinish(a, job.Result{Status: job.Completed}); return nil })
	if task, err := s.Task(ctx, "j", "after"); err != nil || task.Reason != job.Skipped {
		t.Fatalf("%+v, %v", task, err)
	}
	do("set", func() error {
		_, err := s.SetJob(ctx, "j", db.JobChange{Priority: new(3), RetryHolds: new(false)})
		return err
	})
	do("pause", func() error { _, err := s.PauseJobs(ctx, []string{"j"}, false); return err })
	do("resume", func() error { _, err := s.ResumeJobs(ctx, []string{"j"}); return err })
	do("add with settings", func() error {
		_, err := s.Enqueue(ctx, db.Batch{Job: "j", IfAbsent: true, RetryHolds: new(true), Tasks: Specs(late)})
		return err
	})
	do("retry", func() error {
		_, err := s.Retry(ctx, "j", db.Retry{Which: db.Which{Tasks: []string{"again"}}, Completed: true, Downstream: true})
		return err
	})
	do("edit", func() error {
		_, err := s.Edit(ctx, "j", []string{"again"}, func(s *job.Spec) error { s.Command = "false"; return nil })
		return err
	})
	do("move", func() error { _, err := s.Move(ctx, "j", db.Move{Tasks: []string{"again"}, Last: true}); return err })
	do("cancel some", func() error { _, err := s.CancelTasks(ctx, "j", []string{"again", "late"}); return err })
	do("import", func() error { s.MustImport("k", ACompleted("x")); return nil })
	do("prune tasks", func() error {
		return s.EndedTasks(ctx, db.PruneQuery{Tasks: true, Before: now.Add(time.Hour)}, nil, func(ids []int64) error { _, err := s.PruneTasks(ctx, ids, false); return err })
	})
	do("prune jobs", func() error {
		jobs, err := s.EndedJobs(ctx, db.PruneQuery{Jobs: true})
		if err == nil {
			_, _, err = s.PruneJobs(ctx, jobs, 100)
		}
		return err
	})
	events, _ := s.MustEvents("")
	seen := map[string]bool{}
	for _, e := range events {
		seen[e.Type] = true
	}
	for _, kind := range []string{db.TasksReady, db.TasksRemoved, db.JobRemoved, db.JobPaused, db.JobResumed, db.TaskChanged, db.TaskRetrying} {
		if !seen[kind] {
			t.Errorf("there was no %s", kind)
		}
	}
}

// What is about no job is in the feed, too.
func (e suite) EventsAboutNoJob(t *testing.T) {
	s := e.open(t)
	at := s.wantEvents("")
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(s.RegisterManager(ctx, db.Instance{ID: "m"}))
	for range 2 { // the second changes nothing
		_, err := s.PauseAll(ctx, false)
		do(err)
	}
	_, err := s.ResumeAll(ctx)
	do(err)
	for range 2 {
		_, _, err = s.SetPool(ctx, "gpu", 2, false)
		do(err)
	}
	_, err = s.RemovePool(ctx, "gpu", false)
	do(err)
	do(s.ManagerStopped(ctx, "m"))
	do(s.ManagerStopped(ctx, "another"))
	s.wantEvents(at, "manager.started m", "queue.paused", "queue.resumed", "pool.changed gpu", "pool.changed gpu", "manager.stopped m")
}
