//go:build failpoints

package faults

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A cancel of a task meets that task, whatever its runner does between the
// commit of the cancel and the signal.
func TestCancelNeverEndsTheNextTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tasks_per_runner: 10")
	w.enqueue("j", "a", waits("a"))
	w.enqueue("j", "b", waits("b"))
	w.start()
	w.started("j", "a")
	cancel := w.command(failpoint("tell.before_signal:stop"), "cancel", "j", "--task", "a")
	w.must(cancel.Start())
	pid := w.stopped("tell.before_signal")
	w.write("scratch/a", "")
	w.started("j", "b")
	proceed(pid)
	if err := cancel.Wait(); err == nil || cancel.ProcessState.ExitCode() != 1 {
		t.Errorf("a cancel of what completed before: %v", err)
	}
	// The signal may come at any time, also when b has ended.
	if n := w.sql("SELECT count(DISTINCT runner) FROM attempt"); n != "2" {
		t.Error("the runner of a task that is being cancelled took the next one")
	}
	w.write("scratch/b", "")
	w.becomes("completed", "j", "a")
	w.becomes("completed", "j", "b")
}

// A runner reads for itself that its task is cancelled: whoever cancels may be in
// another PID namespace, or die before the signal, and there may be no manager.
func TestCancelNeedsNoSignal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tasks_per_runner: 10")
	w.enqueue("j", "a", waits("never"))
	w.enqueue("j", "b", "true")
	w.enqueue("k", "a", waits("k"))
	w.start()
	w.started("j", "a")
	w.started("k", "a")
	w.manager.kill()
	if o := w.with(failpoint("tell.before_signal:kill"), "cancel", "j", "--task", "a"); o.code != -1 {
		t.Errorf("a cancel that was killed: %+v", o)
	}
	if ended := w.becomes("failed", "j", "a"); ended.Reason != "cancelled" || ended.Error != "cancelled while it ran" {
		t.Errorf("%+v", ended)
	}
	w.start()
	w.becomes("completed", "j", "b")
	w.write("scratch/k", "")
	w.becomes("completed", "k", "a")
}

// cancelFromAnotherPIDNamespace is the command that cancels a job from a PID
// namespace of its own.
func (w *world) cancelFromAnotherPIDNamespace(name string) *exec.Cmd {
	w.Helper()
	front := []string{"unshare", "--pid", "--fork", "--mount-proc"}
	if err := exec.Command(front[0], append(front[1:], "true")...).Run(); err != nil {
		w.Skipf("no PID namespaces here: %v", err)
	}
	c := w.command(nil, "cancel", name)
	c.Path, c.Args = "/usr/bin/env", append(append([]string{"env"}, front...), c.Args...)
	c.Args[len(front)+1] = program
	return c
}

// The same from another PID namespace, in which the runner has no PID.
func TestCancelFromAnotherPIDNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cancel := w.cancelFromAnotherPIDNamespace("j")
	w.serveUntilStarted("j", "a", waits("never"))
	if out, err := cancel.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if ended := w.becomes("failed", "j", "a"); ended.Reason != "cancelled" {
		t.Errorf("%+v", ended)
	}
}

// A cancel from another PID namespace does not see what a dead runner has left, and
// does not call it ended: the next task of the job started beside it.
func TestCancelFromAnotherPIDNamespaceSettlesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cancel := w.cancelFromAnotherPIDNamespace("j")
	w.serveUntilStarted("j", "a", waits("never"))
	w.manager.kill()
	w.killRunner("j", "a")
	if out, err := cancel.CombinedOutput(); err == nil || !strings.Contains(string(out), "cannot be seen from here") {
		t.Errorf("%v\n%s", err, out)
	}
	if r := w.tasks("j")["a"]; r.Status != "running" {
		t.Errorf("%+v", r)
	}
	w.run(0, "cancel", "j") // where the task ran
	if ended := w.becomes("failed", "j", "a"); ended.Reason != "cancelled" || !strings.HasPrefix(ended.Error, "cancelled: its runner died") {
		t.Errorf("%+v", ended)
	}
}

// A signal from outside ends what runs, whoever sends it.
func TestSignalToARunnerEndsItsTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tasks_per_runner: 10")
	w.enqueue("j", "a", waits("never"))
	w.enqueue("j", "b", "true")
	w.start()
	w.started("j", "a")
	pid, err := strconv.Atoi(w.sql("SELECT pid FROM attempt WHERE status = 'running'"))
	w.must(err)
	w.must(syscall.Kill(pid, syscall.SIGTERM))
	if ended := w.becomes("failed", "j", "a"); ended.Reason != "cancelled" || ended.Error != "cancelled while it ran" {
		t.Errorf("%+v", ended)
	}
	w.becomes("completed", "j", "b")
}

// A task whose command was certainly not started is not lost: if a runner dies
// or is told to end before the claim for it is about to be committed, it gets no
// task, and if it is told to end later, it gives the task back.
func TestATaskThatWasNeverStartedIsNotLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		point  string
		signal syscall.Signal
	}{
		{"claim.before_lock", syscall.SIGKILL},
		{"claim.before_lock", syscall.SIGTERM},
		{"claim.before_commit", syscall.SIGTERM},
		{"claim.after_commit", syscall.SIGTERM},
	} {
		t.Run(c.point+"/"+c.signal.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start(failpoint(c.point + ":sleep:1000")...)
			w.enqueue("j", "1", "true")
			w.hit(c.point)
			for _, pid := range w.named("run-task base-path=" + w.base) {
				w.must(syscall.Kill(pid, c.signal))
			}
			if done := w.becomes("completed", "j", "1"); done.Attempts != 1 {
				t.Errorf("%+v, not completed at the first attempt", done)
			}
		})
	}
}

