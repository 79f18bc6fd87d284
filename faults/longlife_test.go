//go:build failpoints

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

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
	w.enqueue("j", "last", "until [ -e $SCRATCH/go ]; do sleep 0.02; done")
	w.start("AIR_EXECUTOR_TUNING=GOMAXPROCS=1,GOGC=1,GOMEMLIMIT=4MiB")
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
