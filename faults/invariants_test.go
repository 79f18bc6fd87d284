//go:build failpoints

package faults

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// verify ends the faults, has a manager put things in order, and checks what
// must hold whatever has happened. The numbers are those of RELIABILITY.md.
func (w *world) verify() {
	defer w.close() // even if a check gives up
	for _, p := range w.processes() {
		proceed(p.pid)
	}
	if _, err := os.Stat(w.base + "/air-executor.db"); err == nil {
		w.ensureManager()
		w.settle()
		w.checkAcked()
	}
	w.checkWitness()
}

// close ends what is left, looks at the canary tree, and says more if the test
// has failed.
func (w *world) close() {
	w.endAll()
	if now := w.lookAtCanary(); now != w.canary {
		w.Errorf("I11: files outside the base path have changed:\n%s\nwere\n%s", now, w.canary)
	}
	if w.Failed() {
		log, _ := os.ReadFile(w.base + "/manager.log")
		witness, _ := os.ReadFile(w.dir + "/witness")
		w.Logf("manager.log:\n%s\nwitness:\n%s", log[max(0, len(log)-8000):], witness[max(0, len(witness)-2000):])
	}
}

// ensureManager starts one if none serves.
func (w *world) ensureManager() {
	if w.manager != nil {
		select {
		case <-w.manager.ended:
		default:
			return
		}
	}
	if said := w.launch().says(); said != "0 serving" && !strings.HasPrefix(said, "5") {
		w.Errorf("no manager can serve after the faults: %q", said)
	}
}

// settle checks I1, I8 and I9, which may take the manager a few seconds: the
// database is sound, what runs by its row has a living runner, and no process
// has the token of an attempt that is over.
func (w *world) settle() {
	const moment = 5*time.Second + 10*time.Second // and for a machine that is busy
	var wrong string
	for end := time.Now().Add(moment); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		wrong = ""
		if o := w.with(nil, "doctor"); o.code != 0 {
			wrong = "I1, I8: " + o.out + o.err
		} else if strays := w.strays(); len(strays) > 0 {
			wrong = fmt.Sprintf("I9: processes of attempts that are over: %+v", strays)
		} else {
			return
		}
	}
	w.Errorf("%s", wrong)
}

// strays are the processes whose attempt does not run.
func (w *world) strays() (out []process) {
	for _, p := range w.processes() {
		if p.token != "" && w.sql("SELECT status FROM attempt WHERE token = ?", p.token) != "running" && state(p.pid) != 0 {
			out = append(out, p)
		}
	}
	return out
}

// checkAcked checks I2: a task whose id was printed is there.
func (w *world) checkAcked() {
	for _, a := range w.acked {
		n := w.sql("SELECT count(*) FROM task t JOIN job j ON j.id = t.job WHERE j.name = ? AND t.name = ?", a[0], a[1])
		if n != "1" {
			w.Errorf("I2: %s rows for task %s of job %s, whose id was printed", n, a[1], a[0])
		}
	}
}

// checkWitness checks I4 and I6: an attempt starts at most once, and the
// attempts of a task or job do not overlap.
func (w *world) checkWitness() {
	seen := map[string]bool{}
	for _, line := range w.witnessed() {
		if strings.HasPrefix(line, "overlap") {
			w.Errorf("I6: %s", line)
		}
		if strings.HasPrefix(line, "start") && seen[line] {
			w.Errorf("I4: twice: %s", line)
		}
		seen[line] = true
	}
}

// witnessed are the lines of the witness file.
func (w *world) witnessed() []string {
	b, _ := os.ReadFile(w.dir + "/witness")
	return strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' })
}

// starts counts how often a task was started.
func (w *world) starts(job, id string) (n int) {
	for _, line := range w.witnessed() {
		if strings.HasPrefix(line, "start "+job+" "+id+" ") {
			n++
		}
	}
	return n
}

// endAll stops the manager with what it runs, and checks that nothing is left.
func (w *world) endAll() {
	w.with(nil, "stop", "--kill", "--timeout=20s")
	left := w.processes()
	for end := time.Now().Add(10 * time.Second); len(left) > 0 && time.Now().Before(end); left = w.processes() {
		time.Sleep(20 * time.Millisecond)
	}
	for _, p := range left {
		w.Errorf("I9: left after stop --kill: %+v", p)
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// powerOff kills every process of this world until none is left. One look is not
// enough: a process may fork between the look and its end, and one that is just
// becoming another program shows no environment.
func (w *world) powerOff() {
	w.Helper()
	empty := 0
	w.until("nothing lives", func() bool {
		all := w.processes()
		for _, p := range all {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		if empty++; len(all) > 0 {
			empty = 0
		}
		return empty == 2
	})
}

// lookAtCanary describes every file that the program has no business with.
func (w *world) lookAtCanary() string {
	var all []string
	w.must(filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(w.dir, path)
		switch {
		case err != nil:
			return err
		case name == "base", name == "scratch":
			all = append(all, name)
			return fs.SkipDir
		case strings.HasPrefix(name, "mark."), strings.HasPrefix(name, "witness"):
			return nil
		}
		info, err := e.Info()
		content, _ := os.ReadFile(path)
		all = append(all, fmt.Sprintf("%s %s %q", name, info.Mode(), content))
		return err
	}))
	return strings.Join(all, "\n")
}

// process is one that this world has started.
type process struct {
	pid     int
	token   string // of the attempt that it belongs to
	command string
}

// processes lists what was started from this world and lives.
func (w *world) processes() (out []process) {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environs {
		b, _ := os.ReadFile(path)
		env := strings.Split(string(b), "\x00")
		if !slices.Contains(env, "WORLD="+w.dir) {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		p := process{pid: pid}
		for _, kv := range env {
			if token, ok := strings.CutPrefix(kv, "AIR_EXECUTOR_TOKEN="); ok {
				p.token = token
			}
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		p.command = strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
		if s := state(pid); s != 0 && s != 'Z' {
			out = append(out, p)
		}
	}
	return out
}

// state is that of a process by proc_pid_stat(5), 0 if there is none.
func state(pid int) byte {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := strings.Cut(string(b), ") ")
	if !ok {
		return 0
	}
	return rest[0]
}

// alive reports whether there is such a process, and it is no zombie.
func alive(pid int) bool {
	s := state(pid)
	return syscall.Kill(pid, 0) == nil && s != 'Z' && s != 0
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
