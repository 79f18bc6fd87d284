//go:build failpoints

package faults

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ends waits until the manager has ended by itself, and returns its exit code.
func (w *world) ends(m *serving) int {
	w.Helper()
	select {
	case <-m.ended:
	case <-time.After(patience):
		w.Fatal("the manager goes on")
	}
	return m.ProcessState.ExitCode()
}

// A manager that got a signal in the first moments of its life took no notice,
// and served on. One that has not come to its first line dies of the signal.
func TestSignalAtAnyMomentOfTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 100 {
		s := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}[i%2]
		m := w.launch()
		time.Sleep(rand.N(60 * time.Millisecond))
		w.must(m.Process.Signal(s))
		// 130: it had not even read its configuration.
		if code := w.ends(m); code != 0 && code != 130 && m.ProcessState.Sys().(syscall.WaitStatus).Signal() != s {
			t.Errorf("start %d: exit code %d: %s", i, code, m.ProcessState)
		}
	}
}

// lose makes tasks whose runners have died, for the next manager to find.
func (w *world) lose(jobs ...string) {
	w.Helper()
	w.start()
	for _, j := range jobs {
		w.enqueue(j, "1", "sleep 300")
	}
	w.until("all run", func() bool { return w.runs() == len(jobs) })
	w.manager.kill()
	for _, j := range jobs {
		w.killRunner(j, "1")
	}
}

// In the middle of the recovery of much that an earlier manager has left, and
// before it, a manager stops as it is told, and stop does not hang.
func TestToldToStopWhileItStarts(t *testing.T) {
	t.Parallel()
	signal := func(s syscall.Signal) func(*world) {
		return func(w *world) { w.must(w.manager.Process.Signal(s)) }
	}
	stop := func(how ...string) func(*world) {
		return func(w *world) { w.run(0, append([]string{"stop"}, how...)...) }
	}
	for _, point := range []string{"manager.locked", "manager.registered", "reap.before_sweep"} {
		for _, how := range []struct {
			name  string
			do    func(*world)
			ended bool // what is left of the tasks
		}{
			{"SIGTERM", signal(syscall.SIGTERM), false},
			{"SIGINT", signal(syscall.SIGINT), false},
			{"stop", stop(), false},
			{"stop --kill", stop("--kill"), true},
		} {
			t.Run(point+"/"+how.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.lose("a", "b", "c", "d", "e")
				m := w.launch("AIR_EXECUTOR_FAILPOINT_MARK=", "AIR_EXECUTOR_FAILPOINT="+point+":sleep:500")
				time.Sleep(200 * time.Millisecond) // somewhere in it
				how.do(w)
				if code := w.ends(m); code != 0 {
					t.Errorf("exit code %d", code)
				}
				if said := m.says(); strings.Contains(said, "serving") && !strings.HasPrefix(how.name, "stop") {
					t.Errorf("it said that it serves: %q", said)
				}
				if n := w.runs(); how.ended && n != 0 || !how.ended && n == 0 {
					t.Errorf("%d attempts are under way", n)
				}
				w.run(5, "stop")
			})
		}
	}
}

// The start of a manager in the background can be interrupted, and leaves none.
func TestStartInTheBackgroundIsInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.command(failpoint("manager.locked:sleep:1000"), "start")
	w.must(start.Start())
	pid := w.hit("manager.locked")
	w.must(start.Process.Signal(os.Interrupt))
	_ = start.Wait()
	if code := start.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	w.until("the manager has ended", func() bool { return state(pid) == 0 || state(pid) == 'Z' })
	w.run(5, "stop")
}

// A request to stop is in the database: where no signal reaches the manager, it
// finds it there.
func TestStopIsReadFromTheDatabase(t *testing.T) {
	t.Parallel()
	inEach(t, []string{"leave", "drain", "kill"}, func(t *testing.T, w *world, how string) {
		w.start()
		w.enqueue("j", "1", waits("go"))
		w.becomes("running", "j", "1")
		w.sql("UPDATE manager SET stop = '" + how + "'")
		if how == "drain" {
			w.until("it has begun to stop", func() bool { return strings.Contains(w.managerLog(), `"how":"drain"`) })
			w.write("scratch/go", "")
		}
		if code := w.ends(w.manager); code != 0 {
			t.Errorf("exit code %d", code)
		}
		want := map[string]string{"leave": "running", "drain": "completed", "kill": "failed"}[how]
		if now := w.tasks("j")["1"]; now.Status != want {
			t.Errorf("the task is %+v, not %s", now, want)
		}
		w.write("scratch/go", "")
	})
}

