package jobfolder_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/jobfolder"
)

// write puts files below a temporary folder, which it returns.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		testkit.Write(t, filepath.Join(dir, name), content)
	}
	return dir
}

func TestFind(t *testing.T) {
	dir := write(t, map[string]string{
		"job/state.json":                          "",
		"several/a/tasks.json":                    "",
		"several/b/state.json":                    "",
		"several/c/logs/x.log":                    "",
		"base/config.yaml":                        "",
		"base/jobs/a/state.json":                  "",
		"base/imported/2025-01-02/z/state.json":   "",
		"project/main.go":                         "",
		"project/.air-executor/jobs/p/tasks.json": "",
		"none/x": "",
	})
	for path, want := range map[string][]string{
		"job": {"job"}, "several": {"several/a", "several/b"}, "base": {"base/jobs/a"}, "base/jobs": {"base/jobs/a"},
		"project": {"project/.air-executor/jobs/p"}, "none": nil,
	} {
		got, err := jobfolder.Find(filepath.Join(dir, path), ".air-executor")
		for i := range got {
			got[i], _ = filepath.Rel(dir, got[i])
		}
		if !cmp.Equal(got, want) || err != nil {
			t.Errorf("Find(%s) = %q, %v, want %q", path, got, err, want)
		}
	}
	for _, path := range []string{"absent", "none/x"} {
		if got, err := jobfolder.Find(filepath.Join(dir, path), ".air-executor"); err == nil {
			t.Errorf("Find(%s) = %q, want an error", path, got)
		}
	}
}

func TestRetireLosesNothing(t *testing.T) {
	base := write(t, map[string]string{"jobs/j/state.json": "1", "jobs/j/tasks.json": "1", "jobs/j/logs/a.log": "log"})
	folder := filepath.Join(base, "jobs", "j")
	day := time.Date(2025, 10, 2, 0, 0, 0, 0, time.UTC)
	retire := func(want string) {
		t.Helper()
		if got, err := jobfolder.Retire(base, folder, day); got != filepath.Join(base, "imported", "2025-10-02", want) || err != nil {
			t.Errorf("moved to %s, %v, want %s", got, err, want)
		}
	}
	put := func(name, content string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	retire("j")
	put("state.json", "2")
	put("tasks.json", "2")
	retire("j.2")
	// As a crash leaves it: one is moved, the other is not.
	if err := os.Rename(filepath.Join(base, "imported/2025-10-02/j.2/state.json"), filepath.Join(folder, "state.json")); err != nil {
		t.Fatal(err)
	}
	retire("j.2")
	for name, want := range map[string]string{"j/state.json": "1", "j/tasks.json": "1", "j.2/state.json": "2", "j.2/tasks.json": "2"} {
		if got, err := os.ReadFile(filepath.Join(base, "imported", "2025-10-02", name)); string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(folder, "logs", "a.log")); string(got) != "log" {
		t.Errorf("the log: %q, %v", got, err)
	}
}

// The folder jobs may be a link to another disk, where nothing can be renamed to.
func TestRetireMovesToAnotherDisk(t *testing.T) {
	base := t.TempDir()
	disk, err := os.MkdirTemp("/dev/shm", "jobs-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(disk) })
	if err := os.Rename(filepath.Join(disk), filepath.Join(base, "x")); err == nil {
		t.Skip("it is the same disk")
	}
	if err := os.Symlink(disk, filepath.Join(base, "jobs")); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(base, "jobs", "j")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "state.json"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	to, err := jobfolder.Retire(base, folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(to, "state.json")); string(got) != "1" || err != nil || jobfolder.Is(folder) {
		t.Errorf("%q, %v", got, err)
	}
}

// process starts a process with these words on its command line, which ends with
// the test.
func process(t *testing.T, words ...string) int {
	t.Helper()
	cmd := exec.Command("/bin/sh", append([]string{"-c", "read x; exit"}, words...)...)
	return testkit.Start(t, cmd).Process.Pid
}

func TestServedBy(t *testing.T) {
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	long, now := time.Now().Add(-48*time.Hour), time.Now()
	for _, c := range []struct {
		name    string
		pid     int
		written time.Time
		serves  bool
		linux   bool // only there can it be told
	}{
		{"the program", process(t, "python3", "-m", "air_executor.cli.main"), now, true, false},
		{"the program, and the clock was set since", process(t, "python3", "/usr/bin/air-executor"), long, true, false},
		{"a Python that does not name itself", process(t, "/usr/bin/python3.11"), now, true, false},
		{"a Python that is younger than the file", process(t, "/usr/bin/python3.11"), long, false, true},
		{"another program", process(t, "sshd"), now, false, true},
		{"none", ended.Process.Pid, now, false, false},
		{"no PID", 0, now, false, false},
	} {
		if c.linux && runtime.GOOS != "linux" {
			continue
		}
		for file, what := range map[string]string{"manager.pid": "manager", "jobs/j/runner.pid": "runner"} {
			base := write(t, map[string]string{file: strconv.Itoa(c.pid) + "\n", "jobs/j/tasks.json": "[]"})
			if err := os.Chtimes(filepath.Join(base, file), c.written, c.written); err != nil {
				t.Fatal(err)
			}
			got := jobfolder.ServedBy(filepath.Join(base, "jobs", "j"))
			if (got != nil) != c.serves {
				t.Errorf("%s: %+v, want %t", c.name, got, c.serves)
			} else if got != nil && (got.PID != c.pid || got.What != what || got.File != filepath.Join(base, file)) {
				t.Errorf("%s: %+v", c.name, got)
			}
		}
	}
	base := write(t, map[string]string{"manager.pid": strconv.Itoa(process(t, "air_executor")), "jobs/j/tasks.json": "[]"})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(base, "jobs", "j"), link); err != nil {
		t.Fatal(err)
	}
	if jobfolder.ServedBy(link) == nil {
		t.Error("a link to the folder hides the manager")
	}
	if got := jobfolder.ServedBy(write(t, map[string]string{"runner.pid": "x"})); got != nil {
		t.Errorf("%+v", got)
	}
}
