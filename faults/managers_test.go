//go:build failpoints

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// T9: a manager is killed while all its places are taken. The next one counts
// those that go on, starts nothing twice, and every result is the right one.
func TestManagerRestartAdopts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "max_concurrent_runners: 3")
	jobs := []string{"a", "b", "c", "d", "e"}
	for i, job := range jobs {
		w.enqueue(job, "1", waits("go")+"; exit "+string(rune('1'+i)))
		w.enqueue(job, "2", "exit 0")
	}
	w.start()
	w.until("all places are taken", func() bool { return w.runs() == 3 })
	for range 3 {
		w.manager.kill()
		w.start()
		if n := w.runs(); n != 3 {
			t.Fatalf("%d tasks run after a restart", n)
		}
	}
	before := len(w.witnessed())
	w.enqueue("f", "1", "exit 0")
	time.Sleep(300 * time.Millisecond) // time to do wrong
	if now := len(w.witnessed()); now != before {
		t.Errorf("%d tasks were started beyond the limit", now-before)
	}
	w.write("scratch/go", "")
	for i, job := range jobs {
		failed := w.becomes("failed", job, "1")
		if failed.Reason != "exited" || *failed.ExitCode != i+1 || w.starts(job, "1") != 1 {
			t.Errorf("task of job %s: %+v, started %d times", job, failed, w.starts(job, "1"))
		}
		w.becomes("completed", job, "2")
	}
	w.becomes("completed", "f", "1")
}

// runs counts the attempts under way by their rows.
func (w *world) runs() int {
	w.Helper()
	n := 0
	for range w.sql("SELECT substr('xxxxxxxxxxxxxxxxxxxx', 1, count(*)) FROM attempt WHERE status = 'running'") {
		n++
	}
	return n
}

// T11: of twenty managers started at once exactly one lives, whatever an
// earlier one has left in the lock file.
func TestTwoManagers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("base/manager.lock", "held by the manager, process 1\n")
	for range 2 {
		codes := map[int]int{}
		for _, o := range atOnce(20, func(int) outcome { return w.with(nil, "start") }) {
			codes[o.code]++
			if o.code == 5 && !strings.Contains(o.err, "already running") {
				t.Errorf("exit code 5 and %q", o.err)
			}
		}
		if codes[0] != 1 || codes[5] != 19 {
			t.Errorf("exit codes of twenty starts: %v", codes)
		}
		w.enqueue("j"+strconv.Itoa(len(w.acked)), "1", "true")
		w.powerOff()
	}
	w.run(5, "stop")
}

// atOnce calls fn n times at once.
func atOnce[T any](n int, fn func(i int) T) []T {
	all := make([]T, n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() { all[i] = fn(i) })
	}
	calls.Wait()
	return all
}

// T43: a manager whose lock files are removed notices and ends, and starts
// nothing meanwhile. What runs is not started again.
func TestLockFilesDeleted(t *testing.T) {
	t.Parallel()
	inEach(t, []string{"manager.lock", "runners.lock"}, func(t *testing.T, w *world, name string) {
		w.write("base/config.yaml", "poll_interval: 3\n") // time to do wrong
		w.serveUntilStarted("j", "1", waits("go"))
		w.must(os.Remove(w.base + "/" + name))
		// Runners that it starts now have their locks in another file.
		for i := range 5 {
			w.enqueue("late"+strconv.Itoa(i), "1", waits("go"))
		}
		<-w.manager.ended
		if log, _ := os.ReadFile(w.base + "/manager.log"); strings.Contains(string(log), "task lost") {
			t.Error("the manager took tasks for lost whose runners live")
		}
		if code := w.manager.ProcessState.ExitCode(); code != 1 {
			t.Errorf("the manager ended with exit code %d", code)
		}
		w.enqueue("k", "1", "true")
		w.start()
		w.becomes("completed", "k", "1")
		w.write("scratch/go", "")
		if name == "manager.lock" {
			w.becomes("completed", "j", "1")
		} else if lost := w.becomes("failed", "j", "1"); lost.Reason != "lost" {
			t.Errorf("a task whose runner's lock cannot be seen: %+v", lost)
		}
		if n := w.starts("j", "1"); n != 1 {
			t.Errorf("the task was started %d times", n)
		}
	})
}

