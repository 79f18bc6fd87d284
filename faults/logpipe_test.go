//go:build failpoints

package faults

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pipeLog starts a manager whose log goes into a pipe, and returns its other end.
func (w *world) pipeLog() *os.File {
	w.Helper()
	r, theirs, err := os.Pipe()
	w.must(err)
	w.Cleanup(func() { r.Close() })
	if said := w.launchWith(theirs).says(); said != "0 serving" {
		w.Fatalf("the manager does not serve: %q", said)
	}
	return r
}

// What reads the log ends (`start --foreground 2>&1 | tee log`, and Ctrl-C):
// neither the manager nor a runner does, and results are recorded.
func TestClosedLogPipe(t *testing.T) {
	t.Parallel()
	for _, config := range []string{"tasks_per_runner: 1", "tasks_per_runner: 10"} {
		t.Run(config, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, config)
			log := w.pipeLog()
			w.enqueue("j", "1", waits("go")+"; exit 3")
			w.enqueue("j", "2", "yes | head -1 >$SCRATCH/yes; true") // with the usual SIGPIPE
			w.started("j", "1")
			w.must(log.Close())
			w.write("scratch/go", "")
			if ended := w.becomes("failed", "j", "1"); ended.Reason != "exited" || *ended.ExitCode != 3 {
				t.Errorf("%+v", ended)
			}
			w.becomes("completed", "j", "2")
			w.enqueue("k", "1", "true")
			w.becomes("completed", "k", "1")
			w.must(w.manager.Process.Signal(syscall.SIGTERM))
			w.managerEnds(0)
		})
	}
}

// A manager that cannot serve ends, also where nobody reads what it says. It hung
// there, and took no notice of SIGTERM.
func TestAFullLogPipeHoldsUpNoEnd(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"start", "--foreground"}, {"--json", "start", "--foreground"}} {
		w := newWorld(t)
		w.start()
		r, theirs, err := os.Pipe()
		w.must(err)
		defer r.Close()
		second := w.command(nil, args...)
		second.Stderr = theirs
		w.must(theirs.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)))
		for b := make([]byte, 4096); err == nil; { // until it is full
			_, err = theirs.Write(b)
		}
		w.must(second.Start())
		theirs.Close()
		ended := make(chan struct{})
		go func() { _ = second.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(patience):
			_ = second.Process.Kill()
			<-ended
			t.Errorf("%v goes on", args)
		}
		if code := second.ProcessState.ExitCode(); code != 5 {
			t.Errorf("%v: exit code %d, want 5", args, code)
		}
	}
}

// A log that nobody reads holds up nothing, and says later what is missing.
func TestLogThatNobodyReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tasks_per_runner: 1000", "max_concurrent_runners: 3")
	log := w.pipeLog()
	raw, err := log.SyscallConn()
	w.must(err)
	w.must(raw.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_SETPIPE_SZ, 4096)
	}))
	const tasks = 300
	w.write("scratch/tasks.jsonl", strings.Repeat("{\"command\":\"true\"}\n", tasks))
	w.run(0, "enqueue", "--quiet", "--job", "j", "--from-file", w.scratch+"/tasks.jsonl")
	w.enqueue("j", "last", waits("go"))
	for range 10 { // in which the same runner can say it
		w.run(0, "enqueue", "--quiet", "--job", "j", "--", "sleep", "0.1")
	}
	w.enqueue("k", "1", waits("never"))
	w.run(0, "enqueue", "--job", "l", "--id", "1", "--timeout", "100ms", "--", "sleep", "1000")
	w.started("j", "last")
	w.started("k", "1")
	w.run(0, "cancel", "k")
	if ended := w.becomes("failed", "l", "1"); ended.Reason != "timed_out" {
		t.Errorf("%+v", ended)
	}
	var text bytes.Buffer
	var mu sync.Mutex
	go func() {
		for b := make([]byte, 4096); ; {
			n, err := log.Read(b)
			mu.Lock()
			text.Write(b[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	w.write("scratch/go", "")
	w.becomes("completed", "j", strconv.Itoa(tasks))
	w.becomes("completed", "j", "last")
	w.until("the log says what is missing", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(text.String(), "lines of this log were dropped")
	})
	w.run(0, "stop", "--timeout", time.Minute.String())
}