func (w *world) managerLog() string {
	log, _ := os.ReadFile(w.base + "/manager.log")
	return string(log)
}

// What SIGTERM does is configured; Ctrl-C and stop do what they always do.
func TestOnTerm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		onTerm string
		signal syscall.Signal
		lives  bool // the manager, as long as the task runs
		ends   string
	}{
		{"leave", syscall.SIGTERM, false, ""},
		{"drain", syscall.SIGTERM, true, ""},
		{"kill", syscall.SIGTERM, false, "cancelled"},
		{"kill", syscall.SIGINT, false, ""},
	} {
		t.Run(c.onTerm+"/"+c.signal.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "on_term: "+c.onTerm)
			w.start()
			w.enqueue("j", "1", waits("go"))
			w.until("it was started", func() bool { return w.starts("j", "1") == 1 })
			w.must(w.manager.Process.Signal(c.signal))
			if !c.lives {
				w.ends(w.manager)
			} else {
				w.until("it has begun to stop", func() bool { return strings.Contains(w.managerLog(), "manager stops") })
			}
			w.write("scratch/go", "")
			if c.ends == "" {
				w.becomes("completed", "j", "1")
			} else if now := w.tasks("j")["1"]; now.Reason != c.ends {
				t.Errorf("the task is %+v, not %s", now, c.ends)
			}
			if code := w.ends(w.manager); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// inContainer starts a manager as process 1 of a PID namespace of its own, and
// returns its PID here.
func (w *world) inContainer() (init int) {
	w.Helper()
	return w.container(program, "start", "--foreground").serve()
}

// container is a PID namespace that is going on.
type container struct {
	*world
	*exec.Cmd
	ended chan struct{}
}

// container runs a program as process 1 of a PID namespace of its own, until the
// test ends at the latest.
func (w *world) container(args ...string) *container { return w.containerOf(nil, args...) }

// containerOf is container with more for unshare(1).
func (w *world) containerOf(flags []string, args ...string) *container {
	w.Helper()
	if os.Getuid() != 0 {
		w.Skip("needs root, to make a PID namespace")
	}
	log, err := os.OpenFile(w.base+"/manager.log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	w.must(err)
	defer log.Close()
	c := w.command(nil)
	c.Path = "/usr/bin/unshare"
	c.Args = slices.Concat([]string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc"}, flags, args)
	c.Stderr = log
	w.must(c.Start())
	in := &container{w, c, make(chan struct{})}
	go func() { _ = c.Wait(); close(in.ended) }()
	w.Cleanup(in.kill)
	return in
}

// kill ends everything in it, as docker kill does.
func (in *container) kill() {
	_ = in.Process.Kill()
	<-in.ended
}

// init is the PID here of its process 1.
func (in *container) init() (pid int) {
	in.Helper()
	self := strconv.Itoa(in.Process.Pid)
	in.until("the container has a process", func() bool {
		children, _ := os.ReadFile("/proc/" + self + "/task/" + self + "/children")
		pid, _ = strconv.Atoi(strings.TrimSpace(string(children)))
		return pid > 0
	})
	return pid
}

// serve waits until its process 1, a manager, serves, and returns its PID here.
func (in *container) serve() (init int) {
	in.Helper()
	in.manager = &serving{in.Cmd, make(chan string, 1), in.ended}
	in.until("it serves", func() bool { return strings.Contains(in.managerLog(), "manager serves") })
	return in.init()
}

// The manager is process 1 of a container: when it ends, the kernel kills what
// is left. SIGTERM, as docker stop sends it, gives the tasks the time to end.
func TestProcessOneEndsItsTasks(t *testing.T) {
	t.Parallel()
	inEach(t, []string{"SIGTERM", "SIGINT", "stop", "stop --drain"}, func(t *testing.T, w *world, how string) {
		init := w.inContainer()
		// Not through the script that bears witness, which would die at once.
		w.run(0, "enqueue", "-q", "--job", "j", "--id", "1", "--", "sh", "-c", `trap "touch $SCRATCH/cleaned; exit 0" TERM; touch $SCRATCH/runs; until [ -e $SCRATCH/go ]; do sleep 0.02; done`)
		w.until("it runs", func() bool { return exists(w.scratch + "/runs") })
		switch how {
		case "SIGTERM":
			w.must(syscall.Kill(init, syscall.SIGTERM))
		case "SIGINT":
			w.must(syscall.Kill(init, syscall.SIGINT))
		case "stop":
			w.run(0, "stop") // from outside of the namespace
		case "stop --drain":
			w.run(124, "stop", "--drain", "--timeout=1500ms")
			w.write("scratch/go", "")
		}
		if code := w.ends(w.manager); code != 0 {
			t.Errorf("exit code %d", code)
		}
		now := w.tasks("j")["1"]
		if how == "stop --drain" {
			if now.Status != "completed" {
				t.Errorf("the task is %+v", now)
			}
		} else if now.Reason != "cancelled" || !exists(w.scratch+"/cleaned") {
			t.Errorf("the task is %+v, and had time to clean up: %t", now, exists(w.scratch+"/cleaned"))
		}
		if !strings.Contains(w.managerLog(), "PID 1: SIGTERM ends running tasks (on_term: kill)") {
			t.Error("the log does not say what SIGTERM does")
		}
	})
}

// The kernel gives orphans to process 1: they must not stay zombies.
func TestProcessOneReapsOrphans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	init := w.inContainer()
	for _, j := range []string{"a", "b", "c", "d"} {
		w.enqueue(j, "1", "sleep 0.5 & sleep 300")
	}
	w.until("all run", func() bool { return w.runs() == 4 })
	for _, j := range []string{"a", "b", "c", "d"} {
		out, _ := exec.Command("pgrep", "-P", strconv.Itoa(init)).Output() // none may live just now
		for pid := range strings.FieldsSeq(string(out)) {
			n, _ := strconv.Atoi(pid)
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
		w.becomes("failed", j, "1")
	}
	w.until("no zombies are left", func() bool {
		out, _ := exec.Command("ps", "--ppid", strconv.Itoa(init), "-o", "stat=").Output()
		return !strings.Contains(string(out), "Z")
	})
	w.run(0, "stop")
}

// A wait inside a task lends the task's place. When it is killed, the place is
// taken back, and as many tasks run as may.
func TestAWaitThatIsKilledLendsNoPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "max_concurrent_runners: 1")
	w.start()
	w.enqueue("outer", "1", `until $AIR status inner; do sleep 0.02; done >/dev/null 2>&1; $AIR wait inner & echo $! >$SCRATCH/waits; until [ -e $SCRATCH/go ]; do sleep 0.02; done; kill $! 2>/dev/null; true`)
	w.enqueue("inner", "1", "until [ -e $SCRATCH/inner ]; do sleep 0.02; done")
	w.until("the place is lent", func() bool { return w.starts("inner", "1") == 1 })
	waiter, err := os.ReadFile(w.scratch + "/waits")
	w.must(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(waiter)))
	w.must(err)
	w.must(syscall.Kill(pid, syscall.SIGKILL))
	w.until("it is taken back", func() bool { return w.sql("SELECT sum(waits) FROM attempt") == "0" })
	w.enqueue("late", "1", "true")
	w.write("scratch/inner", "")
	w.becomes("completed", "inner", "1")
	time.Sleep(300 * time.Millisecond) // time to do wrong
	if now := w.tasks("late")["1"]; now.Status != "pending" {
		t.Errorf("another task runs beside one that waits no longer: %+v", now)
	}
	w.write("scratch/go", "")
	w.becomes("completed", "late", "1")
}