// T43: without the file by which SQLite finds the newest commits, a manager that
// still has it open and whoever comes later would destroy each other's commits.
func TestSharedMemoryDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveUntilStarted("j", "1", waits("go"))
	w.must(os.Remove(w.base + "/air-executor.db-shm"))
	for i := range 20 {
		w.enqueue("k", strconv.Itoa(i), "true")
	}
	w.write("scratch/go", "") // its runner cannot record the result
	w.managerEnds(1)
	w.start()
	w.run(0, "wait", "--job", "k")
	if lost := w.becomes("failed", "j", "1"); lost.Reason != "lost" {
		t.Errorf("%+v", lost)
	}
}

// T43: the same, with nobody beside the manager to keep the database open.
func TestSharedMemoryDeletedUnderAnIdleManager(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.enqueue("j", "1", "true")
	w.becomes("completed", "j", "1")
	w.must(os.Remove(w.base + "/air-executor.db-shm"))
	for i := range 20 {
		w.enqueue("k", strconv.Itoa(i), "true")
	}
	<-w.manager.ended
	w.run(0, "doctor")
	w.start()
	w.run(0, "wait", "--job", "k")
}

// T43: nothing depends on the files that make things faster or fairer.
func TestHelpfulFilesDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("j", "1", waits("go"))
	w.start()
	w.becomes("running", "j", "1")
	for _, name := range []string{"write.lock", "migrate.lock", "wake", "bin/air-executor"} {
		w.must(os.Remove(w.base + "/" + name))
		w.enqueue("k", filepath.Base(name), "true")
		w.becomes("completed", "k", filepath.Base(name))
	}
	w.write("scratch/go", "")
	w.becomes("completed", "j", "1")
}

// T44: a manager whose database is moved away ends. What runs records its
// result in the database that it belongs to; a new one is not touched by it.
func TestDatabaseReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveUntilStarted("j", "1", waits("go")+"; exit 3")
	w.acked = nil // it moves
	w.must(os.Mkdir(w.scratch+"/moved", 0o700))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		w.must(os.Rename(w.base+"/air-executor.db"+suffix, w.scratch+"/moved/air-executor.db"+suffix))
	}
	w.enqueue("k", "1", "true")
	w.managerEnds(1)
	w.start()
	w.becomes("completed", "k", "1")
	w.write("scratch/go", "")
	w.until("the result is in the database that was moved", func() bool {
		return strings.Contains(w.run(0, "status", "--base-path", w.scratch+"/moved").out, "failed")
	})
	w.run(0, "doctor", "--base-path", w.scratch+"/moved")
	if jobs := w.sql("SELECT group_concat(name) FROM job"); jobs != "k" {
		t.Errorf("jobs in the new database: %s", jobs)
	}
}

