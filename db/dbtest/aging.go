package dbtest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
)

// age ranks all tasks by an interval, some in each commit, and calls between after each.
func (s *Store) age(interval time.Duration, some int, between func()) {
	s.T.Helper()
	for did := true; did; {
		var err error
		if did, err = s.Age(ctx, interval, some); err != nil {
			s.T.Fatal(err)
		}
		s.Sound()
		between()
	}
	var n int
	if err := s.sql().QueryRow(`SELECT count(*) FROM setting WHERE key = 'aging_rank'`).Scan(&n); err != nil || n != 0 {
		s.T.Errorf("to %s: the database is ranked in part, %v", interval, err)
	}
}

// waitBehind queues a task of priority 0 and returns after how many minutes it starts (-1: not in time), while a task of
// priority high is queued every minute, and another one ends, in their job and in another.
func (s *Store) waitBehind(now *time.Time, name string, high, most int) (minutes int) {
	s.T.Helper()
	s.MustEnqueue(name, Urgent("low", 0))
	for minutes = range most {
		s.MustEnqueue("high", Urgent("", high))
		a := s.MustClaim()
		s.MustFinish(a, Success)
		if a.Task == "low" {
			return minutes
		}
		*now = now.Add(time.Minute)
	}
	return -1
}

func (e suite) ATaskOfLowPriorityRunsInTheEnd(t *testing.T) {
	for _, name := range []string{"other", "high"} { // of another job, and of the same
		now := time.Date(2026, 3, 4, 10, 0, 30, 0, time.UTC)
		s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
		if got := s.waitBehind(&now, name, 3, 500); got != -1 {
			t.Errorf("job %s: without aging it runs after %d minutes", name, got)
		}
		s.Work()
		s.age(10*time.Minute, 1000, func() {})
		if _, err := s.RemoveJobs(ctx, []string{name}); err != nil {
			t.Fatal(err)
		}
		got := s.waitBehind(&now, name, 3, 500)
		if got < 20 || got > 41 {
			t.Errorf("job %s: with three steps of 10 minutes it runs after %d minutes", name, got)
		}
		if p := s.MustTask(name, "low").Priority; p != 0 {
			t.Errorf("job %s: its priority is shown as %d", name, p)
		}
		s.Sound()
	}
}

// asked returns what was asked for, by the rows of the tasks.
func (s *Store) asked(names ...string) map[string]int {
	s.T.Helper()
	out := map[string]int{}
	for _, name := range names {
		tasks, err := s.Tasks(ctx, name)
		if err != nil {
			s.T.Fatal(err)
		}
		for _, task := range tasks {
			out[name+"/"+task.ID] = task.Priority
		}
	}
	return out
}

// inOrder fails if a task would run before an older one of its job, of the same priority.
func (s *Store) inOrder(when string) {
	s.T.Helper()
	var n int
	err := s.sql().QueryRow(`
SELECT count(*)
FROM task a
JOIN task b ON b.job = a.job
WHERE a.id < b.id
  AND a.priority + a.late = b.priority + b.late
  AND a.priority < b.priority`).Scan(&n)
	if err != nil || n > 0 {
		s.T.Fatalf("%s: %d pairs are out of order, %v", when, n, err)
	}
}

// late counts the tasks that are ranked lower than what was asked for.
func (s *Store) late() (n int) {
	s.T.Helper()
	if err := s.sql().QueryRow(`SELECT count(*) FROM task WHERE late <> 0`).Scan(&n); err != nil {
		s.T.Fatal(err)
	}
	return n
}

func (e suite) TasksKeepTheirOrderWhileTheyAreRankedAnew(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 1))
		now := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
		s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
		count := 0
		queue := func() {
			for range random.IntN(4) {
				count++
				s.MustEnqueue(fmt.Sprint("j", random.IntN(2)), Urgent(fmt.Sprint(count), random.IntN(3)))
				now = now.Add(time.Duration(random.IntN(1200)) * time.Second)
			}
		}
		s.MustEnqueue("j0", Task("first"))
		s.MustEnqueue("j1", Task("first"))
		for range 10 {
			queue()
		}
		for _, interval := range []time.Duration{10 * time.Minute, time.Hour, time.Hour, 0, time.Second, 7 * time.Minute, 0} {
			before := s.asked("j0", "j1")
			s.age(interval, 5, func() {
				s.inOrder(fmt.Sprintf("seed %d, to %s", seed, interval))
				after := s.asked("j0", "j1")
				for id := range after {
					if _, ok := before[id]; !ok {
						delete(after, id)
					}
				}
				if diff := cmp.Diff(before, after); diff != "" {
					t.Fatalf("what was asked for has changed: %s", diff)
				}
				if random.IntN(2) == 0 {
					queue()
					s.inOrder("after more")
				}
			})
			if n := s.late(); interval == 0 && n > 0 {
				t.Errorf("without aging, %d tasks are late", n)
			}
			queue()
		}
		s.Sound()
	}
}

