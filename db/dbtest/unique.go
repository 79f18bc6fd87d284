package dbtest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// keyed is a task without an id that has a unique key.
func keyed(key string, u job.UniqueFor) job.Spec {
	return job.Spec{Command: "true", Unique: key, UniqueFor: u}
}

// wantID queues a task in job j and wants the id of a task, which is new or not.
func (s *Store) wantID(spec job.Spec, id string, fresh bool) {
	s.T.Helper()
	added := s.MustEnqueue("j", spec)
	if !slices.Equal(added.IDs, []string{id}) || !slices.Equal(added.New, []bool{fresh}) || (added.Count == 1) != fresh {
		s.T.Errorf("task with key %q: %+v, want %s, new: %v", spec.Unique, added, id, fresh)
	}
}

func (e suite) ATaskWithAKeyIsStoredOnceUntilItHasEnded(t *testing.T) {
	s := e.open(t)
	s.wantID(keyed("k", 0), "1", true)
	s.wantID(keyed("k", 0), "1", false)
	s.wantID(keyed("other", 0), "2", true)
	a := s.MustClaim()
	s.wantID(keyed("k", 0), "1", false)
	s.MustFinish(a, Failure)
	s.wantID(keyed("k", 0), "3", true)
	s.wantID(keyed("k", 0), "3", false)
	s.MustReset("j", "1") // it has lost its key
	s.wantID(keyed("k", 0), "3", false)
	if task, err := s.DB.Task(ctx, "j", "3"); err != nil || task.Unique != "k" {
		t.Errorf("task 3: key %q, %v", task.Unique, err)
	}
	if added := s.MustEnqueue("another", keyed("k", 0)); added.Count != 1 {
		t.Errorf("in another job: %+v", added)
	}
	s.Sound()
}

func (e suite) AKeyOfAPendingTaskIsFreeOnceItStarts(t *testing.T) {
	s := e.open(t)
	s.wantID(keyed("k", job.UniqueWhilePending), "1", true)
	s.wantID(keyed("k", job.UniqueWhilePending), "1", false)
	a := s.MustClaim()
	s.wantID(keyed("k", job.UniqueWhilePending), "2", true)
	s.wantID(keyed("k", job.UniqueWhilePending), "2", false)
	s.MustFinish(a, Success)
	s.Sound()
}

func (e suite) AKeyIsKeptForATime(t *testing.T) {
	now := time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC)
	s := Open(t, e.Engine, t.TempDir(), db.Options{Clock: func() time.Time { return now }})
	hour := job.UniqueFor(time.Hour)
	s.wantID(keyed("k", hour), "1", true)
	s.MustFinish(s.MustClaim(), Success)
	now = now.Add(time.Hour - time.Microsecond)
	s.wantID(keyed("k", hour), "1", false)
	now = now.Add(time.Microsecond)
	s.wantID(keyed("k", hour), "2", true)
	if _, err := s.DB.RemoveTasks(ctx, "j", []string{"2"}); err != nil {
		t.Fatal(err)
	}
	s.wantID(keyed("k", hour), "3", true) // a removed task takes its key along
	if task, err := s.DB.Task(ctx, "j", "3"); err != nil || task.UniqueFor != hour {
		t.Errorf("task 3: key for %s, %v", task.UniqueFor, err)
	}
	s.Sound()
}

func (e suite) AKeyCountsWithinABatchAndInAnImport(t *testing.T) {
	s := e.open(t)
	added := s.MustEnqueue("j", keyed("k", 0), keyed("l", 0), keyed("k", 0))
	if !slices.Equal(added.IDs, []string{"1", "2", "1"}) || !slices.Equal(added.New, []bool{true, true, false}) {
		t.Errorf("batch: %+v", added)
	}
	file := []job.Task{{Spec: Task("x"), Status: job.Completed}, {Spec: Task("y"), Status: job.Pending}}
	file[0].Unique, file[1].Unique = "k", "m"
	if _, err := s.DB.Merge(ctx, "j", Seq(file)); err != nil {
		t.Fatal(err)
	}
	s.wantID(keyed("k", 0), "1", false)
	s.wantID(keyed("m", 0), "y", false)
	s.Sound()
}

// labelled is a task with labels.
func labelled(id string, labels ...string) job.Spec {
	s := Task(id)
	s.Labels = labels
	return s
}

