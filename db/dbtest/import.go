package dbtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (e suite) AJobComesOutOfTheStoreAsItWentIn(t *testing.T) {
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
			Spec: job.Spec{ID: "later", Command: "y"}, Place: -2,
			Job: "j", Status: job.Failed, Reason: job.Exited, ExitCode: &code, Attempts: 1, Error: "exit code 3", CreatedAt: at(0), StartedAt: at(4), CompletedAt: at(5),
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
		RetryHolds: new(bool), Parallel: 3, Priority: -2, Defaults: []byte(`{"timeout":60}`), PausedAt: at(7), Labels: []string{"k=v"},
	}
	s := e.open(t)
	if err := s.Import(ctx, wantJob, Seq(want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantJob, s.MustJob("j")); diff != "" {
		t.Errorf("job (-in +out):\n%s", diff)
	}
	if list, err := s.Jobs(ctx); err != nil || !cmp.Equal(list, []job.Job{wantJob}) {
		t.Errorf("%+v, %v", list, err)
	}
	var got []job.Task
	if err := s.EachTask(ctx, "j", func(t job.Task) error { got = append(got, t); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tasks (-in +out):\n%s", diff)
	}
	s.Sound()
}

func (e suite) TheStateOfAnImportedJobFollowsItsTasks(t *testing.T) {
	failed := ATask("failed")
	failed.Status, failed.Reason = job.Failed, job.Imported
	for _, c := range []struct {
		name  string
		tasks []job.Task
		want  job.State // empty: that of the file
	}{
		{"a task is ready", []job.Task{ACompleted("a"), ATask("b"), failed}, job.StateWaiting},
		{"all are completed", []job.Task{ACompleted("a")}, job.StateCompleted},
		{"one has failed", []job.Task{ACompleted("a"), failed}, job.StateFailed},
		{"what is pending waits for what has failed", []job.Task{failed, ATask("b", "failed")}, job.StateFailed},
		{"what is pending waits for what may come", []job.Task{ATask("b", "later")}, job.StateWaiting},
		{"no tasks", nil, ""},
	} {
		for _, state := range job.States {
			s := e.open(t)
			j := AJob("j")
			j.State = state
			if err := s.Import(ctx, j, Seq(c.tasks)); err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == "" {
				want = state
				if state == job.StateWorking {
					want = job.StateWaiting
				}
			}
			if got := s.MustJob("j").State; got != want {
				t.Errorf("%s, %s in the file: state %s, want %s", c.name, state, got, want)
			}
			s.Sound()
		}
	}
}

func (e suite) TimesThatTheFileDoesNotSayAreThoseOfTheImport(t *testing.T) {
	s := e.open(t)
	j := AJob("j")
	j.CreatedAt, j.UpdatedAt = time.Time{}, time.Time{}
	if err := s.Import(ctx, j, Seq([]job.Task(nil))); err != nil {
		t.Fatal(err)
	}
	if got := s.MustJob("j"); got.CreatedAt.Year() < 2000 || !got.UpdatedAt.Equal(got.CreatedAt) {
		t.Errorf("created %v, updated %v", got.CreatedAt, got.UpdatedAt)
	}
}

func (e suite) AMergeAddsWhatIsNotThere(t *testing.T) {
	s := e.open(t)
	s.MustImport("j", ATask("a"), ATask("b", "a"), ATask("same", "later"), ACompleted("done"))
	s.Work()
	changed := ATask("a")
	changed.Command = "other"
	ran := ACompleted("same")
	ran.Dependencies = []string{"later"}
	file := []job.Task{ATask("new", "a", "done"), changed, ATask("b"), ran, ATask("blocked", "absent"), ACompleted("done")}
	want := db.Merged{Added: 2, Present: []string{"a", "b", "same", "done"}, Differ: []db.Difference{
		{Task: "a", What: "the file has another command"}, {Task: "b", What: "the file has other dependencies"}, {Task: "same", What: "it is completed in the file, and pending here"},
	}}
	before := s.Dump()
	if got, err := s.Compare(ctx, "j", Seq(file)); err != nil || !cmp.Equal(got, want) {
		t.Errorf("Compare: %+v, %v, want %+v", got, err, want)
	}
	s.Unchanged(before)
	if got, err := s.Merge(ctx, "j", Seq(file)); err != nil || !cmp.Equal(got, want) {
		t.Errorf("Merge: %+v, %v, want %+v", got, err, want)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 3, Completed: 3}, 2)
	s.Sound()
	if got, want := s.Work(), []string{"new"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	if got, err := s.Merge(ctx, "j", Seq(file)); err != nil || got.Added != 0 || len(got.Present) != 6 {
		t.Errorf("a second time: %+v, %v", got, err)
	}
	s.Sound()
}

func (e suite) AMergeIsRefusedAsAWhole(t *testing.T) {
	s := e.open(t)
	s.MustImport("j", ATask("a", "later"))
	running := ATask("r")
	running.Status = job.Running
	before := s.Dump()
	for _, tasks := range [][]job.Task{{ATask("x"), running}, {ATask("x"), ATask("later", "a")}} {
		if _, err := s.Merge(ctx, "j", Seq(tasks)); err == nil {
			t.Errorf("%+v: no error", tasks)
		}
		s.Unchanged(before)
	}
	running.ID = "a" // is there, and stays as it is
	if got, err := s.Merge(ctx, "j", Seq([]job.Task{running})); err != nil || len(got.Present) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Merge(ctx, "absent", Seq([]job.Task(nil))); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("a job that is not there: %v", err)
	}
	s.Unchanged(before)
	s.Sound()
}

