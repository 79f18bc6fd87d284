package dbtest

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

func (e suite) DependenciesOfABatchMayComeInAnyOrder(t *testing.T) {
	for _, tasks := range [][]job.Spec{
		{Task("a"), Task("b", "a"), Task("c", "a", "b")},
		{Task("c", "a", "b"), Task("b", "a"), Task("a")},
		{Task("b", "a"), Task("c", "a", "b"), Task("a")},
	} {
		s := e.open(t)
		s.MustEnqueue("j", tasks...)
		s.WantJob("j", job.StateWaiting, job.Counts{Pending: 3}, 2)
		s.Sound()
		if got, want := s.Work(), []string{"a", "b", "c"}; !cmp.Equal(got, want) {
			t.Errorf("order %q, want %q", got, want)
		}
		if diff := cmp.Diff([]string{"a", "b"}, s.MustTask("j", "c").Dependencies); diff != "" {
			t.Errorf("dependencies (-want +got):\n%s", diff)
		}
	}
}

func (e suite) ABatchIsRefusedAsAWhole(t *testing.T) {
	for _, c := range []struct {
		name  string
		tasks []job.Spec
		want  error
		says  []string
	}{
		{"unknown dependency", []job.Spec{Task("x"), Task("y", "x", "nobody")}, db.ErrNoTask, []string{`"y"`, `"nobody"`}},
		{"dependency of another job", []job.Spec{Task("x", "elsewhere")}, db.ErrNoTask, []string{`"elsewhere"`}},
		{"id that is there", []job.Spec{Task("x"), Task("old")}, db.ErrDuplicate, []string{`"old"`}},
		{"id twice", []job.Spec{Task("x"), Task("x")}, db.ErrDuplicate, []string{`"x"`}},
		{"cycle of two", []job.Spec{Task("x", "y"), Task("y", "x")}, db.ErrCycle, []string{"x", "y", "→"}},
		{"cycle of three, with others", []job.Spec{Task("u"), Task("x", "old", "y"), Task("y", "u", "z"), Task("z", "x"), Task("v", "z")}, db.ErrCycle, []string{"x → y", "z"}},
		{"itself", []job.Spec{Task("x", "x")}, nil, []string{`"x"`, "itself"}},
		{"no command", []job.Spec{Task("x"), {ID: "y"}}, nil, []string{"command"}},
		{"bad id", []job.Spec{Task("x"), Task("a\nb")}, nil, []string{"a\\nb"}},
		{"NUL in an argument", []job.Spec{{Command: "true", Args: []string{"ok", "a\x00b"}}}, nil, []string{"argument 2", "NUL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := e.open(t)
			s.MustEnqueue("j", Task("old"))
			s.MustEnqueue("k", Task("elsewhere"))
			err := s.Refused(db.Batch{Job: "j", Tasks: Specs(c.tasks...)})
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			s.Sound()
		})
	}
}

func (e suite) TheFirstErrorOfABatchUndoesIt(t *testing.T) {
	s := e.open(t)
	mine := errors.New("line 3 is bad")
	if err := s.Refused(db.Batch{Job: "fresh", Tasks: Specs(Task("a"), Task("b", "nobody"))}); !errors.Is(err, db.ErrNoTask) {
		t.Errorf("error %v, want ErrNoTask", err) // and there is no such job
	}
	err := s.Refused(db.Batch{Job: "j", Tasks: func(yield func(job.Spec, error) bool) {
		if yield(Task("a"), nil) {
			yield(job.Spec{}, mine)
		}
	}})
	if !errors.Is(err, mine) {
		t.Errorf("error %v, want that of the batch", err)
	}
	if err := s.Refused(db.Batch{Job: "bad name", Tasks: Specs(Task("a"))}); !strings.Contains(err.Error(), "bad name") {
		t.Errorf("error %v does not say the name", err)
	}
}

