//go:build failpoints

package faults

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// T17: to a program, a clock that was set back is the same as rows of a time to
// come, and one that was set forward the same as rows of long ago.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, shift := range map[string]time.Duration{"back a day": 24 * time.Hour, "forward a year": -365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.enqueue("a", "1", waits("go"))
			w.enqueue("a", "2", `[ $AIR_EXECUTOR_ATTEMPT = 2 ]`)
			w.enqueue("a", "3", "true")
			w.start()
			w.becomes("running", "a", "1")
			w.jump(shift)
			w.enqueue("b", "1", "true") // the clock goes on from here
			w.becomes("completed", "b", "1")
			w.manager.kill()
			w.start()
			if now := w.tasks("a")["1"]; now.Status != "running" {
				t.Fatalf("a task whose runner lives is %+v", now)
			}
			w.write("scratch/go", "")
			w.becomes("completed", "a", "1")
			w.becomes("failed", "a", "2")
			w.becomes("completed", "a", "3")
			w.jump(shift)
			w.run(0, "reset", "a")
			w.becomes("completed", "a", "2")
			w.run(0, "status", "--job", "a")
			w.run(0, "doctor")
			if got, want := strings.Join(w.startsOf("a"), " "), "1 2 3 2"; got != want {
				t.Errorf("tasks were started in the order %s, not %s", got, want)
			}
		})
	}
}

// jump shifts every time that is stored.
func (w *world) jump(by time.Duration) {
	w.Helper()
	for _, set := range []string{
		"job SET created_at = created_at + ?1, updated_at = updated_at + ?1",
		"task SET created_at = created_at + ?1, started_at = started_at + ?1, completed_at = completed_at + ?1",
		"attempt SET started_at = started_at + ?1, ended_at = ended_at + ?1",
		"manager SET started_at = started_at + ?1, stopped_at = stopped_at + ?1",
	} {
		w.sql("UPDATE "+set+" RETURNING 1", by.Microseconds())
	}
}

// startsOf lists the tasks of a job as they were started.
func (w *world) startsOf(job string) (ids []string) {
	for _, line := range w.witnessed() {
		if f := strings.Fields(line); f[0] == "start" && f[1] == job {
			ids = append(ids, f[2])
		}
	}
	return ids
}

// T17: what a manager has started before the clocks that only go forward have
// jumped by years, its successor finds alive; and time limits are kept in time
// that goes by.
func TestTimeNamespace(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * 3600
	w := newWorld(t)
	w.enqueue("j", "1", waits("go")+"; exit 6")
	first := w.startLater(0)
	w.started("j", "1")
	for _, offset := range []int{10 * year, year, 0} {
		w.must(syscall.Kill(first, syscall.SIGKILL))
		first = w.startLater(offset)
		job := "limits" + strconv.Itoa(offset)
		w.run(0, "enqueue", "-j", job, "--id", "short", "--timeout", "200ms", "--", "sleep", "1000")
		w.run(0, "enqueue", "-j", job, "--id", "long", "--timeout", "1h", "--", "sleep", "0.2")
		if short := w.becomes("failed", job, "short"); short.Reason != "timed_out" {
			t.Errorf("%+v", short)
		}
		w.becomes("completed", job, "long")
		if now := w.tasks("j")["1"]; now.Status != "running" {
			t.Fatalf("a task whose runner lives is %+v", now)
		}
	}
	w.write("scratch/go", "")
	if ended := w.becomes("failed", "j", "1"); *ended.ExitCode != 6 || ended.Attempts != 1 {
		t.Errorf("%+v", ended)
	}
}

// startLater starts a manager in the background, for which the machine has run
// for so many seconds more, and returns its PID.
func (w *world) startLater(seconds int) (pid int) {
	w.Helper()
	start := w.command(nil, "start")
	if seconds > 0 {
		path, err := exec.LookPath("unshare")
		if err != nil {
			w.Skip(err)
		}
		offset := strconv.Itoa(seconds)
		start.Path = path
		start.Args = append([]string{"unshare", "--time", "--monotonic", offset, "--boottime", offset, program}, start.Args[1:]...)
	}
	out, err := start.CombinedOutput()
	if strings.HasPrefix(string(out), "unshare: ") {
		w.Skipf("no namespace for times here: %s", out)
	}
	w.must(err)
	if _, err := fmt.Sscanf(string(out), "Job manager started (PID %d)", &pid); err != nil {
		w.Fatalf("%q: %v", out, err)
	}
	return pid
}
