//go:build failpoints

package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// T27: a command that takes more memory than there is ends alone. Its runner
// records how, and its manager and others go on.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	const glutton = "exec tail /dev/zero" // one line without an end, kept in memory
	t.Run("limit of the command", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.enqueue("bad", "1", "ulimit -v 65536; "+glutton)
		w.enqueue("bad", "2", "true")
		w.start()
		if ended := w.becomes("failed", "bad", "1"); ended.Reason != "exited" {
			t.Errorf("%+v", ended)
		}
		w.becomes("completed", "bad", "2")
	})
	t.Run("killed from outside", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.enqueue("bad", "1", "echo $$ >$SCRATCH/pid.new; mv $SCRATCH/pid.new $SCRATCH/pid; exec sleep 1000")
		w.enqueue("bad", "2", "true")
		w.start()
		w.until("the command says who it is", func() bool { return exists(w.scratch + "/pid") })
		b, err := os.ReadFile(w.scratch + "/pid")
		w.must(err)
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		w.must(err)
		// The witness first: alone it would report the death of its child as an exit.
		for _, pid := range append(w.named(w.dir+"/witness.sh"), pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		w.checkOutOfMemory("bad")
	})
	t.Run("group of the command", func(t *testing.T) {
		t.Parallel()
		group := memoryGroup(t, 48<<20)
		w := newWorld(t)
		w.start()
		w.enqueue("good", "1", waits("go"))
		w.run(0, "enqueue", "-j", "bad", "--id", "1", "--", "sh", "-c", "echo $$ >"+group+"/cgroup.procs && "+glutton)
		w.enqueue("bad", "2", "true")
		w.checkOutOfMemory("bad")
		w.write("scratch/go", "")
		w.becomes("completed", "good", "1")
	})
	t.Run("group of all", func(t *testing.T) {
		t.Parallel()
		group := memoryGroup(t, 256<<20)
		w := newWorld(t)
		m := w.start()
		w.until("its first runner waits", func() bool { return len(w.processes()) == 2 })
		for _, p := range w.processes() {
			w.must(put(group+"/cgroup.procs", strconv.Itoa(p.pid)))
		}
		w.enqueue("good", "1", waits("go"))
		w.becomes("running", "good", "1")
		w.run(0, "enqueue", "-j", "bad", "--id", "1", "--", "sh", "-c", glutton)
		w.enqueue("bad", "2", "true")
		w.checkOutOfMemory("bad")
		w.write("scratch/go", "")
		w.becomes("completed", "good", "1")
		if !alive(m.Process.Pid) {
			t.Error("the manager was killed")
		}
	})
}

// checkOutOfMemory checks that the first task of a job was killed by somebody
// else, is said to have been, and that the second one completes.
func (w *world) checkOutOfMemory(job string) {
	w.Helper()
	ended := w.becomes("failed", job, "1")
	if ended.Reason != "signaled" || ended.Signal != "SIGKILL" || !strings.Contains(ended.Error, "out of memory?") || ended.Attempts != 1 {
		w.Errorf("%+v", ended)
	}
	w.becomes("completed", job, "2")
}

// memoryGroup makes a control group whose processes may take so many bytes, of
// the second kind or of the first, and returns its folder.
func memoryGroup(t *testing.T, limit int) string {
	t.Helper()
	var why error
	for _, kind := range []struct{ root, max, swap, none string }{
		{"/sys/fs/cgroup", "memory.max", "memory.swap.max", "0"},
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", strconv.Itoa(limit)}, // with swap in it
	} {
		_ = put(kind.root+"/cgroup.subtree_control", "+memory") // there is none of the first kind
		group := filepath.Join(kind.root, fmt.Sprintf("air-executor-%d-%d", os.Getpid(), limit))
		err := os.Mkdir(group, 0o755)
		if err == nil {
			t.Cleanup(func() { _ = os.Remove(group) })
			err = put(filepath.Join(group, kind.max), strconv.Itoa(limit))
		}
		if err == nil {
			_ = put(filepath.Join(group, kind.swap), kind.none) // where there is swap
			return group
		}
		why = errors.Join(why, err)
	}
	t.Skipf("no control group for memory here: %v", why)
	return ""
}

// put writes a value into a file that the kernel provides.
func put(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(value)
	return err
}