// T50: each way to stop does to running tasks what it says.
func TestStopSemantics(t *testing.T) {
	t.Parallel()
	stop := func(args ...string) func(*world) {
		return func(w *world) { w.run(0, append([]string{"stop"}, args...)...) }
	}
	signals := func(signals ...os.Signal) func(*world) {
		return func(w *world) {
			for _, s := range signals {
				w.must(w.manager.Process.Signal(s))
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	for _, c := range []struct {
		name  string
		stop  func(*world)
		lives bool   // the manager, as long as the task runs
		ends  string // how the task ends
	}{
		{"stop", stop(), false, "completed"},
		{"SIGTERM", signals(syscall.SIGTERM), false, "completed"},
		{"SIGINT", signals(os.Interrupt), false, "completed"},
		{"drain", func(w *world) {
			c := w.command(nil, "stop", "--drain")
			w.must(c.Start())
			w.Cleanup(func() { w.must(c.Wait()) })
			w.until("the manager knows", func() bool {
				log, _ := os.ReadFile(w.base + "/manager.log")
				return strings.Contains(string(log), "manager stops")
			})
		}, true, "completed"},
		{"drain, timeout", func(w *world) { w.run(124, "stop", "--drain", "--timeout=100ms") }, true, "completed"},
		{"drain, SIGTERM", func(w *world) { w.run(124, "stop", "--drain", "--timeout=100ms"); signals(syscall.SIGTERM)(w) }, true, "completed"},
		{"drain, SIGINT twice", func(w *world) {
			w.run(124, "stop", "--drain", "--timeout=100ms")
			signals(os.Interrupt, os.Interrupt)(w)
		}, false, "cancelled"},
		{"drain, kill", func(w *world) { w.run(124, "stop", "--drain", "--timeout=100ms"); stop("--kill")(w) }, false, "cancelled"},
		{"kill", stop("--kill"), false, "cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.enqueue("j", "1", waits("go"))
			w.enqueue("j", "2", "true")
			w.start()
			w.started("j", "1")
			c.stop(w)
			if !c.lives {
				<-w.manager.ended
				w.run(5, "stop")
			}
			if c.ends == "completed" {
				if now := w.tasks("j")["1"]; now.Status != "running" {
					t.Errorf("the task should be left alone, and is %+v", now)
				}
				w.write("scratch/go", "")
				w.becomes("completed", "j", "1")
			} else if now := w.tasks("j")["1"]; now.Reason != c.ends {
				t.Errorf("the task is %+v, not %s", now, c.ends)
			}
			w.managerEnds(0)
			if n := w.starts("j", "2"); n != 0 {
				t.Error("a manager that stops has started another task")
			}
		})
	}
}

// T49: a manager goes on when its program is replaced by another one.
func TestProgramReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Copied by another process: a file that this one has open to write is busy
	// in every process that the tests beside this one are just starting.
	old := w.scratch + "/air"
	w.must(exec.Command("cp", program, old).Run())
	start := w.command(nil, "start")
	start.Path = old
	out, err := start.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.enqueue("j", "1", waits("go"))
	w.becomes("running", "j", "1")
	w.write("scratch/air.new", "#!/bin/false\n")
	w.must(os.Rename(old+".new", old))
	for i := range 5 {
		w.enqueue("k", strconv.Itoa(i), "true")
	}
	w.run(0, "wait", "--job", "k")
	w.write("scratch/go", "")
	w.becomes("completed", "j", "1")
}

// T49: when a later version has migrated the database, what runs records its
// result, and the manager of the version before goes on until it is told to
// stop; but nobody else of that version opens the database.
func TestMigratedWhileTasksRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("a", "1", waits("go")+"; exit 4")
	w.enqueue("a", "2", "true")
	w.enqueue("b", "1", "true")
	w.start()
	w.becomes("running", "a", "1")
	w.becomes("completed", "b", "1")
	// As a migration of the next version does: it only adds.
	for _, table := range []string{"job", "task", "attempt", "manager"} {
		w.sql("ALTER TABLE " + table + " ADD COLUMN later INTEGER NOT NULL DEFAULT 7")
	}
	version := w.sql("PRAGMA user_version")
	w.sql("CREATE INDEX task_later ON task (later)")
	w.sql("PRAGMA user_version = 99")
	for _, args := range [][]string{{"status"}, {"enqueue", "--", "true"}, {"start"}, {"stop"}} {
		if o := w.with(nil, args...); o.code != 1 && o.code != 5 || o.code == 1 && !strings.Contains(o.err, "newer") {
			t.Errorf("%q: %+v", args, o)
		}
	}
	w.write("scratch/go", "")
	w.until("the result is recorded", func() bool {
		return w.sql("SELECT exit_code FROM attempt WHERE status = 'failed'") == "4"
	})
	w.until("the next task has run", func() bool {
		return w.sql("SELECT count(*) FROM task WHERE status = 'completed' AND later = 7") == "2"
	})
	w.must(w.manager.Process.Signal(syscall.SIGTERM))
	w.managerEnds(0)
	w.sql("PRAGMA user_version = " + version) // for the checks
}

