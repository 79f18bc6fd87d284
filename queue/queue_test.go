package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
)

// openQueue opens a queue with a job build: task a has completed, b has failed, c
// is pending and depends on b, d is pending.
func openQueue(t *testing.T) *queue.Queue {
	t.Helper()
	conf := &config.Config{
		BasePath: filepath.Join(t.TempDir(), "base"), TaskTimeout: time.Minute, MaxConcurrentRunners: 2, Durability: "normal",
	}
	q, err := queue.Open(t.Context(), conf, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	at := time.Now().Add(-time.Hour)
	done := func(id string, s job.Status) job.Task {
		return job.Task{Spec: job.Spec{ID: id, Command: "true"}, Job: "build", Status: s, CreatedAt: at, StartedAt: at, CompletedAt: at.Add(time.Second)}
	}
	b := done("b", job.Failed)
	b.Reason, b.Error = job.Imported, "exit code 1"
	pending := func(id string, needs ...string) job.Task {
		return job.Task{Spec: job.Spec{ID: id, Command: "true", Dependencies: needs}, Job: "build", Status: job.Pending, CreatedAt: at}
	}
	tasks := []job.Task{done("a", job.Completed), b, pending("c", "b"), pending("d")}
	err = q.DB.Import(t.Context(), job.Job{UUID: job.NewUUID(), Name: "build", CreatedAt: at, UpdatedAt: at}, func(yield func(job.Task, error) bool) {
		for _, task := range tasks {
			if !yield(task, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func writeLog(t *testing.T, q *queue.Queue, task, text string) string {
	t.Helper()
	return testkit.Write(t, runner.LogPath(q.BasePath(), "build", task), text)
}

// kept keeps what is read of logs.
type kept struct{ strings.Builder }

func (k *kept) Output(l *queue.Log, b []byte) error {
	k.WriteString(l.Task + ":" + string(b))
	return nil
}

func (k *kept) Again(l *queue.Log, what string) { k.WriteString(l.Task + " " + what + "\n") }

func TestStatusSaysWhyPendingTasksDoNotRun(t *testing.T) {
	q := openQueue(t)
	s, err := q.Status(t.Context(), queue.StatusQuery{Job: "build", ForJSON: true})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	form := s.Form()
	for _, task := range form.Tasks {
		if task.WaitsFor != nil {
			got[task.Task] = string(*task.WaitsFor)
		}
	}
	if diff := cmp.Diff(map[string]string{"c": "dependencies", "d": "manager"}, got); diff != "" {
		t.Error(diff)
	}
	want := queue.CountsForm{Total: 4, Pending: 2, Completed: 1, Failed: 1, Blocked: 1}
	if diff := cmp.Diff(want, form.Jobs[0].Counts); diff != "" {
		t.Error(diff)
	}
	failed, err := q.Status(t.Context(), queue.StatusQuery{Statuses: []job.Status{job.Failed}})
	if err != nil || len(failed.Tasks) != 1 || failed.Rows != 1 {
		t.Errorf("failed: %v, %d tasks of %d", err, len(failed.Tasks), failed.Rows)
	}
	if _, err := q.Status(t.Context(), queue.StatusQuery{Job: "none"}); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("a job that is not there: %v", err)
	}
}

// A client of an API must not meet a key that is there at times only.
func TestFormsHaveNullsAndEmptyLists(t *testing.T) {
	q := openQueue(t)
	s, err := q.Status(t.Context(), queue.StatusQuery{Job: "build", Task: "d"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s.Form())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"manager":null`, `"args":[]`, `"blocked_by":[]`, `"reason":null`, `"timeout":60`, `"timeout_default":true`, `"history":[]`, `"env_names":null`} {
		if !strings.Contains(string(b), part) {
			t.Errorf("%s is not in %s", part, b)
		}
	}
}

func TestALogIsReadFromAnOffset(t *testing.T) {
	q := openQueue(t)
	path := writeLog(t, q, "a", "one\ntwo\nthree\n")
	logs, pending, err := q.Logs(t.Context(), "build", queue.LogQuery{})
	if err != nil || pending != 2 || len(logs) != 2 {
		t.Fatalf("%d logs, %d pending, %v", len(logs), pending, err)
	}
	l := logs[0]
	var out kept
	l.Offset = 4
	if err := l.Rest(&out); err != nil || out.String() != "a:two\nthree\n" || l.Offset != 14 {
		t.Errorf("from 4: %q, then at %d: %v", out.String(), l.Offset, err)
	}
	out.Reset()
	if err := os.WriteFile(path, []byte("new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Rest(&out); err != nil || out.String() != "a was cut\na:new\n" {
		t.Errorf("after it was cut: %q: %v", out.String(), err)
	}
	l.Close()
	for lines, want := range map[int]string{0: "", 1: "a:new\n", 5: "a:new\n", -1: "a:new\n"} {
		out.Reset()
		l.Offset = 0
		if err := l.Tail(&out, lines); err != nil || out.String() != want {
			t.Errorf("the last %d lines: %q: %v", lines, out.String(), err)
		}
	}
	if _, _, err := q.Logs(t.Context(), "build", queue.LogQuery{Task: "a", Attempt: 7}); !errors.As(err, new(*queue.NoAttempt)) {
		t.Errorf("attempt 7: %v", err)
	}
}

func TestFollowEndsWithTheTask(t *testing.T) {
	q := openQueue(t)
	writeLog(t, q, "a", "one\ntwo\n")
	var out kept
	o := queue.FollowOptions{LogQuery: queue.LogQuery{Task: "a"}, Lines: 1}
	if err := q.Follow(t.Context(), []string{"build"}, o, &out); err != nil || out.String() != "a:two\n" {
		t.Errorf("%q: %v", out.String(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o = queue.FollowOptions{Lines: -1, Waiting: cancel}
	if err := q.Follow(ctx, []string{"build"}, o, &out); !errors.Is(err, context.Canceled) {
		t.Errorf("of a job that goes on: %v", err)
	}
}

func TestWaitSaysHowJobsEnd(t *testing.T) {
	q := openQueue(t)
	ends, err := q.Wait(t.Context(), []string{"build"}, queue.WaitOptions{Task: "b"})
	if err != nil || ends[0].OK() || *ends[0].Form().Status != job.Failed {
		t.Errorf("task b: %+v, %v", ends, err)
	}
	late := (*queue.NotEnded)(nil)
	_, err = q.Wait(t.Context(), []string{"build"}, queue.WaitOptions{Timeout: time.Millisecond})
	if !errors.As(err, &late) || err.Error() != `job "build" has not ended within 1ms` {
		t.Errorf("what goes on: %v", err)
	}
	caller := queue.Caller{BasePath: q.BasePath(), Job: "build", Task: "d"}
	if _, err := q.Wait(t.Context(), []string{"build"}, queue.WaitOptions{Caller: caller}); !errors.Is(err, queue.ErrOwnJob) {
		t.Errorf("from inside: %v", err)
	}
	// What waits for a task that has failed can still be reset, but does not run.
	if _, err := q.Cancel(t.Context(), "build", queue.CancelOptions{}); err != nil {
		t.Fatal(err)
	}
	told := 0
	ends, err = q.Wait(t.Context(), []string{"build"}, queue.WaitOptions{Form: true, Ended: func(queue.Outcome) { told++ }})
	if err != nil || told != 1 {
		t.Fatalf("told %d times: %v", told, err)
	}
	if form := ends[0].Form(); *form.State != job.StateFailed || form.Counts.Cancelled != 2 || form.Task != nil {
		t.Errorf("%+v", form)
	}
}

func TestWhatActionsReturn(t *testing.T) {
	q, ctx := openQueue(t), t.Context()
	task := "d"
	cancelled, err := q.Cancel(ctx, "build", queue.CancelOptions{Task: task})
	want := queue.CancelResult{Job: "build", Task: &task, Cancelled: 1, Pending: 1, Otherwise: []queue.EndedResult{}}
	if diff := cmp.Diff(want, cancelled); diff != "" || err != nil {
		t.Errorf("cancel: %v\n%s", err, diff)
	}
	dismissed, err := q.Dismiss(ctx, "build", []string{"d"})
	if err != nil || dismissed.Dismissed != 1 {
		t.Errorf("dismiss: %+v, %v", dismissed, err)
	}
	reset, err := q.Reset(ctx, "build", db.Which{})
	if diff := cmp.Diff(queue.ResetResult{Job: "build", Reset: 1, LeftAlone: queue.LeftAlone{Dismissed: 1}}, reset); diff != "" || err != nil {
		t.Errorf("reset: %v\n%s", err, diff)
	}
	path := writeLog(t, q, "d", "text\n")
	if _, err := q.RemoveTasks(ctx, "build", []string{"b"}); !errors.Is(err, db.ErrInUse) {
		t.Errorf("remove what another task depends on: %v", err)
	}
	removed, err := q.RemoveTasks(ctx, "build", []string{"d"})
	if diff := cmp.Diff(queue.RemoveResult{Job: "build", Removed: 1}, removed); diff != "" || err != nil {
		t.Errorf("remove: %v\n%s", err, diff)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}
	writeLog(t, q, "a", "text\n")
	jobs, err := q.RemoveJobs(ctx, []string{"build"})
	if diff := cmp.Diff([]queue.RemoveResult{{Job: "build", Removed: 3}}, jobs); diff != "" || err != nil {
		t.Errorf("remove the job: %v\n%s", err, diff)
	}
	if left, err := os.ReadDir(filepath.Join(q.BasePath(), "jobs")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestProgressTellsOfNothingTwice(t *testing.T) {
	q := openQueue(t)
	p := q.Progress("build", 0)
	for i, want := range []bool{true, false} {
		steps, changed, err := p.Look(t.Context())
		if err != nil || changed != want || slices.ContainsFunc(steps, func(s queue.Step) bool { return !s.New }) {
			t.Errorf("look %d: %v, changed %t, %v", i, steps, changed, err)
		}
	}
	if p.State.Name != "build" || p.State.Tasks.Total() != 4 {
		t.Errorf("%+v", p.State)
	}
}

func TestTasksGetWhatTheTemplateSays(t *testing.T) {
	q, ctx := openQueue(t), t.Context()
	template := job.Spec{Dir: "/srv", Env: []string{"A=1"}, Priority: 2, Timeout: time.Minute}
	specs := []job.Spec{
		{ID: "x", Command: "true"},
		{ID: "y", Command: "true", Dir: "sub", Env: []string{"B=2"}, Priority: -1, Timeout: time.Hour, Dependencies: []string{"x"}},
	}
	tasks := func(yield func(job.Spec, error) bool) {
		for _, s := range specs {
			if !yield(s, nil) {
				return
			}
		}
	}
	added, err := q.Enqueue(ctx, tasks, queue.EnqueueOptions{Job: "new", NewJob: true, Template: &template})
	if err != nil {
		t.Fatal(err)
	}
	var got []queue.EnqueuedForm
	if err := q.EachEnqueued(ctx, added, func(e queue.EnqueuedForm) error { got = append(got, e); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]queue.EnqueuedForm{{Job: "new", Task: "x", Added: true}, {Job: "new", Task: "y", Added: true}}, got); diff != "" {
		t.Error(diff)
	}
	x, err := q.DB.Task(ctx, "new", "x")
	if err != nil || x.Dir != "/srv" || x.Priority != 2 || x.Timeout != time.Minute {
		t.Errorf("x: %+v, %v", x.Spec, err)
	}
	y, err := q.DB.Task(ctx, "new", "y")
	if err != nil || y.Dir != "/srv/sub" || y.Priority != -1 || y.Timeout != time.Hour {
		t.Errorf("y: %+v, %v", y.Spec, err)
	}
	if names, _, err := q.DB.EnvNames(ctx, "new", "y"); err != nil || !slices.Equal(names, []string{"A", "B"}) {
		t.Errorf("variables of y: %q, %v", names, err)
	}
	if _, err := q.Enqueue(ctx, tasks, queue.EnqueueOptions{Job: "new", NewJob: true}); !errors.Is(err, db.ErrJobExists) {
		t.Errorf("a job that is there: %v", err)
	}
	// Inside a task that has put its token away, its own job is the default.
	caller := queue.Caller{BasePath: q.BasePath(), Job: "build", Task: "a"}
	for want, c := range map[string]queue.Caller{"build": caller, queue.DefaultJob: {}} {
		added, err := q.Enqueue(ctx, func(yield func(job.Spec, error) bool) { yield(job.Spec{Command: "true"}, nil) }, queue.EnqueueOptions{Caller: c})
		if err != nil || added.Job != want {
			t.Errorf("into job %q, not %q: %v", added.Job, want, err)
		}
	}
}

func TestWhatWasExportedCanBeImported(t *testing.T) {
	q, ctx := openQueue(t), t.Context()
	out := t.TempDir()
	var exported []queue.ExportResult
	if err := q.Export(ctx, "", out, func(r queue.ExportResult) { exported = append(exported, r) }); err != nil || len(exported) != 1 {
		t.Fatalf("%v, %v", exported, err)
	}
	conf := &config.Config{BasePath: filepath.Join(t.TempDir(), "base"), TaskTimeout: time.Minute, MaxConcurrentRunners: 2, Durability: "normal"}
	folders, notes, err := queue.FindFolders(ctx, conf, []string{out})
	if err != nil || len(notes) > 0 || !slices.Equal(folders, []string{exported[0].Path}) {
		t.Fatalf("%q, %q, %v", folders, notes, err)
	}
	if _, err := os.Lstat(conf.BasePath); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("to look for folders makes a base path: %v", err)
	}
	other, err := queue.Open(ctx, conf, false)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	r, err := other.Import(ctx, folders[0], queue.ImportOptions{})
	if err != nil || r.Imported != 4 || r.MovedTo != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := other.Import(ctx, folders[0], queue.ImportOptions{}); !errors.Is(err, db.ErrDuplicate) || errors.As(err, new(*queue.BadFolder)) {
		t.Errorf("once more: %v", err)
	}
	if r, err := other.Import(ctx, folders[0], queue.ImportOptions{Merge: true}); err != nil || r.Imported != 0 || r.Present != 4 || !r.Merged {
		t.Errorf("merged: %+v, %v", r, err)
	}
	if err := os.WriteFile(filepath.Join(folders[0], "state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Import(ctx, folders[0], queue.ImportOptions{}); !errors.As(err, new(*queue.BadFolder)) {
		t.Errorf("a file that is cut: %v", err)
	}
}

// The earlier program leaves tasks running for ever. Of one that is there already
// there is nothing to decide; of another the error names file and job.
func TestAMergeNeedsADecisionOnlyForTasksThatItAdds(t *testing.T) {
	q := openQueue(t)
	folder := t.TempDir()
	write := func(tasks string) {
		for name, text := range map[string]string{"state.json": `{"name": "build"}`, "tasks.json": tasks} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(`[{"id": "d", "command": "true", "status": "running"}, {"id": "e", "command": "true"}]`)
	r, err := q.Import(t.Context(), folder, queue.ImportOptions{Merge: true})
	if err != nil || r.Imported != 1 || r.Present != 1 || len(r.WasRunning) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	write(`[{"id": "d", "command": "true", "status": "running"}, {"id": "f", "command": "true", "status": "running"}]`)
	_, err = q.Import(t.Context(), folder, queue.ImportOptions{Merge: true})
	want := filepath.Join(folder, "tasks.json") + `: task "f" of job "build" is running in the file`
	if err == nil || err.Error() != want || !errors.As(err, new(*queue.BadFolder)) {
		t.Errorf("%v, want %s", err, want)
	}
}