// The same, where the claim comes between the runner's last look for a task and
// its end.
func TestNoTaskIsClaimedForARunnerThatLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.start("AIR_EXECUTOR_FAILPOINT_MARK=", "AIR_EXECUTOR_FAILPOINT=claim.before_lock:stop@1,runner.leaves:stop@1")
	w.enqueue("j", "1", "true")
	w.until("the claim is under way", func() bool { return state(m.Process.Pid) == 'T' })
	runners := w.named("run-task base-path=" + w.base)
	for _, pid := range runners {
		w.must(syscall.Kill(pid, syscall.SIGTERM))
	}
	for _, pid := range runners {
		w.until("the runner leaves, or has never begun", func() bool { return state(pid) == 'T' || !alive(pid) })
	}
	proceed(m.Process.Pid)
	w.until("the task is claimed", func() bool { return w.tasks("j")["1"].Attempts > 0 })
	for _, pid := range runners {
		proceed(pid)
	}
	if done := w.becomes("completed", "j", "1"); done.Attempts != 1 {
		t.Errorf("%+v, not completed at the first attempt", done)
	}
	w.must(m.Process.Signal(syscall.SIGTERM))
	w.until("those that leave now have ended", func() bool {
		left := w.named("run-task base-path=" + w.base)
		for _, pid := range left {
			proceed(pid)
		}
		return len(left) == 0
	})
}

// The same, with a runner that has its task and has not started the command.
func TestARunnerThatIsToldToEndGivesItsTaskBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("j", "1", "true")
	w.start(failpoint("runner.assigned:sleep:1000")...) // time to hear of the signal
	w.must(syscall.Kill(w.hit("runner.assigned"), syscall.SIGTERM))
	if done := w.becomes("completed", "j", "1"); done.Attempts != 1 {
		t.Errorf("%+v, not completed at the first attempt", done)
	}
	if log, _ := os.ReadFile(w.base + "/manager.log"); !strings.Contains(string(log), "given back") {
		t.Error("the log does not say that the task was given back")
	}
}

// The runner of an earlier manager is told to end while it looks for its task.
func TestATaskIsGivenBackWithoutAManager(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("j", "1", "true")
	m := w.start("AIR_EXECUTOR_FAILPOINT_MARK=", "AIR_EXECUTOR_FAILPOINT=claim.after_commit:sleep:60000,runner.looks_for_task:sleep:1000")
	w.until("the task was claimed", func() bool { return w.tasks("j")["1"].Status == "running" })
	m.kill()
	runners := w.named("run-task base-path=" + w.base)
	for _, pid := range runners {
		w.must(syscall.Kill(pid, syscall.SIGTERM))
	}
	for _, pid := range runners {
		w.until("the runner has gone", func() bool { return !alive(pid) })
	}
	if now := w.tasks("j")["1"]; now.Status != "pending" || now.Attempts != 0 {
		t.Errorf("%+v, not pending as before", now)
	}
	w.start()
	w.becomes("completed", "j", "1")
}

// An error after the commit of a claim or result does not make anybody forget it.
func TestACommitInDoubtIsNotForgotten(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"claim.committed", "finish.committed"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "tasks_per_runner: 10")
			for _, id := range []string{"1", "2", "3"} {
				w.enqueue("j", id, "true")
			}
			w.start(failpoint(point + ":fail")...)
			w.hit(point)
			for _, id := range []string{"1", "2", "3"} {
				if done := w.becomes("completed", "j", id); done.Attempts != 1 || w.starts("j", id) != 1 {
					t.Errorf("%+v, started %d times", done, w.starts("j", id))
				}
			}
			log, _ := os.ReadFile(w.base + "/manager.log")
			if strings.Contains(string(log), "result discarded") {
				t.Error("a result that was recorded is said to be discarded")
			}
			if n := strings.Count(string(log), "cannot claim"); n > 3 {
				t.Errorf("the manager has tried in vain %d times", n)
			}
		})
	}
}

// The disk fails at some of the syncs of a manager and its runners, in the middle
// of their commits: every task completes, and none is started twice.
func TestDiskErrorsInTheMiddleOfCommits(t *testing.T) {
	t.Parallel()
	if err := exec.Command("strace", "-o", os.DevNull, "true").Run(); err != nil {
		t.Skipf("no strace here: %v", err)
	}
	w := newWorld(t, "tasks_per_runner: 4")
	m := w.start()
	const calls = "fsync,fdatasync"
	trace := exec.Command("strace", "-f", "-qq", "-o", w.scratch+"/trace", "-e", "trace="+calls,
		"-e", "inject="+calls+":error=EIO:when=3+5", "-p", strconv.Itoa(m.Process.Pid))
	w.must(trace.Start())
	defer func() { _ = trace.Process.Signal(syscall.SIGTERM); _ = trace.Wait() }()
	w.until("strace is there", func() bool { return exists(w.scratch + "/trace") })
	jobs, ids := []string{"a", "b", "c"}, []string{"1", "2", "3", "4", "5", "6"}
	for _, job := range jobs {
		for _, id := range ids {
			w.enqueue(job, id, "true")
		}
	}
	for _, job := range jobs {
		for _, id := range ids {
			if done := w.becomes("completed", job, id); done.Attempts != 1 || w.starts(job, id) != 1 {
				t.Errorf("%+v, started %d times", done, w.starts(job, id))
			}
		}
	}
	if b, _ := os.ReadFile(w.scratch + "/trace"); !strings.Contains(string(b), "INJECTED") {
		t.Error("no sync has failed")
	}
}
