package db_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func TestDependenciesOfABatchMayComeInAnyOrder(t *testing.T) {
	for _, tasks := range [][]job.Spec{
		{task("a"), task("b", "a"), task("c", "a", "b")},
		{task("c", "a", "b"), task("b", "a"), task("a")},
		{task("b", "a"), task("c", "a", "b"), task("a")},
	} {
		s := open(t)
		s.enqueue("j", tasks...)
		s.wantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 2)
		s.sound()
		if got, want := s.work(), []string{"a", "b", "c"}; !cmp.Equal(got, want) {
			t.Errorf("order %q, want %q", got, want)
		}
		if diff := cmp.Diff([]string{"a", "b"}, s.task("j", "c").Dependencies); diff != "" {
			t.Errorf("dependencies (-want +got):\n%s", diff)
		}
	}
}

func TestABatchIsRefusedAsAWhole(t *testing.T) {
	for _, c := range []struct {
		name  string
		tasks []job.Spec
		want  error
		says  []string
	}{
		{"unknown dependency", []job.Spec{task("x"), task("y", "x", "nobody")}, db.ErrNoTask, []string{`"y"`, `"nobody"`}},
		{"dependency of another job", []job.Spec{task("x", "elsewhere")}, db.ErrNoTask, []string{`"elsewhere"`}},
		{"id that is there", []job.Spec{task("x"), task("old")}, db.ErrDuplicate, []string{`"old"`}},
		{"id twice", []job.Spec{task("x"), task("x")}, db.ErrDuplicate, []string{`"x"`}},
		{"cycle of two", []job.Spec{task("x", "y"), task("y", "x")}, db.ErrCycle, []string{"x", "y", "→"}},
		{"cycle of three, with others", []job.Spec{task("u"), task("x", "old", "y"), task("y", "u", "z"), task("z", "x"), task("v", "z")}, db.ErrCycle, []string{"x → y", "z"}},
		{"itself", []job.Spec{task("x", "x")}, nil, []string{`"x"`, "itself"}},
		{"no command", []job.Spec{task("x"), {ID: "y"}}, nil, []string{"command"}},
		{"bad id", []job.Spec{task("x"), task("a\nb")}, nil, []string{"a\\nb"}},
		{"NUL in an argument", []job.Spec{{Command: "true", Args: []string{"ok", "a\x00b"}}}, nil, []string{"argument 2", "NUL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			s.enqueue("j", task("old"))
			s.enqueue("k", task("elsewhere"))
			err := s.refused(db.Batch{Job: "j", Tasks: specs(c.tasks...)})
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			s.sound()
		})
	}
}

func TestTheFirstErrorOfABatchUndoesIt(t *testing.T) {
	s := open(t)
	mine := errors.New("line 3 is bad")
	if err := s.refused(db.Batch{Job: "fresh", Tasks: specs(task("a"), task("b", "nobody"))}); !errors.Is(err, db.ErrNoTask) {
		t.Errorf("error %v, want ErrNoTask", err) // and there is no such job
	}
	err := s.refused(db.Batch{Job: "j", Tasks: func(yield func(job.Spec, error) bool) {
		if yield(task("a"), nil) {
			yield(job.Spec{}, mine)
		}
	}})
	if !errors.Is(err, mine) {
		t.Errorf("error %v, want that of the batch", err)
	}
	if err := s.refused(db.Batch{Job: "bad name", Tasks: specs(task("a"))}); !strings.Contains(err.Error(), "bad name") {
		t.Errorf("error %v does not say the name", err)
	}
}

func TestAutomaticNumbersSkipTakenOnes(t *testing.T) {
	s := open(t)
	numbered := job.Spec{Command: "true"}
	for _, c := range []struct {
		tasks []job.Spec
		want  []string
	}{
		{[]job.Spec{numbered, numbered}, []string{"1", "2"}},
		{[]job.Spec{task("4"), task("5"), task("name")}, []string{"4", "5", "name"}},
		{[]job.Spec{numbered, numbered}, []string{"6", "7"}},
		{[]job.Spec{task("9"), numbered, numbered}, []string{"9", "10", "11"}},
		{[]job.Spec{task("012"), numbered}, []string{"012", "13"}},
	} {
		added := s.enqueue("j", c.tasks...)
		if !cmp.Equal(added.IDs, c.want) || added.Count != len(c.want) {
			t.Errorf("ids %q, %d tasks, want %q", added.IDs, added.Count, c.want)
		}
	}
	if added := s.enqueue("other", numbered); added.IDs[0] != "1" {
		t.Errorf("the first number of another job is %s", added.IDs[0])
	}
}