func (e suite) ARankingThatWasInterruptedIsCompletedFirst(t *testing.T) {
	s := e.open(t)
	for i := range 10 {
		s.MustEnqueue("j", Task(fmt.Sprint(i)))
	}
	if did, err := s.Age(ctx, time.Minute, 3); err != nil || !did {
		t.Fatalf("something was done: %t, %v", did, err)
	}
	s.age(0, 3, func() { s.inOrder("back to none") }) // what a manager does that has another configuration
	if did, err := s.Age(ctx, 0, 3); err != nil || did {
		t.Errorf("something was done again: %t, %v", did, err)
	}
	if n := s.late(); n != 0 {
		t.Errorf("%d tasks are late", n)
	}
}

func (e suite) AClockThatIsSetBackKeepsTheOrderOfAJob(t *testing.T) {
	now := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	s.age(time.Minute, 10, func() {})
	s.MustEnqueue("j", Task("a"))
	now = now.Add(-3 * time.Hour)
	s.MustEnqueue("j", Task("b"))
	now = now.Add(time.Hour)
	s.MustEnqueue("j", Task("c"))
	s.inOrder("clock set back")
	s.age(time.Hour, 2, func() { s.inOrder("ranked") })
	if diff := cmp.Diff([]string{"a", "b", "c"}, s.Work()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func (e suite) WhatIsKeptOfATaskThatAges(t *testing.T) {
	now := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	s.age(time.Minute, 10, func() {})
	imported := ATask("old")
	imported.CreatedAt, imported.Priority = now.Add(-time.Hour), 1
	s.MustImport("moved", imported)
	s.MustEnqueue("young", Urgent("y", 50)) // an hour of waiting is more
	if a := s.MustClaim(); a.Task != "old" {
		t.Errorf("%s goes first, and not what was queued an hour before", a.Task)
	} else {
		s.MustFinish(a, Failure)
	}
	now = now.Add(2 * time.Hour)
	s.MustReset("moved") // it keeps its age
	if a := s.MustClaim(); a.Task != "old" {
		t.Errorf("%s goes before what was reset", a.Task)
	} else {
		s.MustFinish(a, Success)
	}
	s.runFile("file", []string{"f"}, Urgent("f", 2))
	if _, err := s.resume("file", Urgent("f", 4)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rerun(ctx, "file", "again"); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"moved/old": 1, "young/y": 50, "file/f": 4, "again/f": 4}
	if diff := cmp.Diff(want, s.asked("moved", "young", "file", "again")); diff != "" {
		t.Errorf("priorities (-want +got):\n%s", diff)
	}
	listed := map[string]int{}
	if err := s.ListTasks(ctx, db.TasksQuery{}, func(l db.Listed) error {
		listed[l.Job+"/"+l.ID] = l.Priority
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	s.Sound()
}

func (e suite) AMovedTaskIsAsOldAsThoseAmongWhichItIsMoved(t *testing.T) {
	now := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	s.age(time.Minute, 10, func() {})
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		s.MustEnqueue("j", Task(id))
		now = now.Add(time.Hour)
	}
	for _, m := range []db.Move{{Tasks: []string{"e"}}, {Tasks: []string{"a"}, Last: true}, {Tasks: []string{"d"}, Before: "c"}} {
		if out, err := s.Move(ctx, "j", m); err != nil || len(out.Outranked) > 0 {
			t.Errorf("%+v: %+v, %v", m, out, err)
		}
		s.Sound()
	}
	s.MustEnqueue("j", Task("new"))
	if diff := cmp.Diff([]string{"e", "b", "d", "c", "a", "new"}, s.Work()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for id, p := range s.asked("j") {
		if p != 0 {
			t.Errorf("the priority of %s is shown as %d", id, p)
		}
	}
}