// I10: the places are counted over all managers of a base path.
func TestPlacesAreCountedOverAllManagers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "max_concurrent_runners: 2")
	const script = `mkdir $SCRATCH/in.$$
ls -d $SCRATCH/in.* | wc -l >>$SCRATCH/together
sleep 0.3
rmdir $SCRATCH/in.$$`
	for _, o := range atOnce(8, func(int) outcome { return w.with(nil, "run", "--", "sh", "-c", script) }) {
		if o.code != 0 {
			t.Errorf("%+v", o)
		}
	}
	together, err := os.ReadFile(w.scratch + "/together")
	w.must(err)
	seen := strings.Fields(string(together))
	for _, n := range seen {
		if n != "1" && n != "2" {
			t.Errorf("%s tasks ran at once", n)
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d tasks were run", len(seen))
	}
}

// T50: a manager ends while a claim of its own is held up. The task is started
// then, or it stays pending, and is not lost.
func TestStopDuringAClaim(t *testing.T) {
	t.Parallel()
	inEach(t, []string{"claim.before_commit", "claim.after_commit"}, func(t *testing.T, w *world, point string) {
		w.start(failpoint(point + ":sleep:4000")...) // longer than a manager waits for it
		w.enqueue("j", "1", "true")
		w.hit(point)
		w.must(w.manager.Process.Signal(syscall.SIGTERM))
		<-w.manager.ended
		if point == "claim.before_commit" {
			if now := w.tasks("j")["1"]; now.Status != "pending" {
				t.Errorf("a manager that stops has claimed %+v", now)
			}
			w.start()
		}
		w.becomes("completed", "j", "1")
	})
}

// T50: a manager that drains while a claim is under way waits for the tasks that
// were claimed, and for no further ones.
func TestDrainDuringAClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tasks_per_runner: 10")
	w.start(failpoint("claim.after_commit:sleep:1000")...)
	w.enqueue("j", "1", "sleep 0.1")
	w.hit("claim.after_commit")
	w.enqueue("j", "2", "true")
	w.run(0, "stop", "--drain")
	if now := w.tasks("j"); now["1"].Status != "completed" || now["2"].Status != "pending" {
		t.Errorf("after a drain: %+v", now)
	}
}

// T10: a runner that dies while a claim for it is under way leaves a task that is
// lost, and that is found soon.
func TestRunnerDiesDuringAClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("base/config.yaml", "poll_interval: 60\n")
	w.start(failpoint("claim.before_commit:sleep:1000")...)
	w.enqueue("j", "1", "true")
	w.hit("claim.before_commit")
	for _, pid := range w.named("run-task base-path=" + w.base) {
		w.must(syscall.Kill(pid, syscall.SIGKILL))
	}
	begin := time.Now()
	w.becomes("failed", "j", "1")
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("that took %s", took)
	}
}

// I10: a wake reaches one reader of the pipe, and so a manager of one job must
// not be one: work of others would wait for the poll.
func TestWakesAreForTheManagerThatServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.command(nil, "run", "--", "sh", "-c", "touch $SCRATCH/runs; until [ -e $SCRATCH/go ]; do sleep 0.02; done")
	w.must(run.Start())
	w.until("it runs", func() bool { return exists(w.scratch + "/runs") })
	w.start()
	listens := func(pid int) bool {
		fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		w.must(err)
		return slices.ContainsFunc(fds, func(fd string) bool {
			path, _ := os.Readlink(fd)
			return path == w.base+"/wake"
		})
	}
	w.until("the manager that serves listens", func() bool { return listens(w.manager.Process.Pid) })
	if listens(run.Process.Pid) {
		t.Error("the manager of one job listens, too")
	}
	w.write("scratch/go", "")
	w.must(run.Wait())
}