// A task without an id gets its number after its dependencies were looked at,
// and could name itself by that number.
func TestANumberedTaskCannotDependOnItself(t *testing.T) {
	s := open(t)
	err := s.refused(db.Batch{Job: "j", Tasks: specs(job.Spec{Command: "true", Dependencies: []string{"1"}})})
	if !errors.Is(err, db.ErrNoTask) && !errors.Is(err, db.ErrCycle) && !strings.Contains(err.Error(), "itself") {
		t.Errorf("error %v", err)
	}
}

func TestIfAbsentPassesOverWhatIsThere(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b"))
	s.work()
	added, err := s.Enqueue(ctx, db.Batch{Job: "j", IfAbsent: true, Tasks: specs(
		job.Spec{ID: "a", Command: "false"}, task("c", "a"), task("c"), task("b"))})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "c", "c", "b"}; !cmp.Equal(added.IDs, want) || added.Count != 1 {
		t.Errorf("ids %q, %d tasks, want %q, 1", added.IDs, added.Count, want)
	}
	if got := s.task("j", "a"); got.Command != "true" || got.Status != job.Completed {
		t.Errorf("the task that was there is now %+v", got)
	}
	if got := s.work(); !cmp.Equal(got, []string{"c"}) {
		t.Errorf("ran %q, want c", got)
	}
	before := s.dump()
	if added, err = s.Enqueue(ctx, db.Batch{Job: "j", IfAbsent: true, Tasks: specs(task("a"))}); err != nil || added.Count != 0 {
		t.Errorf("again: %+v, %v, want nothing stored", added, err)
	}
	s.unchanged(before)
}

func TestEnvironmentIsStoredOncePerContent(t *testing.T) {
	s := open(t)
	env := func(kv ...string) job.Spec { return job.Spec{Command: "true", Env: kv} }
	s.enqueue("j", env("A=1", "B=2"), env("A=1", "B=2"), env("A=1"), env())
	s.enqueue("k", env("A=1", "B=2"), env("B=2", "A=1"), env("A=1"))
	var stored int
	if err := s.raw().QueryRow("SELECT COUNT(*) FROM environment").Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if stored != 3 {
		t.Errorf("%d environments are stored, want 3", stored)
	}
	want := map[string][][]string{
		"j": {{"A=1", "B=2"}, {"A=1", "B=2"}, {"A=1"}, nil},
		"k": {{"A=1", "B=2"}, {"B=2", "A=1"}, {"A=1"}},
	}
	for name, envs := range want {
		for i, env := range envs {
			a := s.claim(name)
			if !slices.Equal(a.Env, env) {
				t.Errorf("task %d of job %s got %q, want %q", i+1, name, a.Env, env)
			}
			s.finish(a, success)
		}
	}
}

func TestIDsOfALargeBatchAreReadFromTheStore(t *testing.T) {
	s := open(t)
	const many = 5001
	s.enqueue("other", task("x"))
	added, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: func(yield func(job.Spec, error) bool) {
		for range many {
			if !yield(job.Spec{Command: "true"}, nil) {
				return
			}
		}
	}})
	if err != nil || added.Count != many || added.IDs != nil {
		t.Fatalf("added %d tasks, %d ids, %v", added.Count, len(added.IDs), err)
	}
	n := 0
	err = s.EachAdded(ctx, added, func(id string) error {
		if n++; id != fmt.Sprint(n) {
			t.Fatalf("id %d is %q", n, id)
		}
		return nil
	})
	if err != nil || n != many {
		t.Errorf("EachAdded: %d ids, %v", n, err)
	}
}

// subtasks is a batch that a task queues.
func subtasks(name, token string, tasks ...job.Spec) db.Batch {
	return db.Batch{Job: name, Parent: token, MaxSubtasks: 1000, MaxDepth: 16, Tasks: specs(tasks...)}
}

