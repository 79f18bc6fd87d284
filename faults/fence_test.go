//go:build failpoints

package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// forget makes a manager take the running attempt of the task from its living
// runner. It cannot happen by itself, as the runner holds its lock: the column
// says that the machine was restarted since, or names another lock.
func (w *world) forget(job, id, column string) {
	w.Helper()
	w.sql(`UPDATE attempt SET `+column+` = 1
WHERE status = 'running' AND task = (SELECT t.id FROM task t JOIN job j ON j.id = t.job WHERE j.name = ? AND t.name = ?)
RETURNING 1`, job, id)
	w.until("the attempt is lost", func() bool { return w.tasks(job)[id].Reason == "lost" })
}

// again has a second attempt of the task run.
func (w *world) again(job, id string) {
	w.Helper()
	w.run(0, "reset", job)
	if t := w.becomes("completed", job, id); t.Attempts != 2 {
		w.Errorf("%+v after a second attempt", t)
	}
}

// T12: a runner whose attempt was taken away before its command started never
// starts it.
func TestStaleRunnerFence(t *testing.T) {
	t.Parallel()
	inEach(t, []string{"runner.assigned", "runner.before_start"}, func(t *testing.T, w *world, point string) {
		w.enqueue("j", "1", "true")
		w.start(failpoint(point + ":stop")...)
		pid := w.stopped(point)
		w.forget("j", "1", "boot_id")
		w.again("j", "1")
		proceed(pid)
		w.until("the old runner has gone", func() bool { return !alive(pid) })
		for _, line := range w.witnessed() {
			if strings.HasPrefix(line, "start j 1 1") {
				t.Errorf("the command of the first attempt was started after its loss")
			}
		}
	})
}

// T12: a runner that has stopped before it starts its command holds up its own
// job only.
func TestStoppedRunnerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("j", "1", "true")
	w.start(failpoint("runner.assigned:stop")...)
	pid := w.stopped("runner.assigned")
	for _, job := range []string{"k", "l"} {
		w.enqueue(job, "1", "true")
		w.becomes("completed", job, "1")
	}
	proceed(pid)
	w.becomes("completed", "j", "1")
}

// T50: wherever a runner is when the manager is told to end everything, its
// task ends as it is told, or has ended before.
func TestStopKillAtFailpoints(t *testing.T) {
	t.Parallel()
	for point, reason := range map[string]string{
		"runner.assigned": "cancelled", "runner.before_start": "cancelled", "runner.after_exec": "cancelled", "runner.before_finish": "exited",
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			script := "sleep 1000"
			if reason == "exited" {
				script = "exit 8"
			}
			w.enqueue("j", "1", script)
			w.enqueue("j", "2", "true")
			m := w.start(failpoint(point + ":stop")...)
			pid := w.stopped(point)
			stop := w.command(nil, "stop", "--kill")
			w.must(stop.Start())
			w.until("the runner has been told", func() bool { return pending(pid, syscall.SIGTERM) })
			proceed(pid)
			w.must(stop.Wait())
			<-m.ended
			if ended := w.tasks("j")["1"]; ended.Reason != reason {
				t.Errorf("%+v, not %s", ended, reason)
			}
			if next := w.tasks("j")["2"]; next.Status != "pending" {
				t.Errorf("the next task is %+v", next)
			}
		})
	}
}

// T18: a runner whose manager has died between its claim and the word of it finds
// its task, even if another process holds the write lock for long.
func TestRunnerFindsItsTaskLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.start(append(failpoint("claim.after_commit:sleep:60000"), "AIR_EXECUTOR_WAIT=300ms")...)
	w.enqueue("j", "1", "true")
	w.hit("claim.after_commit")
	gate, err := os.OpenFile(w.base+"/write.lock", os.O_RDWR, 0)
	w.must(err)
	w.must(syscall.Flock(int(gate.Fd()), syscall.LOCK_EX))
	m.kill()
	time.Sleep(time.Second) // three times as long as a write waits
	w.must(gate.Close())
	w.becomes("completed", "j", "1")
}

