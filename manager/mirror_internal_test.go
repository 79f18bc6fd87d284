package manager

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/taskfile"
)

// mirrored is a database with a mirror that does not run, so that the test makes
// the passes.
type mirrored struct {
	*mirror
	t    *testing.T
	base string
	said bytes.Buffer
}

func newMirrored(t *testing.T, base string) *mirrored {
	out := &mirrored{t: t, base: base}
	out.mirror = openMirror(t.Context(), &config.Config{BasePath: base, Durability: "normal"}, slog.New(slog.NewTextHandler(&out.said, nil)))
	if out.mirror == nil {
		t.Fatal(out.said.String())
	}
	t.Cleanup(func() { out.mirror.db.Close() })
	return out
}

// look makes a pass and returns the job that the files then tell of.
func (m *mirrored) look(name string) (job.Job, []job.Task) {
	m.t.Helper()
	m.pass(m.t.Context())
	folder := jobfolder.Path(m.base, name)
	j, err := jobfolder.ReadState(folder)
	if err != nil {
		m.t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, jobfolder.TasksFile))
	if err != nil {
		m.t.Fatal(err)
	}
	tasks, err := taskfile.ParseTasks("tasks.json", name, data)
	if err != nil {
		m.t.Fatal(err)
	}
	return j, tasks
}

func TestTheMirrorFollowsTheDatabase(t *testing.T) {
	base := t.TempDir()
	d := openWithTasks(t, base, 2)
	jobs, err := d.Jobs(t.Context())
	if err != nil || len(jobs) == 0 {
		t.Fatal(jobs, err)
	}
	name := jobs[0].Name
	m := newMirrored(t, base)
	if j, tasks := m.look(name); j.UUID != jobs[0].UUID || j.State != job.StateWaiting || len(tasks) == 0 {
		t.Errorf("%+v, %+v", j, tasks)
	}
	if _, err := d.Cancel(t.Context(), name, ""); err != nil {
		t.Fatal(err)
	}
	if j, tasks := m.look(name); j.State != job.StateFailed || tasks[0].Status != job.Failed {
		t.Errorf("after the cancel: %+v, %+v", j, tasks)
	}
	// What has not changed is not written again.
	folder := jobfolder.Path(base, name)
	before, _ := os.Stat(filepath.Join(folder, jobfolder.StateFile))
	m.look(name)
	another := newMirrored(t, base)
	another.look(name)
	if after, _ := os.Stat(filepath.Join(folder, jobfolder.StateFile)); !os.SameFile(before, after) {
		t.Error("the file of a job that has not changed was replaced")
	}
	// A file that was cut short by a crash is.
	if err := os.Remove(filepath.Join(folder, jobfolder.TasksFile)); err != nil {
		t.Fatal(err)
	}
	newMirrored(t, base).look(name)
}

func TestTheMirrorWritesOverNoOtherJob(t *testing.T) {
	base := t.TempDir()
	d := openWithTasks(t, base, 1)
	jobs, _ := d.Jobs(t.Context())
	name := jobs[0].Name
	theirs := filepath.Join(jobfolder.Path(base, name), jobfolder.StateFile)
	if err := os.MkdirAll(filepath.Dir(theirs), 0o700); err != nil {
		t.Fatal(err)
	}
	const content = `{"id": "other", "name": "x", "state": "failed"}`
	if err := os.WriteFile(theirs, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMirrored(t, base)
	m.said.Reset()
	for range 3 {
		m.pass(t.Context())
		m.written = map[string]version{}
	}
	if got, err := os.ReadFile(theirs); string(got) != content {
		t.Errorf("%s, %v", got, err)
	}
	if n := strings.Count(m.said.String(), "are not written"); n > 1 {
		t.Errorf("said %d times", n)
	}
	if err := os.Remove(theirs); err != nil {
		t.Fatal(err)
	}
	m.look(name)
}

// A job that is gone leaves no file that tells of it, except where others wrote
// it.
func TestTheMirrorRemovesWhatIsGone(t *testing.T) {
	base := t.TempDir()
	openWithTasks(t, base, 1)
	m := newMirrored(t, base)
	folder := jobfolder.Path(base, "gone")
	gone := job.Job{UUID: "u", Name: "gone", State: job.StateWaiting, UpdatedAt: time.Now()}
	write := func(uuid string) {
		state, _ := taskfile.FormatState(job.Job{UUID: uuid, Name: "gone", State: job.StateWaiting})
		for name, data := range map[string][]byte{jobfolder.StateFile: state, jobfolder.TasksFile: []byte("[]\n")} {
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for uuid, stays := range map[string]bool{"u": false, "other": true} {
		write(uuid)
		m.written["gone"] = version{gone.UUID, gone.UpdatedAt}
		m.pass(t.Context())
		if jobfolder.Is(folder) != stays {
			t.Errorf("files with the id %s stay: %t, want %t", uuid, !stays, stays)
		}
		if len(m.written) != 1 {
			t.Errorf("written: %v", m.written)
		}
	}
}

func TestTheMirrorWritesTheLastWordWhenItEnds(t *testing.T) {
	for _, c := range []struct {
		why  error
		want job.State
	}{
		{errStopped, job.StateFailed},
		{errors.New("a file was replaced"), job.StateWaiting}, // the database cannot be trusted
	} {
		base := t.TempDir()
		d := openWithTasks(t, base, 1)
		jobs, _ := d.Jobs(t.Context())
		m := openMirror(t.Context(), &config.Config{BasePath: base}, slog.New(slog.DiscardHandler))
		m.pass(t.Context())
		if _, err := d.Cancel(t.Context(), jobs[0].Name, ""); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(c.why)
		if err := m.Run(ctx); err != nil {
			t.Error(err)
		}
		j, err := jobfolder.ReadState(jobfolder.Path(base, jobs[0].Name))
		if err != nil || j.State != c.want {
			t.Errorf("ended by %v: %+v, %v", c.why, j, err)
		}
	}
}

func TestThereIsNoMirrorWhereItWouldDoHarm(t *testing.T) {
	base := t.TempDir()
	openWithTasks(t, base, 1)
	other := testkit.Start(t, exec.Command("/bin/sh", "-c", "echo; read x; exit", "python3", "air_executor"))
	// The kernel shows the arguments of a process a moment after its start.
	if _, err := other.Out.ReadByte(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(base, "manager.pid"), []byte(strconv.Itoa(other.Process.Pid)), 0o600); err != nil {
		t.Fatal(err)
	}
	if openMirror(t.Context(), &config.Config{BasePath: base}, slog.New(slog.DiscardHandler)) != nil {
		t.Error("a mirror beside the program that would run what is in the files")
	}
	if openMirror(t.Context(), &config.Config{BasePath: t.TempDir()}, slog.New(slog.DiscardHandler)) != nil {
		t.Error("a mirror without a database")
	}
}

// openWithTasks opens a new database with n jobs that have a task each.
func openWithTasks(t *testing.T, base string, n int) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), base, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	for i := range n {
		task := job.Spec{ID: "1", Command: "true"}
		_, err := d.Enqueue(t.Context(), db.Batch{Job: "j" + strconv.Itoa(i), Tasks: func(yield func(job.Spec, error) bool) { yield(task, nil) }})
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}
