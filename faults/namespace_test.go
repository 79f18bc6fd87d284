//go:build failpoints

package faults

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Process 1 of a container that is not air-executor: it goes on without its manager.
var otherInit = []string{"sh", "-c", `"$0" start --foreground & wait; sleep 1000`}

// orphan has a task of job j go on in a container, or here, without manager and
// runner, and another of its job wait.
func (w *world) orphan() {
	w.Helper()
	w.enqueue("j", "1", waits("never"))
	w.enqueue("j", "2", "true")
	w.until("its command runs", func() bool { return w.starts("j", "1") == 1 })
	for _, text := range []string{program + " start --foreground", "run-task base-path=" + w.base + " "} {
		for _, pid := range w.named(text) {
			if w.here(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				w.until("it is dead", func() bool { return !alive(pid) })
			}
		}
	}
}

// here reports whether a process belongs to this world.
func (w *world) here(pid int) bool {
	for _, p := range w.processes() {
		if p.pid == pid {
			return true
		}
	}
	return false
}

// waitsInWords waits until status says that j/1 goes on as nothing is known.
func (w *world) waitsInWords() {
	w.Helper()
	w.until("status says that nothing can be seen of the task", func() bool {
		if now := w.tasks("j")["1"]; now.Status != "running" {
			w.Fatalf("a task whose command may run is %+v", now)
		}
		return strings.Contains(w.sql("SELECT coalesce(stuck, '') FROM attempt WHERE slot IS NOT NULL"), "cannot be seen from here")
	})
	if w.starts("j", "2") > 0 {
		w.Fatal("the next task of the job was started beside it")
	}
}

// lostAndNext waits until j/1 is lost and j/2 has run.
func (w *world) lostAndNext() {
	w.Helper()
	if ended := w.becomes("failed", "j", "1"); ended.Reason != "lost" {
		w.Fatalf("%+v", ended)
	}
	w.becomes("completed", "j", "2")
}

// What a dead runner has left in a container that goes on, a manager in another
// one does not see, and does not call lost. A word from a person ends that.
func TestManagerInAnotherContainerLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.container(append(otherInit, program)...)
	w.orphan()
	w.write("base/manager.log", "")
	init := w.container(program, "start", "--foreground").serve()
	w.waitsInWords()
	if o := w.with(nil, "cancel", "j", "--task", "1", "--lost"); o.code != 0 {
		// Here everything is seen, and ended before it is called lost.
		t.Errorf("cancel --lost: %+v", o)
	}
	w.lostAndNext()
	w.must(syscall.Kill(init, syscall.SIGTERM))
	w.ends(w.manager)
	a.kill()
}

// The same, when that container has gone: its process 1 could not say so. The
// manager can stop all the same.
func TestLostOnAWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.container(append(otherInit, program)...)
	w.orphan()
	w.write("base/manager.log", "")
	b := w.container(program, "start", "--foreground")
	init := b.serve()
	w.waitsInWords()
	a.kill()
	w.waitsInWords()
	w.must(syscall.Kill(init, syscall.SIGTERM))
	w.ends(w.manager)
	w.write("base/manager.log", "")
	w.sql("UPDATE attempt SET stuck = NULL, cancel_at = NULL WHERE slot IS NOT NULL")
	w.container(program, "start", "--foreground").serve()
	w.waitsInWords()
	c := w.command(nil, "cancel", "j", "--task", "1")
	said, err := os.Create(t.TempDir() + "/said")
	w.must(err)
	defer said.Close()
	c.Stderr = said
	w.must(c.Start())
	w.until("a cancel says what it waits for", func() bool {
		b, _ := os.ReadFile(said.Name())
		return strings.Contains(string(b), "cannot be seen from here")
	})
	w.must(c.Process.Signal(syscall.SIGINT))
	_ = c.Wait()
	w.sql("UPDATE attempt SET cancel_at = NULL WHERE slot IS NOT NULL")
	word := w.container(program, "cancel", "j", "--task", "1", "--lost")
	word.ends(&serving{Cmd: word.Cmd, ended: word.ended})
	if code := word.ProcessState.ExitCode(); code != 0 {
		t.Errorf("cancel --lost: exit code %d", code)
	}
	w.lostAndNext()
}