func (e suite) AutomaticNumbersSkipTakenOnes(t *testing.T) {
	s := e.open(t)
	numbered := job.Spec{Command: "true"}
	for _, c := range []struct {
		tasks []job.Spec
		want  []string
	}{
		{[]job.Spec{numbered, numbered}, []string{"1", "2"}},
		{[]job.Spec{Task("4"), Task("5"), Task("name")}, []string{"4", "5", "name"}},
		{[]job.Spec{numbered, numbered}, []string{"6", "7"}},
		{[]job.Spec{Task("9"), numbered, numbered}, []string{"9", "10", "11"}},
		{[]job.Spec{Task("012"), numbered}, []string{"012", "13"}},
	} {
		added := s.MustEnqueue("j", c.tasks...)
		if !cmp.Equal(added.IDs, c.want) || added.Count != len(c.want) {
			t.Errorf("ids %q, %d tasks, want %q", added.IDs, added.Count, c.want)
		}
	}
	if added := s.MustEnqueue("other", numbered); added.IDs[0] != "1" {
		t.Errorf("the first number of another job is %s", added.IDs[0])
	}
}

// A task without an id gets its number after its dependencies were looked at,
// and could name itself by that number.
func (e suite) ANumberedTaskCannotDependOnItself(t *testing.T) {
	s := e.open(t)
	err := s.Refused(db.Batch{Job: "j", Tasks: Specs(job.Spec{Command: "true", Dependencies: []string{"1"}})})
	if !errors.Is(err, db.ErrNoTask) && !errors.Is(err, db.ErrCycle) && !strings.Contains(err.Error(), "itself") {
		t.Errorf("error %v", err)
	}
}

func (e suite) IfAbsentPassesOverWhatIsThere(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b"))
	s.Work()
	added, err := s.Enqueue(ctx, db.Batch{Job: "j", IfAbsent: true, Tasks: Specs(
		job.Spec{ID: "a", Command: "false"}, Task("c", "a"), Task("c"), Task("b"))})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "c", "c", "b"}; !cmp.Equal(added.IDs, want) || added.Count != 1 {
		t.Errorf("ids %q, %d tasks, want %q, 1", added.IDs, added.Count, want)
	}
	if got := s.MustTask("j", "a"); got.Command != "true" || got.Status != job.Completed {
		t.Errorf("the task that was there is now %+v", got)
	}
	if got := s.Work(); !cmp.Equal(got, []string{"c"}) {
		t.Errorf("ran %q, want c", got)
	}
	before := s.Dump()
	if added, err = s.Enqueue(ctx, db.Batch{Job: "j", IfAbsent: true, Tasks: Specs(Task("a"))}); err != nil || added.Count != 0 {
		t.Errorf("again: %+v, %v, want nothing stored", added, err)
	}
	s.Unchanged(before)
}

func (e suite) EnvironmentIsStoredOncePerContent(t *testing.T) {
	s := e.open(t)
	env := func(kv ...string) job.Spec { return job.Spec{Command: "true", Env: kv} }
	s.MustEnqueue("j", env("A=1", "B=2"), env("A=1", "B=2"), env("A=1"), env())
	s.MustEnqueue("k", env("A=1", "B=2"), env("B=2", "A=1"), env("A=1"))
	var stored int
	if err := s.sql().QueryRow("SELECT COUNT(*) FROM environment").Scan(&stored); err != nil {
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
			a := s.MustClaim(name)
			if !slices.Equal(a.Env, env) {
				t.Errorf("task %d of job %s got %q, want %q", i+1, name, a.Env, env)
			}
			s.MustFinish(a, Success)
		}
	}
}