// A manager tells its supervisor how it is, and its tasks cannot speak in its
// name.
func TestSupervisorIsToldAndTasksCannotTellIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: w.scratch + "/notify", Net: "unixgram"})
	w.must(err)
	defer socket.Close()
	said := make(chan string, 1000)
	go func() {
		for buf := make([]byte, 100); ; {
			n, err := socket.Read(buf)
			if err != nil {
				return
			}
			said <- string(buf[:n])
		}
	}()
	hears := func(want string) {
		t.Helper()
		for late := time.After(patience); ; {
			select {
			case s := <-said:
				if s == want {
					return
				}
			case <-late:
				t.Fatalf("never heard %s", want)
			}
		}
	}
	w.start("NOTIFY_SOCKET="+w.scratch+"/notify", "WATCHDOG_USEC=2000000", "LISTEN_FDS=1", "LISTEN_PID=1", "LISTEN_FDNAMES=x")
	hears("READY=1")
	hears("WATCHDOG=1")
	w.run(0, "enqueue", "-q", "-j", "env", "--no-env", "--", "sh", "-c", "env | grep -E '^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_)'; true")
	w.run(0, "wait", "env")
	if out := w.run(0, "logs", "env").out; strings.Contains(out, "NOTIFY_") || strings.Contains(out, "LISTEN_") || strings.Contains(out, "WATCHDOG_") {
		t.Errorf("a task has what is for the manager:\n%s", out)
	}
	w.run(0, "stop")
	hears("STOPPING=1")
}
