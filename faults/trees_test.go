//go:build failpoints

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// escape starts processes that try not to be found, and then does not die of
// SIGTERM. All of them have $1 in their command lines. The last one is only
// known to its runner: it has no parent, no environment and no group of its task.
const escape = `
trap "" TERM HUP
sleep $1 &
setsid sleep $1 &
nohup sleep $1 >/dev/null 2>&1 &
(sleep $1 &)
(setsid sh -c "sleep $1 & exec sleep $1" &)
env -i $(which setsid) sleep $1 &
setsid sh -c "trap '' TERM; while :; do sleep 0.05; done" $1 &
i=0; while [ $i -lt 100 ]; do setsid sleep $1 & i=$((i+1)); done
[ "$2" = no ] || (env -i $(which setsid) sleep $1 &)
echo >$SCRATCH/ready
while :; do sleep 0.05; done
`

// T25: no process of a task outlives its end, however it tries to get away.
func TestEscapeTree(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		name, last, timeout string
		end                 func(w *world)
		reason              string
	}{
		{"timeout", "yes", "4s", func(w *world) {}, "timed_out"},
		{"timeout of a stubborn command", "yes", "4s", func(w *world) {}, "timed_out"},
		{"cancel", "yes", "1h", func(w *world) { w.run(0, "cancel", "j") }, "cancelled"},
		{"stop --kill", "yes", "1h", func(w *world) { w.run(0, "stop", "--kill") }, "cancelled"},
		// Without a runner the last one cannot be found, as docs/promises.md says.
		{"kill -9 of the runner", "no", "1h", func(w *world) { w.killRunner("j", "1") }, "lost"},
		{"kill -9 of runner and manager", "no", "1h", func(w *world) { w.manager.kill(); w.killRunner("j", "1"); w.start() }, "lost"},
		{"kill -9 of the command", "yes", "1h", func(w *world) {
			for _, pid := range w.named(w.dir + "/witness.sh") {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}, "signaled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			mark := fmt.Sprintf("8640%d.%d", i, os.Getpid())
			w.write("escape.sh", escape)
			w.canary = w.lookAtCanary()
			command := []string{"sh", w.dir + "/witness.sh", "exec sh " + w.dir + "/escape.sh " + mark + " " + c.last}
			if strings.Contains(c.name, "stubborn") {
				command = []string{"sh", w.dir + "/escape.sh", mark, c.last}
			}
			w.run(0, append([]string{"enqueue", "-j", "j", "--timeout", c.timeout, "--"}, command...)...)
			w.start()
			w.until("the processes are there", func() bool { return exists(w.scratch + "/ready") })
			// One that is just becoming another program has no command line.
			w.until("all of them can be seen", func() bool { return len(w.named(mark)) >= 100 })
			c.end(w)
			ended := w.becomes("failed", "j", "1")
			if ended.Reason != c.reason {
				t.Errorf("the task is %+v, not %s", ended, c.reason)
			}
			if left := w.named(mark); len(left) > 0 {
				t.Errorf("%d processes live when the result is there", len(left))
				for _, pid := range left {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		})
	}
}

// named lists the living processes with a text in their command line, whether
// they can be known as this world's or not.
func (w *world) named(text string) (pids []int) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, _ := os.ReadFile(path)
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		if strings.Contains(strings.ReplaceAll(string(line), "\x00", " "), text) && alive(pid) && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// runnerOf is the runner of a task that runs.
func (w *world) runnerOf(job, id string) int {
	w.Helper()
	pid, err := strconv.Atoi(w.sql(`SELECT a.pid FROM attempt a JOIN task t ON t.id = a.task JOIN job j ON j.id = t.job
WHERE a.status = 'running' AND j.name = ? AND t.name = ?`, job, id))
	w.must(err)
	return pid
}

func (w *world) killRunner(job, id string) {
	w.Helper()
	w.must(syscall.Kill(w.runnerOf(job, id), syscall.SIGKILL))
}

// T26: a process that holds the output of its task does not hold up its end,
// and is ended with it.
func TestPipeHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("j", "1", `setsid sleep 1000 & sleep 1000 & echo said`)
	w.start()
	w.becomes("completed", "j", "1")
	if out := w.run(0, "logs", "--job", "j", "--task", "1").out; !strings.HasPrefix(out, "said\n") {
		t.Errorf("the log is %q", out)
	}
}

// T28: a manager does not grow with the number of tasks that it has seen.
func TestZombieFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.enqueue("warm", "1", "true")
	w.becomes("completed", "warm", "1")
	const jobs, few, each = 8, 100, 150
	w.flood("early", jobs, few)
	before, memory := w.descriptors(), w.resident()
	w.flood("late", jobs, each)
	w.until("no zombie is left, and no descriptor more than before", func() bool {
		return w.zombies() == 0 && w.descriptors() <= before
	})
	// What it has taken for the first 800 is enough for the next 1,200, but for
	// a heap that was collected at another moment.
	now := w.resident()
	t.Logf("the manager takes %d bytes, and %d later", memory, now)
	if now > memory+16<<20 {
		t.Error("the manager has grown with the tasks")
	}
	if n := w.sql("SELECT max(n) FROM (SELECT count(*) AS n FROM attempt GROUP BY task)"); n != "1" {
		t.Errorf("a task had %s attempts", n)
	}
}

