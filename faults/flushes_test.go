//go:build failpoints

package faults

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// While a manager has the database open, an enqueue waits for the disk once, and
// a task twice: when it is claimed and when it ends.
func TestFlushes(t *testing.T) {
	t.Parallel()
	if err := exec.Command("strace", "-o", os.DevNull, "true").Run(); err != nil {
		t.Skipf("no strace here: %v", err)
	}
	w := newWorld(t)
	m := w.start()
	w.enqueue("j", "first", "true")
	w.becomes("completed", "j", "first")
	trace := func(name string, args ...string) *exec.Cmd {
		return exec.Command("strace", append([]string{"-f", "-qq", "-o", w.scratch + "/" + name, "-e", "trace=fsync,fdatasync", "-e", "signal=none"}, args...)...)
	}
	flushes := func(name string) (calls []string) {
		b, err := os.ReadFile(w.scratch + "/" + name)
		w.must(err)
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, "sync(") {
				calls = append(calls, line)
			}
		}
		return calls
	}
	of := trace("manager", "-p", strconv.Itoa(m.Process.Pid))
	w.must(of.Start())
	ended := func() {
		_ = of.Process.Signal(syscall.SIGTERM)
		// It may wait for ever for a thread that has ended meanwhile.
		late := time.AfterFunc(10*time.Second, func() { _ = of.Process.Kill() })
		defer late.Stop()
		_ = of.Wait()
	}
	defer ended()
	w.until("strace is there", func() bool { return exists(w.scratch + "/manager") })
	one := trace("enqueue", append([]string{w.program}, w.enqueueArgs("j", "1", "true")...)...)
	one.Env, one.Dir = w.env, w.home()
	if out, err := one.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.acked = append(w.acked, [2]string{"j", "1"})
	if calls := flushes("enqueue"); len(calls) != 1 {
		t.Errorf("an enqueue waits for the disk %d times: %q", len(calls), calls)
	}
	w.becomes("completed", "j", "1")
	const more = 4
	for i := range more {
		id := strconv.Itoa(i + 2)
		w.enqueue("j", id, "true")
		w.becomes("completed", "j", id)
	}
	ended()
	// The runner that was there before strace is not seen.
	if calls := flushes("manager"); len(calls) > 2*(1+more) || len(calls) < 2*more {
		t.Errorf("%d tasks wait for the disk %d times: %q", 1+more, len(calls), calls)
	}
}
