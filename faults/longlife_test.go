//go:build failpoints

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/lock"
)

// runnerLock reports whether the runner of the task that runs holds its lock,
// as everybody else sees it.
func (w *world) runnerLock() bool {
	w.Helper()
	number, err := strconv.ParseInt(w.sql("SELECT runner FROM attempt WHERE status = 'running'"), 10, 64)
	w.must(err)
	p, err := lock.NewProber(filepath.Join(w.base, "runners.lock"))
	w.must(err)
	defer p.Close()
	held, err := p.Held(number)
	w.must(err)
	return held
}

// A runner keeps its lock and its link to the manager, wherever in its life the
// garbage collector closes the files that nothing refers to.
func TestGarbageIsCollectedAtEveryStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tasks_per_runner: 3")
	const tasks = 5
	for i := range tasks {
		w.enqueue("j", strconv.Itoa(i), fmt.Sprintf("until [ -e $SCRATCH/go%d ]; do sleep 0.02; done", i))
	}
	w.start("AIR_EXECUTOR_COLLECT=1")
	for i := range tasks {
		id := strconv.Itoa(i)
		w.until("the command of "+id+" runs", func() bool { return w.starts("j", id) == 1 })
		if !w.runnerLock() {
			t.Errorf("the runner of task %s lives, and has given up its lock", id)
		}
		w.write("scratch/go"+id, "")
		w.becomes("completed", "j", id)
	}
	if n := w.sql("SELECT count(DISTINCT runner) FROM attempt"); n != "2" {
		t.Errorf("%s runners for %d tasks, 3 each", n, tasks)
	}
}

// Long lives: a runner that collects garbage all the time keeps its lock for as
// many tasks as it may have. With AIR_EXECUTOR_FAULTS_LONG=1 there are 10,000.
func TestRunnerUnderAnAggressiveCollector(t *testing.T) {
	t.Parallel()
	n, perRunner := 300, 150
	if os.Getenv("AIR_EXECUTOR_FAULTS_LONG") != "" {
		n, perRunner = 10_000, 1000
	}
	w := newWorld(t, fmt.Sprintf("tasks_per_runner: %d", perRunner))
	var lines strings.Builder
	for range n {
		lines.WriteString("{\"command\":\"true\"}\n")
	}
	w.write("scratch/tasks.jsonl", lines.String())
	w.with([]string{"BIG=" + strings.Repeat("x", 100_000)}, "enqueue", "--quiet", "--job", "j", "--from-file", w.scratch+"/tasks.jsonl")
	w.enqueue("j", "last", waits("go"))
	w.start("AIR_EXECUTOR_TUNING=GOMAXPROCS=1,GOGC=1,GOMEMLIMIT=4MiB")
	for end := time.Now().Add(time.Duration(n) * 60 * time.Millisecond); w.starts("j", "last") == 0 && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	w.until("the last task runs", func() bool { return w.starts("j", "last") == 1 })
	if !w.runnerLock() {
		t.Error("a runner that has had many tasks has given up its lock")
	}
	w.write("scratch/go", "")
	w.becomes("completed", "j", "last")
	if lost := w.sql("SELECT count(*) FROM attempt WHERE status <> 'completed'"); lost != "0" {
		t.Errorf("%s of %d tasks have not completed, and nobody was killed", lost, n)
	}
}

// A task that runs for hours, and with AIR_EXECUTOR_FAULTS_LONG=1 for a day: its
// runner's clock runs fast, so that it looks as often as it does in that time. It
// keeps its lock, takes no more memory than at the beginning, and still hears of
// a cancel.
func TestTaskOfADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hours := 3
	if os.Getenv("AIR_EXECUTOR_FAULTS_LONG") != "" {
		hours = 24
	}
	w.enqueue("j", "1", waits("go"))
	w.enqueue("k", "1", "sleep 1000")
	// A tick takes a millisecond at least.
	w.start("AIR_EXECUTOR_HASTE=2000", fmt.Sprintf("AIR_EXECUTOR_FAILPOINT=runner.look:mark@%d", hours*60*60))
	w.becomes("running", "j", "1")
	pid, err := strconv.Atoi(w.sql("SELECT a.pid FROM attempt a JOIN job j ON j.id = a.job WHERE j.name = 'j'"))
	w.must(err)
	w.until("the command runs", func() bool { return w.starts("j", "1")+w.starts("k", "1") == 2 })
	before := w.memory(pid)
	for range hours {
		if !exists(w.dir + "/mark.runner.look") {
			time.Sleep(8 * time.Second)
		}
	}
	w.hit("runner.look")
	after := w.memory(pid)
	t.Logf("memory of the runner: %d kB, after %d hours %d kB", before, hours, after)
	if after > before+8<<10 {
		t.Errorf("the runner has grown from %d to %d kB", before, after)
	}
	w.run(0, "cancel", "k")
	if ended := w.becomes("failed", "k", "1"); ended.Reason != "cancelled" {
		t.Errorf("%+v", ended)
	}
	if !w.runnerLock() {
		t.Error("the runner has given up its lock")
	}
	w.write("scratch/go", "")
	w.becomes("completed", "j", "1")
}

// memory is how many kB of its own a process has.
func (w *world) memory(pid int) int {
	w.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	w.must(err)
	_, rest, _ := strings.Cut(string(b), "\nRssAnon:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	w.must(err)
	return n
}

// A runner that has lost its lock in spite of all says so. It records a result
// that is certain, and takes no further task.
func TestRunnerWithoutItsLockSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tasks_per_runner: 10")
	w.enqueue("j", "1", waits("go"))
	w.enqueue("j", "2", "true")
	w.start(failpoint("runner.assigned:lose-lock")...)
	w.started("j", "1")
	w.manager.kill() // which would end it
	log := func() string { b, _ := os.ReadFile(w.base + "/manager.log"); return string(b) }
	w.until("the log says so", func() bool { return strings.Contains(log(), "no longer holds its lock") })
	w.write("scratch/go", "")
	w.becomes("completed", "j", "1")
	if now := w.tasks("j")["2"]; now.Status != "pending" {
		t.Errorf("a runner without its lock has taken %+v", now)
	}
	if n := strings.Count(log(), "no longer holds its lock"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
	w.start()
	w.becomes("completed", "j", "2")
}