func (e suite) AnImportCountsWhatIsCompleted(t *testing.T) {
	s := e.open(t)
	s.MustImport("j", ATask("early", "done"), ATask("after", "before", "done"), ACompleted("done"), ATask("before"), ATask("late", "done"))
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 4, Completed: 1}, 1)
	s.Sound()
	if got, want := s.Work(), []string{"early", "before", "after", "late"}; !cmp.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
}

func (e suite) AnImportIsRefusedAsAWhole(t *testing.T) {
	for _, c := range []struct {
		name  string
		job   string
		tasks []job.Task
		want  error
		says  string
	}{
		{"job that is there", "there", nil, db.ErrDuplicate, `"there"`},
		{"id twice", "j", []job.Task{ATask("a"), ATask("b"), ATask("a")}, db.ErrDuplicate, `"a"`},
		{"cycle", "j", []job.Task{ATask("a", "c"), ATask("b", "a"), ATask("c", "b")}, db.ErrCycle, "a → c → b → a"},
		{"task that depends on itself", "j", []job.Task{ATask("a"), ATask("b", "b")}, db.ErrCycle, "b"},
		{"running task", "j", []job.Task{{Spec: Task("a"), Status: job.Running, Attempts: 1, CreatedAt: time.Now(), StartedAt: time.Now()}}, nil, ""},
		{"bad name", "a b", nil, nil, `"a b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := e.open(t)
			s.MustEnqueue("there", Task("x"))
			before := s.Dump()
			err := s.Import(ctx, AJob(c.job), Seq(c.tasks))
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v that says %s", err, c.want, c.says)
			}
			s.Unchanged(before)
			s.Sound()
		})
	}
}

func (e suite) AnErrorOfTheFileUndoesTheImport(t *testing.T) {
	s := e.open(t)
	mine := errors.New("element 2 is bad")
	err := s.Import(ctx, AJob("j"), func(yield func(job.Task, error) bool) {
		if yield(ATask("a"), nil) {
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

func (e suite) EachTaskStopsAtTheFirstError(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"), Task("b", "a"), Task("c"))
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
	s.MustEnqueue("j", Task("d")) // the statement was given back
}

func (e suite) JobsComeInTheOrderOfTheirNames(t *testing.T) {
	s := e.open(t)
	for _, name := range []string{"b", "a", "Z", "é", "_"} {
		s.MustEnqueue(name, Task("1"))
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