func TestATaskMayQueueTasks(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("p"))
	p := s.claim()
	if _, err := s.Enqueue(ctx, subtasks("j", p.Token, task("c1"), task("c2", "p"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enqueue(ctx, subtasks("elsewhere", p.Token, task("c3"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"c1", "c2"} {
		if got := s.task("j", c).Parent; got != "p" {
			t.Errorf("parent of %s is %q, want p", c, got)
		}
	}
	// Ids are unique in their job only, so a parent elsewhere is not told.
	if got := s.task("elsewhere", "c3").Parent; got != "" {
		t.Errorf("parent of c3, of another job, is %q, want none", got)
	}
	if got := s.task("j", "p").Parent; got != "" {
		t.Errorf("parent of p is %q", got)
	}
	s.finish(p, success)
	if got, want := s.work(), []string{"c1", "c2", "c3"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	s.sound()
}

func TestATaskThatRunsAgainQueuesItsTasksOnce(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("p"))
	p := s.claim()
	batch := func(token string) db.Batch { return subtasks("j", token, task("c1"), task("c2", "c1")) }
	for n := range 2 {
		added, err := s.Enqueue(ctx, batch(p.Token))
		if err != nil || added.Count != 2*(1-n) || !cmp.Equal(added.IDs, []string{"c1", "c2"}) {
			t.Errorf("time %d: %+v, %v", n+1, added, err)
		}
	}
	s.lose("j", "p")
	s.reset("j", "p")
	again := s.claim("j")
	if again.Task != "p" || again.Attempt != 2 {
		t.Fatalf("claimed %+v, want the second attempt of p", again)
	}
	before := s.dump()
	if added, err := s.Enqueue(ctx, batch(again.Token)); err != nil || added.Count != 0 || !cmp.Equal(added.IDs, []string{"c1", "c2"}) {
		t.Errorf("in the second attempt: %+v, %v", added, err)
	}
	s.unchanged(before)
}

func TestATaskCannotQueueWhatAnotherHasQueued(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("p"), task("mine"))
	s.enqueue("k", task("q"))
	p, q := s.claim("j"), s.claim("k")
	if _, err := s.Enqueue(ctx, subtasks("j", p.Token, task("c"))); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]db.Batch{
		"another task's":   subtasks("j", q.Token, task("c")),
		"a user's":         subtasks("j", p.Token, task("mine")),
		"a task's, a user": {Job: "j", Tasks: specs(task("c"))},
	} {
		if err := s.refused(b); !errors.Is(err, db.ErrDuplicate) {
			t.Errorf("%s: %v, want ErrDuplicate", name, err)
		}
	}
}

func TestATaskThatIsOverQueuesNothing(t *testing.T) {
	end := map[string]func(*store, *db.Assignment){
		"finished": func(s *store, p *db.Assignment) { s.finish(p, success) },
		"lost":     func(s *store, _ *db.Assignment) { s.lose("j", "p") },
		"started again": func(s *store, _ *db.Assignment) {
			s.lose("j", "p")
			s.reset("j", "p")
			s.claim()
		},
	}
	for how, f := range end {
		s := open(t)
		s.enqueue("j", task("p"))
		p := s.claim()
		f(s, p)
		for _, name := range []string{"j", "fresh"} {
			if err := s.refused(subtasks(name, p.Token, task("c"))); !errors.Is(err, db.ErrFenced) {
				t.Errorf("%s: %v, want ErrFenced", how, err)
			}
		}
	}
	s := open(t)
	if err := s.refused(subtasks("j", "never a token", task("c"))); !errors.Is(err, db.ErrFenced) {
		t.Errorf("a token of nobody: %v, want ErrFenced", err)
	}
}

// A script in a task may name another base path. Then nobody is the parent there.
func TestATokenOfAnotherDatabaseIsNoParent(t *testing.T) {
	outer, s := open(t), open(t)
	outer.enqueue("j", task("p"))
	p := outer.claim()
	s.enqueue("j", task("p")) // the names may be the same
	s.claim()
	b := subtasks("", p.Token, task("c"))
	b.ParentJob, b.ParentTask, b.DefaultJob = "j", "p", "default"
	added, err := s.Enqueue(ctx, b)
	if err != nil || added.Job != "default" {
		t.Errorf("job %q, %v, want the default", added.Job, err)
	}
	if parent := s.task("default", "c").Parent; parent != "" {
		t.Errorf("its parent is %q", parent)
	}
	// In its own, it is one as long as its attempt runs.
	if added, err = outer.Enqueue(ctx, b); err != nil || added.Job != "j" {
		t.Errorf("job %q, %v, want that of the parent", added.Job, err)
	}
	outer.finish(p, success)
	if err := outer.refused(b); !errors.Is(err, db.ErrFenced) {
		t.Errorf("%v, want ErrFenced", err)
	}
}

func TestTheLineOfATaskIsLimited(t *testing.T) {
	s := open(t)
	limited := func(name, token string, tasks ...job.Spec) db.Batch {
		return db.Batch{Job: name, Parent: token, MaxSubtasks: 3, MaxDepth: 2, Tasks: specs(tasks...)}
	}
	add := func(b db.Batch) {
		t.Helper()
		if _, err := s.Enqueue(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	refuse := func(why string, b db.Batch) {
		t.Helper()
		if err := s.refused(b); !errors.Is(err, db.ErrLimit) {
			t.Errorf("%s: %v, want ErrLimit", why, err)
		}
	}
	s.enqueue("j", task("p"))
	p := s.claim("j")
	refuse("four at once", limited("a", p.Token, task("1"), task("2"), task("3"), task("4")))
	add(limited("a", p.Token, task("1")))
	refuse("one and three", limited("b", p.Token, task("2"), task("3"), task("4")))

	child := s.claim("a")
	add(limited("b", child.Token, task("2")))
	grandchild := s.claim("b")
	refuse("a third generation", limited("c", grandchild.Token, task("3")))

	add(limited("a", p.Token, task("3")))
	refuse("a fourth by the child", limited("b", child.Token, task("4")))
	refuse("a fourth by the first of the line", limited("b", p.Token, task("4")))
	add(limited("a", p.Token, task("1"), task("3"))) // what it has queued before does not count again

	s.enqueue("k", task("q"))
	add(limited("b", s.claim("k").Token, task("5"))) // another line has a count of its own
	s.sound()
}

func TestADependencyThatAnImportLeftOpenIsTiedToTheTaskThatComes(t *testing.T) {
	s := open(t)
	s.load("j", aTask("a", "later"), aTask("b", "a", "later"))
	want := map[string][]db.Blocker{"a": {{Needs: "later"}}, "b": {{Needs: "a", Status: job.Pending}, {Needs: "later"}}}
	if diff := cmp.Diff(want, s.blockers("j")); diff != "" {
		t.Errorf("blockers (-want +got):\n%s", diff)
	}
	if a := s.claimAny(unlimited); a != nil {
		t.Errorf("claimed %s, which waits", a.Task)
	}
	s.enqueue("j", task("later"))
	s.sound()
	if got, want := s.work(), []string{"later", "a", "b"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	s.sound()
}

func TestACycleThatATaskClosesThroughAnImportIsRefused(t *testing.T) {
	s := open(t)
	s.load("j", aTask("a", "later"), aTask("b", "a"), aTask("c"))
	for name, tasks := range map[string][]job.Spec{
		"directly":      {task("later", "b")},
		"by a detour":   {task("later", "x"), task("x", "c", "b")},
		"the other way": {task("x", "b"), task("later", "x")},
	} {
		err := s.refused(db.Batch{Job: "j", Tasks: specs(tasks...)})
		if !errors.Is(err, db.ErrCycle) {
			t.Errorf("%s: %v, want ErrCycle", name, err)
			continue
		}
		for _, id := range []string{"later", "a", "b"} {
			if !strings.Contains(err.Error(), id) {
				t.Errorf("%s: error %q does not name %s", name, err, id)
			}
		}
	}
	s.enqueue("j", task("later", "c"))
	s.sound()
}

func TestBlockersSayWhatATaskWaitsFor(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("ok"), task("bad"), task("idle", "bad"), task("waits", "ok", "bad", "idle"))
	s.work("bad")
	want := map[string][]db.Blocker{
		"idle":  {{Needs: "bad", Status: job.Failed, Reason: job.Exited}},
		"waits": {{Needs: "bad", Status: job.Failed, Reason: job.Exited}, {Needs: "idle", Status: job.Pending}},
	}
	if diff := cmp.Diff(want, s.blockers("j")); diff != "" {
		t.Errorf("blockers (-want +got):\n%s", diff)
	}
}

func TestADependencyMayComeLaterIfThatIsWanted(t *testing.T) {
	s := open(t)
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("b", "a")), AllowMissing: true}); err != nil {
		t.Fatal(err)
	}
	s.wantJob("j", job.StateWaiting, job.Counts{Pending: 1}, 1)
	s.sound()
	s.enqueue("j", task("a"))
	if got, want := s.work(), []string{"a", "b"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("c", "c")), AllowMissing: true}); err == nil {
		t.Error("a task may not wait for itself")
	}
}