func (e suite) IDsOfALargeBatchAreReadFromTheStore(t *testing.T) {
	s := e.open(t)
	const many = 5001
	s.MustEnqueue("other", Task("x"))
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

// Subtasks is a batch that a task queues.
func Subtasks(name, token string, tasks ...job.Spec) db.Batch {
	return db.Batch{Job: name, Parent: token, MaxSubtasks: 1000, MaxDepth: 16, Tasks: Specs(tasks...)}
}

func (e suite) ATaskMayQueueTasks(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("p"))
	p := s.MustClaim()
	if _, err := s.Enqueue(ctx, Subtasks("j", p.Token, Task("c1"), Task("c2", "p"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enqueue(ctx, Subtasks("elsewhere", p.Token, Task("c3"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"c1", "c2"} {
		if got := s.MustTask("j", c).Parent; got != "p" {
			t.Errorf("parent of %s is %q, want p", c, got)
		}
	}
	// Ids are unique in their job only, so a parent elsewhere is not told.
	if got := s.MustTask("elsewhere", "c3").Parent; got != "" {
		t.Errorf("parent of c3, of another job, is %q, want none", got)
	}
	if got := s.MustTask("j", "p").Parent; got != "" {
		t.Errorf("parent of p is %q", got)
	}
	s.MustFinish(p, Success)
	if got, want := s.Work(), []string{"c1", "c2", "c3"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	s.Sound()
}

func (e suite) ATaskThatRunsAgainQueuesItsTasksOnce(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("p"))
	p := s.MustClaim()
	batch := func(token string) db.Batch { return Subtasks("j", token, Task("c1"), Task("c2", "c1")) }
	for n := range 2 {
		added, err := s.Enqueue(ctx, batch(p.Token))
		if err != nil || added.Count != 2*(1-n) || !cmp.Equal(added.IDs, []string{"c1", "c2"}) {
			t.Errorf("time %d: %+v, %v", n+1, added, err)
		}
	}
	s.MustLose("j", "p")
	s.MustReset("j", "p")
	again := s.MustClaim("j")
	if again.Task != "p" || again.Attempt != 2 {
		t.Fatalf("claimed %+v, want the second attempt of p", again)
	}
	before := s.Dump()
	if added, err := s.Enqueue(ctx, batch(again.Token)); err != nil || added.Count != 0 || !cmp.Equal(added.IDs, []string{"c1", "c2"}) {
		t.Errorf("in the second attempt: %+v, %v", added, err)
	}
	s.Unchanged(before)
}

func (e suite) ATaskCannotQueueWhatAnotherHasQueued(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("p"), Task("mine"))
	s.MustEnqueue("k", Task("q"))
	p, q := s.MustClaim("j"), s.MustClaim("k")
	if _, err := s.Enqueue(ctx, Subtasks("j", p.Token, Task("c"))); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]db.Batch{
		"another task's":   Subtasks("j", q.Token, Task("c")),
		"a user's":         Subtasks("j", p.Token, Task("mine")),
		"a task's, a user": {Job: "j", Tasks: Specs(Task("c"))},
	} {
		if err := s.Refused(b); !errors.Is(err, db.ErrDuplicate) {
			t.Errorf("%s: %v, want ErrDuplicate", name, err)
		}
	}
}

func (e suite) ATaskThatIsOverQueuesNothing(t *testing.T) {
	end := map[string]func(*Store, *db.Assignment){
		"finished": func(s *Store, p *db.Assignment) { s.MustFinish(p, Success) },
		"lost":     func(s *Store, _ *db.Assignment) { s.MustLose("j", "p") },
		"started again": func(s *Store, _ *db.Assignment) {
			s.MustLose("j", "p")
			s.MustReset("j", "p")
			s.MustClaim()
		},
	}
	for how, f := range end {
		s := e.open(t)
		s.MustEnqueue("j", Task("p"))
		p := s.MustClaim()
		f(s, p)
		for _, name := range []string{"j", "fresh"} {
			if err := s.Refused(Subtasks(name, p.Token, Task("c"))); !errors.Is(err, db.ErrFenced) {
				t.Errorf("%s: %v, want ErrFenced", how, err)
			}
		}
	}
	s := e.open(t)
	if err := s.Refused(Subtasks("j", "never a token", Task("c"))); !errors.Is(err, db.ErrFenced) {
		t.Errorf("a token of nobody: %v, want ErrFenced", err)
	}
}

// A script in a task may use another base path. Its tasks have no parent there.
func (e suite) ATokenOfAnotherDatabaseIsNoParent(t *testing.T) {
	outer, s := e.open(t), e.open(t)
	outer.MustEnqueue("j", Task("p"))
	p := outer.MustClaim()
	s.MustEnqueue("j", Task("p")) // the names may be the same
	s.MustClaim()
	b := Subtasks("", p.Token, Task("c"))
	b.ParentJob, b.ParentTask, b.DefaultJob = "j", "p", "default"
	added, err := s.Enqueue(ctx, b)
	if err != nil || added.Job != "default" {
		t.Errorf("job %q, %v, want the default", added.Job, err)
	}
	if parent := s.MustTask("default", "c").Parent; parent != "" {
		t.Errorf("its parent is %q", parent)
	}
	// In its own, it is one as long as its attempt runs.
	if added, err = outer.Enqueue(ctx, b); err != nil || added.Job != "j" {
		t.Errorf("job %q, %v, want that of the parent", added.Job, err)
	}
	outer.MustFinish(p, Success)
	if err := outer.Refused(b); !errors.Is(err, db.ErrFenced) {
		t.Errorf("%v, want ErrFenced", err)
	}
}

func (e suite) TheLineOfATaskIsLimited(t *testing.T) {
	s := e.open(t)
	limited := func(name, token string, tasks ...job.Spec) db.Batch {
		return db.Batch{Job: name, Parent: token, MaxSubtasks: 3, MaxDepth: 2, Tasks: Specs(tasks...)}
	}
	add := func(b db.Batch) {
		t.Helper()
		if _, err := s.Enqueue(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	refuse := func(why string, b db.Batch) {
		t.Helper()
		if err := s.Refused(b); !errors.Is(err, db.ErrLimit) {
			t.Errorf("%s: %v, want ErrLimit", why, err)
		}
	}
	s.MustEnqueue("j", Task("p"))
	p := s.MustClaim("j")
	refuse("four at once", limited("a", p.Token, Task("1"), Task("2"), Task("3"), Task("4")))
	add(limited("a", p.Token, Task("1")))
	refuse("one and three", limited("b", p.Token, Task("2"), Task("3"), Task("4")))

	child := s.MustClaim("a")
	add(limited("b", child.Token, Task("2")))
	grandchild := s.MustClaim("b")
	refuse("a third generation", limited("c", grandchild.Token, Task("3")))

	add(limited("a", p.Token, Task("3")))
	refuse("a fourth by the child", limited("b", child.Token, Task("4")))
	refuse("a fourth by the first of the line", limited("b", p.Token, Task("4")))
	add(limited("a", p.Token, Task("1"), Task("3"))) // what it has queued before does not count again

	s.MustEnqueue("k", Task("q"))
	add(limited("b", s.MustClaim("k").Token, Task("5"))) // another line has a count of its own
	s.Sound()
}

func (e suite) ADependencyThatAnImportLeftOpenIsTiedToTheTaskThatComes(t *testing.T) {
	s := e.open(t)
	s.MustImport("j", ATask("a", "later"), ATask("b", "a", "later"))
	want := map[string][]db.Blocker{"a": {{Needs: "later"}}, "b": {{Needs: "a", Status: job.Pending}, {Needs: "later"}}}
	if diff := cmp.Diff(want, s.blockers("j")); diff != "" {
		t.Errorf("blockers (-want +got):\n%s", diff)
	}
	if a := s.ClaimAny(Unlimited); a != nil {
		t.Errorf("claimed %s, which waits", a.Task)
	}
	s.MustEnqueue("j", Task("later"))
	s.Sound()
	if got, want := s.Work(), []string{"later", "a", "b"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	s.Sound()
}

func (e suite) ACycleThatATaskClosesThroughAnImportIsRefused(t *testing.T) {
	s := e.open(t)
	s.MustImport("j", ATask("a", "later"), ATask("b", "a"), ATask("c"))
	for name, tasks := range map[string][]job.Spec{
		"directly":      {Task("later", "b")},
		"by a detour":   {Task("later", "x"), Task("x", "c", "b")},
		"the other way": {Task("x", "b"), Task("later", "x")},
	} {
		err := s.Refused(db.Batch{Job: "j", Tasks: Specs(tasks...)})
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
	s.MustEnqueue("j", Task("later", "c"))
	s.Sound()
}

func (e suite) BlockersSayWhatATaskWaitsFor(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("ok"), Task("bad"), Task("idle", "bad"), Task("waits", "ok", "bad", "idle"))
	s.Work("bad")
	want := map[string][]db.Blocker{
		"idle":  {{Needs: "bad", Status: job.Failed, Reason: job.Exited}},
		"waits": {{Needs: "bad", Status: job.Failed, Reason: job.Exited}, {Needs: "idle", Status: job.Pending}},
	}
	if diff := cmp.Diff(want, s.blockers("j")); diff != "" {
		t.Errorf("blockers (-want +got):\n%s", diff)
	}
}

func (e suite) ADependencyMayComeLaterIfThatIsWanted(t *testing.T) {
	s := e.open(t)
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: Specs(Task("b", "a")), AllowMissing: true}); err != nil {
		t.Fatal(err)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 1}, 1)
	s.Sound()
	s.MustEnqueue("j", Task("a"))
	if got, want := s.Work(), []string{"a", "b"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: Specs(Task("c", "c")), AllowMissing: true}); err == nil {
		t.Error("a task may not wait for itself")
	}
}