// flood queues short tasks in several jobs, and waits until all have ended.
func (w *world) flood(name string, jobs, each int) {
	w.Helper()
	for i := range jobs {
		w.write("scratch/tasks", strings.Repeat(`{"command": "true"}`+"\n", each))
		w.run(0, "enqueue", "-q", "--job", fmt.Sprint(name, i), "--from-file", w.scratch+"/tasks")
	}
	w.until("all tasks have ended", func() bool {
		return w.sql("SELECT count(*) FROM task t JOIN job j ON j.id = t.job WHERE t.status = 'completed' AND j.name LIKE ?", name+"%") == strconv.Itoa(jobs*each)
	})
}

// resident is how many bytes of memory the manager takes.
func (w *world) resident() int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", w.manager.Process.Pid))
	w.must(err)
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	w.must(err)
	return pages * os.Getpagesize()
}

// descriptors counts those of the manager, without those of the database: that has few
// connections, and opens them when several are needed at once.
func (w *world) descriptors() (n int) {
	folder := fmt.Sprintf("/proc/%d/fd", w.manager.Process.Pid)
	open, err := os.ReadDir(folder)
	w.must(err)
	for _, fd := range open {
		to, _ := os.Readlink(filepath.Join(folder, fd.Name()))
		if !strings.HasPrefix(to, filepath.Join(w.base, dbName)) {
			n++
		}
	}
	return n
}

// zombies counts the children of the manager that have ended and still are
// there.
func (w *world) zombies() (n int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		if _, rest, _ := strings.Cut(string(b), ") "); strings.HasPrefix(rest, fmt.Sprintf("Z %d ", w.manager.Process.Pid)) {
			n++
		}
	}
	return n
}

// T29: a task that kills what runs it harms nobody but itself.
func TestPoison(t *testing.T) {
	t.Parallel()
	const parent = `ppid() { set -- $(cut -d')' -f2 /proc/$1/stat); echo $2; }; runner=$(ppid $(ppid $$)); `
	for _, c := range []struct{ name, script, reason string }{
		{"runner", parent + `kill -9 $runner; sleep 1000`, "lost"},
		{"runner, stopped", parent + `kill -STOP $runner; (sleep 0.3; kill -9 $runner) & sleep 1000`, "lost"},
		{"manager", parent + `kill -9 $(ppid $runner); sleep 0.3; exit 4`, "exited"},
		{"manager and runner", parent + `kill -9 $(ppid $runner) $runner; sleep 1000`, "lost"},
		{"group", `kill -9 0`, "signaled"},
		{"itself", `kill -9 $PPID`, "signaled"},
		{"session of the runner", parent + `kill -9 -$runner; sleep 1000`, "lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.enqueue("good", "1", "sleep 0.5")
			w.enqueue("bad", "1", c.script)
			w.enqueue("bad", "2", "true")
			w.start()
			w.until("the poison has worked", func() bool { return w.starts("bad", "1") == 1 })
			if strings.HasPrefix(c.name, "manager") {
				<-w.manager.ended
				w.start()
			}
			if ended := w.becomes("failed", "bad", "1"); ended.Reason != c.reason || ended.Attempts != 1 {
				t.Errorf("the task is %+v, not %s", ended, c.reason)
			}
			w.becomes("completed", "bad", "2")
			w.becomes("completed", "good", "1")
		})
	}
}

// Every process of a task has kill_grace to clean up, also when the shell that
// started it has died of SIGTERM at once, or has ended by itself.
func TestGrace(t *testing.T) {
	t.Parallel()
	const tidy = `trap 'sh -c "sleep 1" && echo cleaned up; exit' TERM; echo up; while :; do sleep 0.05; done`
	for _, c := range []struct {
		name, script, timeout string
		end                   func(w *world)
		status                string
	}{
		{"cancel", `sh -c "$TIDY"; echo after`, "1h", func(w *world) { w.run(0, "cancel", "j") }, "failed"},
		{"stop --kill", `sh -c "$TIDY"; echo after`, "1h", func(w *world) { w.run(0, "stop", "--kill") }, "failed"},
		{"time limit", `sh -c "$TIDY"; echo after`, "2s", func(w *world) {}, "failed"},
		{"left behind", `sh -c "$TIDY" & sleep 0.5`, "1h", func(w *world) {}, "completed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "kill_grace: 30")
			w.start()
			w.run(0, "enqueue", "-q", "-j", "j", "--id", "1", "-e", "TIDY="+tidy, "--timeout", c.timeout, "--", "sh", "-c", c.script)
			w.until("it is up", func() bool { return strings.Contains(w.with(nil, "logs", "j").out, "up\n") })
			c.end(w)
			w.becomes(c.status, "j", "1")
			if out := w.run(0, "logs", "j").out; !strings.Contains(out, "cleaned up\n") || strings.Contains(out, "after\n") {
				t.Errorf("the log is %q", out)
			}
		})
	}
}