// A container whose process 1 is the manager is killed and made anew, with the
// same host name or another one: what ran in it is lost without a word from
// anybody, also with a runner that had died before.
func TestContainerIsRecreated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		flags []string
		front []string
		died  bool // the runner, before
	}{
		{"same host name", nil, nil, false},
		{"other host name", []string{"--uts"}, []string{"sh", "-c", `echo recreated >/proc/sys/kernel/hostname; exec "$0" "$@"`}, false},
		{"without its runner", nil, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.container(program, "start", "--foreground")
			init := a.serve()
			w.enqueue("j", "1", waits("never"))
			w.enqueue("j", "2", "true")
			w.started("j", "1")
			if c.died {
				w.must(syscall.Kill(init, syscall.SIGSTOP)) // lest it settles that itself
				for _, pid := range w.named("run-task base-path=" + w.base + " ") {
					w.must(syscall.Kill(pid, syscall.SIGKILL))
				}
			}
			a.kill()
			w.write("base/manager.log", "")
			w.containerOf(c.flags, append(c.front, program, "start", "--foreground")...).serve()
			w.lostAndNext()
			if host := w.sql("SELECT host FROM attempt ORDER BY id DESC LIMIT 1"); (host == "recreated") != (c.flags != nil) {
				t.Errorf("the host name is %s", host)
			}
		})
	}
}

// A manager beside a container whose process 1, a run, lives: a lock tells.
func TestManagerBesideAContainerThatLives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("scratch/j.yaml", "name: j\ntasks:\n"+
		"- {id: '1', command: sh, args: ["+w.dir+"/witness.sh, '"+waits("never")+"']}\n"+
		"- {id: '2', command: sh, args: ["+w.dir+"/witness.sh, 'true']}\n")
	a := w.container(program, "run", w.scratch+"/j.yaml")
	w.started("j", "1")
	init := a.init()
	w.must(syscall.Kill(init, syscall.SIGSTOP)) // lest it settles that itself
	for _, pid := range w.named("run-task base-path=" + w.base + " ") {
		w.must(syscall.Kill(pid, syscall.SIGKILL))
	}
	w.container(program, "start", "--foreground").serve()
	w.waitsInWords()
	a.kill()
	w.lostAndNext()
}

// The initial namespace sees what is in every container, and a container sees
// nothing of it.
func TestManagersOnTheHostAndInAContainer(t *testing.T) {
	t.Parallel()
	t.Run("from the container to the host", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.container(append(otherInit, program)...)
		w.orphan()
		w.start()
		w.lostAndNext()
	})
	t.Run("from the host to the container", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.start()
		w.orphan()
		w.write("base/manager.log", "")
		b := w.container(program, "start", "--foreground")
		init := b.serve()
		w.waitsInWords()
		w.must(syscall.Kill(init, syscall.SIGTERM))
		w.ends(w.manager)
		w.start()
		if ended := w.becomes("failed", "j", "1"); ended.Reason != "cancelled" || !strings.HasPrefix(ended.Error, "cancelled: its runner died") {
			t.Errorf("%+v", ended)
		}
	})
}

// An attempt of an older version does not say in which PID namespace it was, and
// is settled as that version did.
func TestAttemptWithoutAPIDNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.orphan()
	if n, err := strconv.Atoi(w.sql("SELECT pid_namespace FROM attempt WHERE slot IS NOT NULL")); err != nil || n == 0 {
		t.Errorf("the PID namespace is not recorded: %d, %v", n, err)
	}
	w.sql("UPDATE attempt SET pid_namespace = NULL, init_lock = NULL WHERE slot IS NOT NULL")
	w.start()
	w.lostAndNext()
}