func (e suite) LabelsFindJobsAndTasks(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", labelled("1", "n=1", "team=search"), labelled("2", "team=web"), Task("3"))
	s.MustEnqueue("b", Task("1"))
	_, err := s.DB.Enqueue(ctx, db.Batch{Job: "c", Labels: []string{"team=search"}, Tasks: Specs(Task("1"), labelled("2", "team=web"))})
	if err != nil {
		t.Fatal(err)
	}
	search := "search"
	for _, c := range []struct {
		name        string
		filters     []db.LabelFilter
		jobs, tasks []string
	}{
		{"none", nil, []string{"a", "b", "c"}, []string{"a/1", "a/2", "a/3", "b/1", "c/1", "c/2"}},
		{"key", []db.LabelFilter{{Key: "team"}}, []string{"a", "c"}, []string{"a/1", "a/2", "c/1", "c/2"}},
		{"value", []db.LabelFilter{{Key: "team", Value: &search}}, []string{"a", "c"}, []string{"a/1", "c/1", "c/2"}},
		{"two", []db.LabelFilter{{Key: "team", Value: &search}, {Key: "n"}}, []string{"a"}, []string{"a/1"}},
		{"unknown", []db.LabelFilter{{Key: "x"}}, nil, nil},
	} {
		var jobs, tasks []string
		list, err := s.DB.ListJobs(ctx, db.JobsQuery{Labels: c.filters})
		for _, j := range list {
			jobs = append(jobs, j.Name)
		}
		err2 := s.DB.ListTasks(ctx, db.TasksQuery{Labels: c.filters}, func(l db.Listed) error {
			tasks = append(tasks, l.Job+"/"+l.ID)
			return nil
		})
		if !slices.Equal(jobs, c.jobs) || !slices.Equal(tasks, c.tasks) || err != nil || err2 != nil {
			t.Errorf("%s: jobs %q, tasks %q, %v, %v", c.name, jobs, tasks, err, err2)
		}
	}
}

func (e suite) LabelsAreReadReplacedAndRemoved(t *testing.T) {
	s := e.open(t)
	batch := db.Batch{
		Job: "j", NewJob: true, FromFile: true, Labels: []string{"team=search"},
		Tasks: Specs(labelled("1", "k=x=y", "z="), labelled("2", "k=1"), Task("3")),
	}
	if _, err := s.DB.Enqueue(ctx, batch); err != nil {
		t.Fatal(err)
	}
	s.wantLabels("j", []string{"team=search"}, map[string][]string{"1": {"k=x=y", "z="}, "2": {"k=1"}, "3": nil})
	batch.NewJob, batch.Labels, batch.Tasks = false, []string{"a=b"}, Specs(labelled("2", "k=2"), labelled("3", "l=3"))
	r, err := s.DB.Resume(ctx, batch)
	if err != nil || len(r.Changes) != 2 || !slices.Equal(r.Changes[0].Before.Labels, []string{"k=1"}) || r.Changes[1].Before.Labels != nil {
		t.Fatalf("resume: %+v, %v", r.Changes, err)
	}
	s.wantLabels("j", []string{"a=b"}, map[string][]string{"2": {"k=2"}, "3": {"l=3"}})
	if _, err := s.DB.RemoveTasks(ctx, "j", []string{"3"}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("j", Task("9")) // which gets the row
	s.wantLabels("j", []string{"a=b"}, map[string][]string{"2": {"k=2"}, "9": nil})
	if _, err := s.DB.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("j", Task("1"))
	s.wantLabels("j", nil, map[string][]string{"1": nil})
	s.Sound()
}

// wantLabels compares the labels of a job and of its tasks.
func (s *Store) wantLabels(name string, ofJob []string, ofTasks map[string][]string) {
	s.T.Helper()
	j, err := s.DB.Job(ctx, name)
	tasks, err2 := s.DB.Tasks(ctx, name)
	got := map[string][]string{}
	for _, t := range tasks {
		got[t.ID] = t.Labels
	}
	if !slices.Equal(j.Labels, ofJob) || !cmp.Equal(got, ofTasks) || err != nil || err2 != nil {
		s.T.Errorf("job %s: labels %q and %q, %v, %v; want %q and %q", name, j.Labels, got, err, err2, ofJob, ofTasks)
	}
}