// pending reports whether a signal waits for a process that has stopped.
func pending(pid int, sig syscall.Signal) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(b), "\nShdPnd:\t")
	mask, _ := strconv.ParseUint(strings.SplitN(rest, "\n", 2)[0], 16, 64)
	return mask&(1<<(uint(sig)-1)) != 0
}

// T13: the late result of an attempt that was taken away is discarded.
func TestStaleFinishFence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("j", "1", `[ $AIR_EXECUTOR_ATTEMPT = 2 ] || exit 9`)
	w.start(failpoint("runner.before_finish:stop")...)
	pid := w.stopped("runner.before_finish")
	w.forget("j", "1", "runner")
	w.again("j", "1")
	proceed(pid)
	w.until("the old runner has gone", func() bool { return !alive(pid) })
	if now := w.tasks("j")["1"]; now.Status != "completed" || *now.ExitCode != 0 {
		t.Errorf("a late result has been recorded: %+v", now)
	}
	if reason := w.sql("SELECT reason FROM attempt WHERE number = 1"); reason != "lost" {
		t.Errorf("the first attempt is now %s", reason)
	}
	log, _ := os.ReadFile(w.base + "/manager.log")
	if !strings.Contains(string(log), "result discarded") {
		t.Error("the log does not say that a result was discarded")
	}
}

// T14: what is left of an attempt that is over may queue nothing, and a wait in
// it does not count as the wait of a task that runs.
func TestStaleParentEnqueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("j", "1", `echo $AIR_EXECUTOR_TOKEN >$SCRATCH/token; $AIR enqueue --id child -- true`)
	w.start()
	w.becomes("completed", "j", "1")
	w.becomes("completed", "j", "child")
	token, err := os.ReadFile(w.scratch + "/token")
	w.must(err)
	inside := []string{"AIR_EXECUTOR_JOB=j", "AIR_EXECUTOR_TASK=1", "AIR_EXECUTOR_TOKEN=" + strings.TrimSpace(string(token))}
	for _, args := range [][]string{{"enqueue", "--", "true"}, {"enqueue", "--job", "other", "--", "true"}, {"run", "--", "true"}} {
		o := w.with(inside, args...)
		if o.code != 1 || !strings.Contains(o.err, "the attempt is over") || o.out != "" {
			t.Errorf("%q inside an attempt that is over: %+v", args, o)
		}
	}
	if n := w.sql("SELECT count(*) FROM task"); n != "2" {
		t.Errorf("there are %s tasks", n)
	}
}

// T16: after a restart of the machine nothing of the time before it lives,
// whatever the lock files and PIDs say; the write-ahead log is replayed.
func TestReboot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("a", "1", "sleep 1000")
	w.enqueue("b", "1", "true")
	w.enqueue("b", "2", "sleep 1000")
	w.start()
	w.becomes("running", "a", "1")
	w.becomes("running", "b", "2")
	w.enqueue("b", "3", "true")
	w.until("both were started", func() bool { return w.starts("a", "1")+w.starts("b", "2") == 2 })
	w.powerOff()
	<-w.manager.ended
	if !exists(w.base + "/air-executor.db-wal") {
		t.Error("there is no write-ahead log to be replayed")
	}
	// A process that lives has the PID of a runner, by chance.
	w.sql("UPDATE attempt SET boot_id = 'before', pid = ? WHERE status = 'running' RETURNING 1", os.Getpid())
	w.start()
	for _, job := range []string{"a", "b"} {
		for id, task := range w.tasks(job) {
			if task.Status == "failed" && (task.Reason != "lost" || !strings.Contains(task.Error, "machine was restarted")) {
				t.Errorf("%s/%s: %+v", job, id, task)
			}
		}
	}
	w.becomes("completed", "b", "1")
	w.becomes("failed", "b", "2")
	w.becomes("failed", "a", "1")
	w.becomes("completed", "b", "3")
}
