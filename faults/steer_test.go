//go:build failpoints

package faults

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// startedTasks are how many commands have begun, as each tells in a file.
func (w *world) startedTasks() int {
	b, _ := os.ReadFile(w.scratch + "/started")
	return strings.Count(string(b), "\n")
}

// While all is paused nothing starts, not even by a runner that goes on to the next
// task of its job by itself, nor after a start of the manager; and then nothing is lost.
func TestNothingStartsWhilePaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tasks_per_runner: 1000", "max_concurrent_runners: 4")
	const jobs, each = 4, 60
	for j := range jobs {
		var lines strings.Builder
		for range each {
			fmt.Fprintf(&lines, `{"command":"sh","args":["-c","echo x >>$SCRATCH/started"]}`+"\n")
		}
		w.write("tasks.jsonl", lines.String())
		w.run(0, "enqueue", "--job", fmt.Sprint("j", j), "--from-file", w.dir+"/tasks.jsonl")
	}
	w.canary = w.lookAtCanary()
	w.start()
	w.until("some have started", func() bool { return w.startedTasks() > 10 })
	w.run(0, "pause", "--all")
	w.until("what ran has ended", func() bool { return w.running() == 0 })
	before := w.startedTasks()
	if before == jobs*each {
		t.Skip("this machine was too quick")
	}
	if o := w.run(124, "wait", "j0", "--timeout", "2s"); !strings.Contains(o.err, "all jobs are paused") {
		t.Errorf("wait does not say what it waits for: %s", o.err)
	}
	w.run(0, "stop")
	<-w.manager.ended
	w.start()
	w.run(0, "enqueue", "--job", "later", "--", "sh", "-c", "echo x >>$SCRATCH/started")
	w.run(124, "wait", "later", "--timeout", "3s")
	if now := w.startedTasks(); now != before {
		t.Errorf("%d tasks have started while all was paused", now-before)
	}
	w.run(0, "resume", "--all")
	w.run(0, "wait", "j0", "j1", "j2", "j3", "later")
	if now := w.startedTasks(); now != jobs*each+1 {
		t.Errorf("%d tasks have started in all, want %d", now, jobs*each+1)
	}
}

// running is how many tasks run.
func (w *world) running() int {
	var n int
	_, err := fmt.Sscan(w.sql("SELECT COUNT(*) FROM attempt WHERE slot IS NOT NULL"), &n)
	w.must(err)
	return n
}

// cpuTime is what a process has used, in clock ticks.
func cpuTime(pid int) (ticks string) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 13 {
		return "gone"
	}
	return fields[11] + "+" + fields[12]
}

// burning queues a task that uses the processor until a file is there, with a time
// limit, and returns its PID once it runs.
func (w *world) burning(limit string) int {
	w.Helper()
	w.write("burn.sh", "echo $$ >$SCRATCH/burns\nwhile [ ! -e $SCRATCH/go ]; do :; done\n")
	w.canary = w.lookAtCanary()
	w.run(0, "enqueue", "-j", "j", "--timeout", limit, "--", "sh", w.dir+"/burn.sh")
	var pid int
	w.until("it burns", func() bool {
		b, _ := os.ReadFile(w.scratch + "/burns")
		n, _ := fmt.Sscan(string(b), &pid)
		return n == 1
	})
	return pid
}

// The processor time of a frozen task stands still, and so does its time limit.
func TestAFrozenTaskStandsStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	pid := w.burning("5s")
	if o := w.run(0, "pause", "j", "--freeze"); !strings.Contains(o.out, "1 running task frozen") {
		t.Errorf("pause --freeze: %s", o.out)
	}
	w.until("it is stopped", func() bool { return state(pid) == 'T' })
	before := cpuTime(pid)
	w.run(124, "wait", "j", "--timeout", "6s")
	if now := cpuTime(pid); now != before {
		t.Errorf("the frozen task has used the processor: %s, and now %s", before, now)
	}
	if o := w.run(0, "status", "j", "1"); !strings.Contains(o.out, "frozen since") {
		t.Errorf("status does not say it: %s", o.out)
	}
	w.write("scratch/go", "")
	w.run(0, "resume", "j")
	w.becomes("completed", "j", "1")
}

// A frozen task outlives the death of the manager, and goes on under the next one.
func TestAFrozenTaskGoesOnUnderTheNextManager(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	pid := w.burning("1h")
	w.run(0, "pause", "--all", "--freeze")
	w.manager.kill()
	w.start()
	w.until("it is still stopped", func() bool { return state(pid) == 'T' })
	w.write("scratch/go", "")
	w.run(0, "resume", "--all")
	w.becomes("completed", "j", "1")
}

// Nothing of a frozen task stays stopped when its runner has died, or when it is cancelled.
func TestNothingOfAFrozenTaskIsLeft(t *testing.T) {
	t.Parallel()
	for reason, end := range map[string]func(w *world){
		"lost":      func(w *world) { w.killRunner("j", "1") },
		"cancelled": func(w *world) { w.run(0, "cancel", "j") },
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start()
			pid := w.burning("1h")
			w.run(0, "pause", "j", "--freeze")
			w.until("it is stopped", func() bool { return state(pid) == 'T' })
			end(w)
			if got := w.becomes("failed", "j", "1"); got.Reason != reason {
				t.Errorf("it is %+v, want %s", got, reason)
			}
			if alive(pid) {
				t.Errorf("its process is left, in state %c", state(pid))
			}
		})
	}
}
