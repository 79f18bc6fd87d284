//go:build failpoints

package faults

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// T36: no name of a job or task leads out of the base path.
func TestPathTraversal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	ids := []string{
		"../canary", "../../../../home/canary", "/etc/passwd", w.home() + "/canary", ".", "..", "-rf", "CON", "a/b", "a\\b", "~", "$HOME", "`id`",
		"%2e%2e%2fcanary", "a\nb", "\x1b[2J", "\u202egpj.exe", "🚀", "é", "e\u0301", " ", strings.Repeat("x", 200), strings.Repeat("x", 201), strings.Repeat("x", 4096), "..log", ".log",
	}
	stored := 0
	for _, id := range ids {
		o := w.with(nil, "enqueue", "--job", "j", "--id="+id, "--", "sh", "-c", `printf %s "$AIR_EXECUTOR_TASK"`)
		switch {
		case o.code == 0:
			stored++
			if o := w.with(nil, "wait", "--job", "j", "--task="+id); o.code != 0 {
				t.Errorf("task %q: %+v", id, o)
			}
			if out, err := os.ReadFile(w.logOf("j", stored)); err != nil || string(out) != id {
				t.Errorf("the log of task %q is %q (%v)", id, out, err)
			}
		case o.code != 2 && o.code != 1 || o.out != "" || !strings.HasPrefix(o.err, "air-executor: "):
			t.Errorf("task %q: %+v", id, o)
		}
	}
	if stored < 10 {
		t.Errorf("only %d of the ids were taken", stored)
	}
	for _, job := range []string{"../j", "/etc", ".", "..", "a b", "a/b", "a\nb", "", "\u202ej", strings.Repeat("j", 101)} {
		if o := w.with(nil, "enqueue", "--job="+job, "--", "true"); o.code != 2 || o.out != "" {
			t.Errorf("job %q: %+v", job, o)
		}
		if o := w.with(nil, "logs", "--job="+job); o.code != 4 && o.code != 2 {
			t.Errorf("logs of job %q: %+v", job, o)
		}
	}
	if n := w.sql("SELECT count(*) FROM job"); n != "1" {
		t.Errorf("%s jobs", n)
	}
}

// logOf is the log that was made last in a job that has n of them.
func (w *world) logOf(job string, n int) (newest string) {
	w.Helper()
	files, _ := os.ReadDir(filepath.Join(w.base, "jobs", job, "logs"))
	if len(files) != n {
		w.Errorf("%d logs of %d tasks", len(files), n)
	}
	var last int64
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.ModTime().UnixNano() > last {
			last, newest = info.ModTime().UnixNano(), filepath.Join(w.base, "jobs", job, "logs", f.Name())
		}
	}
	return newest
}

