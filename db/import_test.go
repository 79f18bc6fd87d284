package db_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func TestAJobComesOutOfTheStoreAsItWentIn(t *testing.T) {
	at := func(seconds int) time.Time { return time.Date(2025, 10, 2, 10, 30, seconds, 123456000, time.UTC) }
	code := 3
	want := []job.Task{
		{
			Spec: job.Spec{ID: "z", Command: "echo", Args: []string{"", "a b", "é☃\"\\\n"}, Dir: "/d", Priority: -7, Timeout: 5 * time.Second, Extra: []byte(`{"theirs": [1, 2.50]}`)},
			Job:  "j", Status: job.Completed, Attempts: 3, ExitCode: &zero, CreatedAt: at(1), StartedAt: at(2), CompletedAt: at(3),
		}, {
			Spec: job.Spec{ID: "a é", Command: "x", Dependencies: []string{"z", "missing", "later", "z"}},
			Job:  "j", Status: job.Pending, Parent: "later", CreatedAt: at(2),
		}, {
			Spec: job.Spec{ID: "later", Command: "y"},
			Job:  "j", Status: job.Failed, Reason: job.Exited, ExitCode: &code, Attempts: 1, Error: "exit code 3", CreatedAt: at(0), StartedAt: at(4), CompletedAt: at(5),
		}, {
			Spec: job.Spec{ID: "signal", Command: "y", Dependencies: []string{"missing"}},
			Job:  "j", Status: job.Failed, Reason: job.Signaled, Signal: "SIGSEGV", Attempts: 1, Error: "ended", CreatedAt: at(0), StartedAt: at(4), CompletedAt: at(5),
		}, {
			Spec: job.Spec{ID: "imported", Command: "y"},
			Job:  "j", Status: job.Failed, Reason: job.Imported, CreatedAt: at(9),
		},
	}
	wantJob := job.Job{
		UUID: "5c8b6a7e-0000-4000-8000-000000000001", Name: "j", State: job.StateFailed, CreatedAt: at(0), UpdatedAt: at(59),
		Tasks: job.Counts{Pending: 1, Completed: 1, Failed: 3}, Blocked: 1, Extra: []byte(`{"owner": "them"}`),
	}
	s := open(t)
	if err := s.Import(ctx, wantJob, seq(want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantJob, s.job("j")); diff != "" {
		t.Errorf("job (-in +out):\n%s", diff)
	}
	var got []job.Task
	if err := s.EachTask(ctx, "j", func(t job.Task) error { got = append(got, t); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tasks (-in +out):\n%s", diff)
	}
	s.sound()
}

func TestTheStateOfAnImportedJobFollowsItsTasks(t *testing.T) {
	failed := aTask("failed")
	failed.Status, failed.Reason = job.Failed, job.Imported
	for _, c := range []struct {
		name  string
		tasks []job.Task
		want  job.State // empty: that of the file
	}{
		{"a task is ready", []job.Task{aCompleted("a"), aTask("b"), failed}, job.StateWaiting},
		{"all are completed", []job.Task{aCompleted("a")}, job.StateCompleted},
		{"one has failed", []job.Task{aCompleted("a"), failed}, job.StateFailed},
		{"what is pending waits for what has failed", []job.Task{failed, aTask("b", "failed")}, job.StateFailed},
		{"what is pending waits for what may come", []job.Task{aTask("b", "later")}, job.StateWaiting},
		{"no tasks", nil, ""},
	} {
		for _, state := range job.States {
			s := open(t)
			j := aJob("j")
			j.State = state
			if err := s.Import(ctx, j, seq(c.tasks)); err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == "" {
				want = state
				if state == job.StateWorking {
					want = job.StateWaiting
				}
			}
			if got := s.job("j").State; got != want {
				t.Errorf("%s, %s in the file: state %s, want %s", c.name, state, got, want)
			}
			s.sound()
		}
	}
}

func TestTimesThatTheFileDoesNotSayAreThoseOfTheImport(t *testing.T) {
	s := open(t)
	j := aJob("j")
	j.CreatedAt, j.UpdatedAt = time.Time{}, time.Time{}
	if err := s.Import(ctx, j, seq([]job.Task(nil))); err != nil {
		t.Fatal(err)
	}
	if got := s.job("j"); got.CreatedAt.Year() < 2000 || !got.UpdatedAt.Equal(got.CreatedAt) {
		t.Errorf("created %v, updated %v", got.CreatedAt, got.UpdatedAt)
	}
}

func TestAMergeAddsWhatIsNotThere(t *testing.T) {
	s := open(t)
	s.load("j", aTask("a"), aTask("b", "a"), aTask("same", "later"), aCompleted("done"))
	s.work()
	changed := aTask("a")
	changed.Command = "other"
	ran := aCompleted("same")
	ran.Dependencies = []string{"later"}
	file := []job.Task{aTask("new", "a", "done"), changed, aTask("b"), ran, aTask("blocked", "absent"), aCompleted("done")}
	want := db.Merged{Added: 2, Present: []string{"a", "b", "same", "done"}, Differ: []db.Difference{
		{"a", "the file has another command"}, {"b", "the file has other dependencies"}, {"same", "it is completed in the file, and pending here"},
	}}
	before := s.dump()
	if got, err := s.Compare(ctx, "j", seq(file)); err != nil || !cmp.Equal(got, want) {
		t.Errorf("Compare: %+v, %v, want %+v", got, err, want)
	}
	s.unchanged(before)
	if got, err := s.Merge(ctx, "j", seq(file)); err != nil || !cmp.Equal(got, want) {
		t.Errorf("Merge: %+v, %v, want %+v", got, err, want)
	}
	s.wantJob("j", job.StateWaiting, job.Counts{Pending: 3, Completed: 3}, 2)
	s.sound()
	if got, want := s.work(), []string{"new"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	if got, err := s.Merge(ctx, "j", seq(file)); err != nil || got.Added != 0 || len(got.Present) != 6 {
		t.Errorf("a second time: %+v, %v", got, err)
	}
	s.sound()
}

func TestAMergeIsRefusedAsAWhole(t *testing.T) {
	s := open(t)
	s.load("j", aTask("a", "later"))
	running := aTask("r")
	running.Status = job.Running
	before := s.dump()
	for _, tasks := range [][]job.Task{{aTask("x"), running}, {aTask("x"), aTask("later", "a")}} {
		if _, err := s.Merge(ctx, "j", seq(tasks)); err == nil {
			t.Errorf("%+v: no error", tasks)
		}
		s.unchanged(before)
	}
	running.ID = "a" // is there, and stays as it is
	if got, err := s.Merge(ctx, "j", seq([]job.Task{running})); err != nil || len(got.Present) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Merge(ctx, "absent", seq([]job.Task(nil))); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("a job that is not there: %v", err)
	}
	s.unchanged(before)
	s.sound()
}

func TestAnImportCountsWhatIsCompleted(t *testing.T) {
	s := open(t)
	s.load("j", aTask("early", "done"), aTask("after", "before", "done"), aCompleted("done"), aTask("before"), aTask("late", "done"))
	s.wantJob("j", job.StateWaiting, job.Counts{Pending: 4, Completed: 1}, 1)
	s.sound()
	if got, want := s.work(), []string{"early", "before", "after", "late"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
}

func TestAnImportIsRefusedAsAWhole(t *testing.T) {
	for _, c := range []struct {
		name  string
		job   string
		tasks []job.Task
		want  error
		says  string
	}{
		{"job that is there", "there", nil, db.ErrDuplicate, `"there"`},
		{"id twice", "j", []job.Task{aTask("a"), aTask("b"), aTask("a")}, db.ErrDuplicate, `"a"`},
		{"cycle", "j", []job.Task{aTask("a", "c"), aTask("b", "a"), aTask("c", "b")}, db.ErrCycle, "a → c → b → a"},
		{"task that depends on itself", "j", []job.Task{aTask("a"), aTask("b", "b")}, db.ErrCycle, "b"},
		{"running task", "j", []job.Task{{Spec: task("a"), Status: job.Running, Attempts: 1, CreatedAt: time.Now(), StartedAt: time.Now()}}, nil, ""},
		{"bad name", "a b", nil, nil, `"a b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			s.enqueue("there", task("x"))
			before := s.dump()
			err := s.Import(ctx, aJob(c.job), seq(c.tasks))
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v that says %s", err, c.want, c.says)
			}
			s.unchanged(before)
			s.sound()
		})
	}
}

func TestAnErrorOfTheFileUndoesTheImport(t *testing.T) {
	s := open(t)
	mine := errors.New("element 2 is bad")
	err := s.Import(ctx, aJob("j"), func(yield func(job.Task, error) bool) {
		if yield(aTask("a"), nil) {
			yield(job.Task{}, mine)
		}
	})
	if !errors.Is(err, mine) {
		t.Errorf("error %v", err)
	}
	if jobs, err := s.Jobs(ctx); len(jobs) != 0 || err != nil {
		t.Errorf("jobs %+v, %v, want none", jobs, err)
	}
}

func TestEachTaskStopsAtTheFirstError(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"), task("b", "a"), task("c"))
	mine := errors.New("enough")
	n := 0
	err := s.EachTask(ctx, "j", func(job.Task) error {
		if n++; n == 2 {
			return mine
		}
		return nil
	})
	if !errors.Is(err, mine) || n != 2 {
		t.Errorf("EachTask: %d tasks, %v", n, err)
	}
	if err := s.EachTask(ctx, "absent", nil); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("EachTask of a job that is not there: %v", err)
	}
	s.enqueue("j", task("d")) // the statement was given back
}

func TestJobsComeInTheOrderOfTheirNames(t *testing.T) {
	s := open(t)
	for _, name := range []string{"b", "a", "Z", "é", "_"} {
		s.enqueue(name, task("1"))
	}
	jobs, err := s.Jobs(ctx)
	var names []string
	for _, j := range jobs {
		names = append(names, j.Name)
	}
	if want := []string{"Z", "_", "a", "b", "é"}; !cmp.Equal(names, want) || err != nil {
		t.Errorf("names %q, %v, want %q", names, err, want)
	}
}
