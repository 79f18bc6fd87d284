package dbtest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (e suite) ARerunHasTheTasksOfTheOldJob(t *testing.T) {
	s := e.open(t)
	a := job.Spec{ID: "a", Command: "sh", Args: []string{"-c", "exit 3"}, Dir: "/tmp", Env: []string{"A=1"}, Priority: 3, Timeout: time.Minute}
	s.MustEnqueue("j", a, Task("b", "a"), runIf(job.RunOnFailure, "alarm", "b"), afterAny("last", "a"))
	parent := s.MustClaim("j")
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", Parent: parent.Token, MaxDepth: 3, MaxSubtasks: 3, Tasks: Specs(Task("below"))}); err != nil {
		t.Fatal(err)
	}
	s.MustFinish(parent, Failure)
	s.Work()
	added, err := s.Rerun(ctx, "j", "")
	if err != nil || added.Job != "j-2" || added.Count != 4 {
		t.Fatalf("Rerun: %+v, %v, want 4 tasks in j-2", added, err)
	}
	specs := func(name string) (out []job.Spec) {
		tasks, err := s.Tasks(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			if task.ID != "below" {
				out = append(out, task.Spec)
			}
		}
		return out
	}
	if diff := cmp.Diff(specs("j"), specs("j-2")); diff != "" {
		t.Errorf("tasks (-old +new):\n%s", diff)
	}
	s.WantJob("j-2", job.StateWaiting, job.Counts{Pending: 4}, 3)
	if got := s.MustClaim("j-2"); got.Task != "a" || !slices.Equal(got.Env, []string{"A=1"}) {
		t.Errorf("claimed %s with %q", got.Task, got.Env)
	}
	s.Sound()
}

func (e suite) ARerunIsRefusedAsAWhole(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("j", Task("a"))
	s.MustEnqueue("taken", Task("a"))
	s.MustEnqueue("j-2", Task("a"))
	before := s.Dump()
	if _, err := s.Rerun(ctx, "nobody", ""); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("of no job: %v", err)
	}
	if _, err := s.Rerun(ctx, "j", "taken"); !errors.Is(err, db.ErrJobExists) {
		t.Errorf("as one that is there: %v", err)
	}
	if _, err := s.Rerun(ctx, "j", "a/b"); err == nil {
		t.Error("as a/b: no error")
	}
	s.Unchanged(before)
	if added, err := s.Rerun(ctx, "j", ""); err != nil || added.Job != "j-3" {
		t.Errorf("Rerun: %+v, %v", added, err)
	}
}