// T37: whatever is planted where a log is to be, nothing outside is written to,
// and no runner hangs.
func TestPlantedLogs(t *testing.T) {
	t.Parallel()
	canary := "../../../../home/canary"
	for _, c := range []struct {
		name  string
		plant func(w *world, logs string)
		fails bool
	}{
		{"symlink", func(w *world, logs string) { w.must(os.Symlink(canary, logs+"/1.log")) }, false},
		{"absolute symlink", func(w *world, logs string) { w.must(os.Symlink(w.home()+"/canary", logs+"/1.log")) }, false},
		{"dangling symlink", func(w *world, logs string) { w.must(os.Symlink(w.home()+"/new", logs+"/1.log")) }, false},
		{"hard link", func(w *world, logs string) { w.must(os.Link(w.home()+"/canary", logs+"/1.log")) }, false},
		{"fifo", func(w *world, logs string) { w.must(syscall.Mkfifo(logs+"/1.log", 0o600)) }, false},
		{"device", func(w *world, logs string) {
			if err := syscall.Mknod(logs+"/1.log", syscall.S_IFCHR|0o600, 1<<8|3); err != nil { // /dev/null
				w.Skipf("no device can be made here: %v", err)
			}
		}, false},
		{"directory", func(w *world, logs string) { w.must(os.Mkdir(logs+"/1.log", 0o700)) }, false},
		{"folder is a symlink", func(w *world, logs string) {
			w.must(os.Remove(logs))
			w.must(os.Symlink(w.home(), logs))
		}, true},
		{"job is a symlink", func(w *world, logs string) {
			w.must(os.RemoveAll(filepath.Dir(logs)))
			w.must(os.Symlink(w.home(), filepath.Dir(logs)))
		}, true},
		{"folder is a file", func(w *world, logs string) {
			w.must(os.Remove(logs))
			w.must(os.WriteFile(logs, nil, 0o600))
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			logs := filepath.Join(w.base, "jobs", "j", "logs")
			w.must(os.MkdirAll(logs, 0o700))
			c.plant(w, logs)
			w.enqueue("j", "1", "echo said")
			w.enqueue("k", "1", "true")
			w.start()
			w.becomes("completed", "k", "1")
			if !c.fails {
				w.becomes("completed", "j", "1")
				if out, err := os.ReadFile(logs + "/1.log"); err != nil || string(out) != "said\n" {
					t.Errorf("the log is %q (%v)", out, err)
				}
			} else if failed := w.becomes("failed", "j", "1"); failed.Reason != "not_started" || w.starts("j", "1") > 0 {
				t.Errorf("%+v, started %d times", failed, w.starts("j", "1"))
			}
			if c.fails {
				if o := w.with(nil, "doctor"); o.code == 0 || !strings.Contains(o.out, "BAD  the logs of every job can be written") {
					t.Errorf("doctor: %d\n%s", o.code, o.out)
				}
				w.must(os.RemoveAll(filepath.Dir(logs)))
			}
		})
	}
}

// T41: what cannot be run fails with the reason, and never stays running.
func TestEnvironmentAndArguments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("scratch/plain", "no program\n")
	w.write("scratch/elf", "\x7fELF and nothing more")
	w.write("scratch/bang", "#!/no/such/interpreter\n")
	w.write("scratch/noexec", "#!/bin/sh\n")
	for _, name := range []string{"plain", "elf", "bang"} {
		w.must(os.Chmod(w.scratch+"/"+name, 0o700))
	}
	w.must(os.Mkdir(w.scratch+"/gone", 0o700))
	long := strings.Repeat("x", 100<<10)
	many := make([]string, 30)
	for i := range many {
		many[i] = long
	}
	type spec struct {
		ID      string            `json:"id"`
		Command string            `json:"command"`
		Args    []string          `json:"args,omitempty"`
		Env     map[string]string `json:"env,omitempty"`
		Dir     string            `json:"working_directory,omitempty"`
	}
	cases := []struct {
		spec
		reason string // empty: it completes
		says   string
	}{
		{spec{ID: "missing", Command: "no-such-program"}, "not_started", "no-such-program"},
		{spec{ID: "missing path", Command: "/no/such/program"}, "not_started", "/no/such/program"},
		{spec{ID: "not executable", Command: w.scratch + "/noexec"}, "not_started", "permission denied"},
		{spec{ID: "directory", Command: w.scratch}, "not_started", w.scratch},
		{spec{ID: "no script", Command: w.scratch + "/plain"}, "not_started", "not a program"},
		{spec{ID: "half a program", Command: w.scratch + "/elf"}, "not_started", w.scratch + "/elf"},
		{spec{ID: "interpreter", Command: w.scratch + "/bang"}, "not_started", "interpreter"},
		{spec{ID: "one large argument", Command: "true", Args: []string{strings.Repeat("x", 1<<20)}}, "not_started", "larger than the system allows"},
		{spec{ID: "3 MB of arguments", Command: "true", Args: many}, "not_started", "larger than the system allows"},
		{spec{ID: "1 MB of arguments", Command: "true", Args: many[:10]}, "", ""},
		{spec{ID: "1 MB of environment", Command: "true", Env: map[string]string{"A": long, "B": long, "C": long, "D": long, "E": long, "F": long, "G": long, "H": long, "I": long, "J": long}}, "", ""},
		{spec{ID: "empty arguments", Command: "sh", Args: []string{"-c", `[ $# = 2 ] && [ -z "$1$2" ]`, "sh", "", ""}}, "", ""},
		{spec{ID: "odd arguments", Command: "sh", Args: []string{"-c", `[ "$1" = "$ODD" ]`, "sh", "a\nb\t\"'\\é\x7f"}, Env: map[string]string{"ODD": "a\nb\t\"'\\é\x7f"}}, "", ""},
		{spec{ID: "no folder", Command: "true", Dir: "/no/such/folder"}, "not_started", "/no/such/folder"},
		{spec{ID: "folder is a file", Command: "true", Dir: w.scratch + "/plain"}, "not_started", "not a directory"},
		{spec{ID: "folder was removed", Command: "true", Dir: w.scratch + "/gone"}, "not_started", w.scratch + "/gone"},
	}
	var lines []string
	for _, c := range cases {
		line, err := json.Marshal(c.spec)
		w.must(err)
		lines = append(lines, string(line))
	}
	w.write("scratch/tasks", strings.Join(lines, "\n"))
	if o := w.with(nil, "enqueue", "--job", "j", "--from-file", w.scratch+"/tasks"); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	w.must(os.Remove(w.scratch + "/gone"))
	for _, args := range [][]string{{"--", ""}, {"--"}, {}} {
		if o := w.with(nil, append([]string{"enqueue", "--job", "j"}, args...)...); o.code != 2 {
			t.Errorf("%q: %+v", args, o)
		}
	}
	w.start()
	w.run(3, "wait", "--job", "j")
	tasks := w.tasks("j")
	for _, c := range cases {
		got := tasks[c.ID]
		if got.Reason != c.reason || !strings.Contains(got.Error, c.says) || (c.reason == "") != (got.Status == "completed") {
			t.Errorf("%s: %+v", c.ID, got)
		}
	}
}

// T42: a command gets three descriptors, no terminal, plain signals, and the
// environment and umask that it should, whatever its manager has inherited.
func TestDescriptorHygiene(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("scratch/look.sh", `
ls /proc/self/fd | tr '\n' ' '; echo
readlink /proc/$$/fd/0
grep -E '^Sig(Blk|Ign|Pnd)' /proc/$$/status | tr '\n' ' '; echo
cut -d' ' -f7 /proc/$$/stat
umask
pwd
env | grep -E '^(AIR_EXECUTOR_FAILPOINT|GOMAXPROCS|GOGC|GOMEMLIMIT|SECRET|NOTIFY_SOCKET)='
[ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && echo leader
`)
	w.run(0, "enqueue", "--job", "j", "--id", "1", "--", "sh", w.scratch+"/look.sh")
	// A manager with a lock file open, and signals ignored and blocked.
	settings := append(failpoint("none:kill"), "SECRET=1")
	starter := w.command(settings, "start")
	starter.Args = append([]string{"sh", "-c", `trap "" INT QUIT USR1 PIPE; umask 027; exec 7>` + w.scratch + `/lock 8</dev/null; exec "$0" start`}, program)
	starter.Path, _ = exec.LookPath("sh")
	out, err := starter.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.becomes("completed", "j", "1")
	lines := strings.Split(w.run(0, "logs", "--job", "j", "--task", "1").out, "\n")
	want := []string{"0 1 2 3 ", "/dev/null", "SigPnd:\t0000000000000000 SigBlk:\t0000000000000000 SigIgn:\t0000000000000000 ", "0", "", w.home(), "leader", ""}
	ofTheCLibrary := regexp.MustCompile(`SigIgn:\t0000000[01][08]0000000 `) // signals 32 and 33, left as they were
	for i, line := range lines {
		line = ofTheCLibrary.ReplaceAllString(line, "SigIgn:\t0000000000000000 ")
		if i >= len(want) || want[i] != "" && line != want[i] {
			t.Errorf("line %d is %q, not %q", i, line, append(want, "")[min(i, len(want))])
		}
	}
}
