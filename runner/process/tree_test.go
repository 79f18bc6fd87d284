//go:build linux

package process_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/runner/process"
)

// stubborn makes a tree of four shells that ignore SIGTERM. Two of them have
// left the session, and one of those its parent too. Each says "up".
const stubborn = `
trap '' TERM HUP INT
stay='trap "" TERM HUP INT; echo up; while :; do sleep 1000; done'
sh -c "$stay" &
setsid sh -c "$stay" &
(setsid sh -c "$stay" &)
echo up
while :; do sleep 1000; done`

const stubbornShells = 4

func TestNothingOfACancelledTreeSurvives(t *testing.T) {
	c := shell(t, stubborn)
	c.Grace = 50 * time.Millisecond
	m := mark(t, &c)
	next := lines(t, &c)
	cancel := make(chan struct{})
	go func() {
		for range stubbornShells {
			next()
		}
		close(cancel)
	}()
	e := process.Run(c, cancel)
	if !e.Cancelled || e.TimedOut || e.Signal != unix.SIGKILL {
		t.Errorf("exit %+v, want cancelled, by SIGKILL", e)
	}
	wantNone(t, m)
}

func TestNothingOfATreeSurvivesItsTimeout(t *testing.T) {
	c := shell(t, stubborn)
	c.Timeout, c.Grace = 300*time.Millisecond, 50*time.Millisecond
	m := mark(t, &c)
	e := process.Run(c, nil)
	if !e.TimedOut || e.Cancelled || e.Signal == 0 {
		t.Errorf("exit %+v, want timed out, by a signal", e)
	}
	wantNone(t, m)
}

func TestACommandThatWritesTooMuchIsEnded(t *testing.T) {
	for _, c := range []struct {
		name, script string
		most         int64
		want         bool
	}{
		{"at once", "exec yes", 1 << 20, true},
		{"a child, in another session", "setsid yes & exec sleep 1000", 1 << 20, true},
		{"slowly", "while :; do echo line; sleep 0.01; done", 100, true},
		{"no more than it may", "echo 45678; sleep 0.1", 6, false},
		{"as much as it likes", "head -c 1000000 /dev/zero; sleep 0.1", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := shell(t, c.script)
			cmd.MaxOutput = c.most
			m := mark(t, &cmd)
			e := run(t, cmd)
			if e.TooMuch != c.want || e.TimedOut || e.Cancelled || (e.Signal != 0) != c.want {
				t.Errorf("exit %+v, want too much is %t", e, c.want)
			}
			wantNone(t, m)
		})
	}
}

func TestCancelledCommandMayEndByItself(t *testing.T) {
	c := shell(t, `trap 'echo cleaned up; exit 7' TERM; echo ready; while :; do sleep 0.01; done`)
	m := mark(t, &c)
	next := lines(t, &c)
	cancel := make(chan struct{})
	go func() {
		next()
		close(cancel)
	}()
	e := process.Run(c, cancel)
	if !e.Cancelled || e.Code != 7 || e.Signal != 0 {
		t.Errorf("exit %+v, want cancelled, with code 7", e)
	}
	c.Output.Close()
	words := ""
	for line := next(); line != ""; line = next() {
		words += line + "\n"
	}
	if !strings.Contains(words, "cleaned up\n") { // the shell may remark on its sleep
		t.Errorf("last words %q", words)
	}
	wantNone(t, m)
}

func TestCancelBeforeTheStartEndsTheCommand(t *testing.T) {
	cancel := make(chan struct{})
	close(cancel)
	c := shell(t, "exec sleep 1000")
	m := mark(t, &c)
	if e := process.Run(c, cancel); !e.Cancelled || e.Signal != unix.SIGTERM {
		t.Errorf("exit %+v, want cancelled, by SIGTERM", e)
	}
	wantNone(t, m)
}

func TestStoppedCommandCanBeCancelled(t *testing.T) {
	c := shell(t, "echo $$; kill -STOP $$; echo went on; exec sleep 1000")
	next := lines(t, &c)
	cancel := make(chan struct{})
	go func() {
		pid, _ := strconv.Atoi(next())
		testkit.Eventually(t, "the command is stopped", func() bool { return state(pid) == "T" })
		close(cancel)
	}()
	if e := process.Run(c, cancel); !e.Cancelled || e.Signal != unix.SIGTERM {
		t.Errorf("exit %+v, want cancelled, by SIGTERM", e)
	}
}

func TestWhatACommandLeavesBehindIsEnded(t *testing.T) {
	for _, c := range []struct {
		name, script string
		leftover     int
	}{
		{"in its group", "sleep 1000 & sleep 1000 &", 2},
		{"in another session", "setsid sleep 1000 &", 1},
		{"orphaned twice", "(setsid sh -c 'sleep 1000 & exec sleep 1000' &)", 1},
		{"that ignores SIGTERM", `sh -c 'trap "" TERM; echo up; while :; do sleep 1000; done' &
while ! grep -q up "$OUT"; do sleep 0.01; done`, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := shell(t, c.script+"\nexit 5")
			cmd.Env = append(cmd.Env, "OUT="+cmd.Output.Name())
			if strings.Contains(c.name, "ignores") {
				cmd.Grace = 50 * time.Millisecond
			}
			m := mark(t, &cmd)
			e := run(t, cmd)
			if e.Code != 5 || e.Signal != 0 || e.TimedOut || e.Cancelled {
				t.Errorf("exit %+v, want code 5 and nothing else", e)
			}
			if e.Leftover < c.leftover {
				t.Errorf("%d left over, want at least %d", e.Leftover, c.leftover)
			}
			wantNone(t, m)
		})
	}
}

func TestZombiesThatACommandLeavesAreCollected(t *testing.T) {
	// The inner shell never waits for its child, and ends after it.
	c := shell(t, "sh -c 'true & sleep 0.05' & exit 0")
	e := run(t, c)
	if e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	var ws syscall.WaitStatus
	if pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("wait: %d, %v, want ECHILD", pid, err)
	}
}

// background starts a command beside the test, as the runner of another would.
func background(t *testing.T, c process.Command) *exec.Cmd {
	t.Helper()
	return beside(t, c, syscall.SysProcAttr{Setpgid: true})
}

// beside starts a command that leads a group, and ends that with the test.
func beside(t *testing.T, c process.Command, attr syscall.SysProcAttr) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(c.Name, c.Args...)
	cmd.Env, cmd.Stdout = c.Env, c.Output
	cmd.SysProcAttr = &attr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		_ = cmd.Wait()
	})
	return cmd
}

func TestKillMarkedKillsTheTreeThatCarriesTheMark(t *testing.T) {
	c := shell(t, stubborn)
	m := mark(t, &c)
	next := lines(t, &c)
	cmd := background(t, c)
	for range stubbornShells {
		next()
	}
	n, err := killMarked(m)
	if err != nil || n < stubbornShells {
		t.Errorf("KillMarked: %d, %v, want at least %d", n, err, stubbornShells)
	}
	wantNone(t, m)
	wantSignal(t, cmd, unix.SIGKILL)
}

func TestKillMarkedFindsChildrenThatHaveClearedTheirEnvironment(t *testing.T) {
	c := shell(t, `env -i sh -c 'echo $$; exec sleep 1000' & exec sleep 1000`)
	m := mark(t, &c)
	next := lines(t, &c)
	background(t, c)
	child, err := strconv.Atoi(next())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := killMarked(m); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the child is dead", func() bool { return strings.Contains("ZX", state(child)) })
}

func TestKillMarkedSparesWhoCarriesAnotherMark(t *testing.T) {
	c := shell(t, "echo up; exec sleep 1000")
	m := mark(t, &c)
	next := lines(t, &c)
	cmd := background(t, c)
	next()
	for _, other := range []string{
		m + "0",                      // longer than the mark that is there
		m[:len(m)-1],                 // only begins like it
		m[1:],                        // only ends like it
		"PROCESS_TEST_NOBODY=" + m,   // contains it
		strings.ToUpper(m) + "=" + m, // nobody's
	} {
		if n, err := killMarked(other); n != 0 || err != nil {
			t.Errorf("KillMarked(%q): %d, %v, want 0", other, n, err)
		}
	}
	// It is still there to take another signal than KillMarked sends.
	_ = cmd.Process.Signal(unix.SIGTERM)
	wantSignal(t, cmd, unix.SIGTERM)
}

func wantSignal(t *testing.T, cmd *exec.Cmd, want syscall.Signal) {
	t.Helper()
	_ = cmd.Wait()
	if got := cmd.ProcessState.Sys().(syscall.WaitStatus).Signal(); got != want {
		t.Errorf("it ended by %v, want %v", got, want)
	}
}

func TestSignalReachesOnlyTheProcessWithThatStartTime(t *testing.T) {
	c := shell(t, "echo up; exec sleep 1000")
	next := lines(t, &c)
	cmd := background(t, c)
	next()
	pid := cmd.Process.Pid
	began, err := process.StartTime(pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []int64{began - 1, began + 1, 0} {
		if err := process.Signal(pid, wrong, unix.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Signal with a wrong start time: %v, want ErrProcessDone", err)
		}
	}
	if err := process.Signal(pid, began, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wantSignal(t, cmd, unix.SIGTERM) // not one of the SIGKILLs, which came first
	if err := process.Signal(pid, began, unix.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal to a process that has ended: %v, want ErrProcessDone", err)
	}
}

func TestStartTimeTellsProcessesApart(t *testing.T) {
	ours, err := process.StartTime(os.Getpid())
	if err != nil || ours <= 0 {
		t.Fatalf("StartTime of this process: %d, %v", ours, err)
	}
	if again, err := process.StartTime(os.Getpid()); again != ours || err != nil {
		t.Errorf("StartTime again: %d, %v, want %d", again, err, ours)
	}
	if first, err := process.StartTime(1); err == nil && first >= ours {
		t.Errorf("process 1 started at %d, we at %d", first, ours)
	}
	if _, err := process.StartTime(1 << 30); err == nil {
		t.Error("StartTime of a process that cannot be")
	}
}

func TestStartTimeOfAProcessWithAnOddName(t *testing.T) {
	dir := t.TempDir()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	name := dir + "/a) R 1 ("
	if err := os.Symlink(sleep, name); err != nil {
		t.Fatal(err)
	}
	cmd := background(t, command(t, name, "1000"))
	plain := background(t, command(t, sleep, "1000"))
	odd, err := process.StartTime(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	later, err := process.StartTime(plain.Process.Pid)
	if err != nil || odd > later || odd <= 0 {
		t.Errorf("StartTime %d, and of one that started after it %d, %v", odd, later, err)
	}
}

func TestBootIDIsThatOfTheKernel(t *testing.T) {
	a, err := process.BootID()
	if err != nil || len(a) != 36 {
		t.Errorf("BootID: %q, %v, want a UUID", a, err)
	}
}

// tidy is a script that takes a moment to clean up after SIGTERM.
const tidy = `trap 'sh -c "sleep 0.3" && echo cleaned >>"$SEEN"; exit' TERM; echo up; echo more; while :; do sleep 0.01; done`

// When the leading shell died of SIGTERM, what it had started was killed at
// once, in the middle of its cleaning up.
func TestEveryProcessHasTheWholeGraceAlsoWhenTheLeaderHasDied(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"a child of a shell that dies", `sh -c "$TIDY"; echo after`},
		{"a child in another session", `setsid sh -c "$TIDY" & wait`},
		{"left behind by the command", `sh -c "$TIDY" & while ! grep -q up "$OUT"; do sleep 0.01; done`},
	} {
		for _, why := range []string{"cancel", "timeout", "too much"} {
			t.Run(c.name+", "+why, func(t *testing.T) {
				cmd := shell(t, c.script)
				seen := filepath.Join(t.TempDir(), "seen")
				cmd.Env = append(cmd.Env, "TIDY="+tidy, "SEEN="+seen, "OUT="+cmd.Output.Name())
				m := mark(t, &cmd)
				cancel := make(chan struct{})
				switch why {
				case "timeout":
					cmd.Timeout = 500 * time.Millisecond
				case "too much":
					cmd.MaxOutput = 3
				}
				go func() {
					testkit.Eventually(t, "it is up", func() bool { return strings.HasPrefix(output(t, cmd), "up\n") })
					if why == "cancel" {
						close(cancel)
					}
				}()
				process.Run(cmd, cancel)
				if got, err := os.ReadFile(seen); string(got) != "cleaned\n" {
					t.Errorf("it has left %q, %v, want that it cleaned up", got, err)
				}
				wantNone(t, m)
			})
		}
	}
}

// A process that appears while the tree ends gets SIGTERM too, and once.
func TestProcessesThatAppearDuringTheGraceGetSIGTERMOnce(t *testing.T) {
	c := shell(t, `trap 'trap "" TERM; sh -c "$LATE"; echo leader done; exit' TERM; echo ready; while :; do sleep 0.01; done`)
	late := `trap 'echo x; n=$((n+1))' TERM; n=0; i=0; while [ $i -lt 30 ]; do sleep 0.01; [ $n = 0 ] || i=$((i+1)); done`
	c.Grace = 6 * time.Second
	// A shell hands an ignored signal on to its children; env does away with that.
	c.Env = append(c.Env, `LATE=exec env --default-signal=TERM sh -c "$THEN"`, "THEN="+late)
	next := lines(t, &c)
	cancel := make(chan struct{})
	words := make(chan string, 1)
	go func() {
		next()
		close(cancel)
		all := ""
		for line := next(); line != ""; line = next() {
			all += line + "\n"
			if line == "leader done" {
				break
			}
		}
		words <- all
	}()
	process.Run(c, cancel)
	c.Output.Close()
	if got := <-words; strings.Count(got, "x\n") != 1 || !strings.Contains(got, "leader done") {
		t.Errorf("said %q, want that x is said once", got)
	}
}

// A runner gets the orphans of its task, and must collect them while it runs:
// zombies fill the table of processes.
func TestOrphansAreCollectedWhileTheCommandRuns(t *testing.T) {
	c := shell(t, `i=0; while [ $i -lt 100 ]; do (true &); i=$((i+1)); done; echo done; while [ ! -e "$GO" ]; do sleep 0.01; done; exit 4`)
	goOn := t.TempDir() + "/go"
	c.Env = append(c.Env, "GO="+goOn)
	next := lines(t, &c)
	ended := make(chan process.Exit, 1)
	go func() { ended <- process.Run(c, nil) }()
	next()
	testkit.Eventually(t, "no zombie is left", func() bool { return zombies(t) == 0 })
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if e := <-ended; e.Code != 4 {
		t.Errorf("exit %+v, want the code of the command", e)
	}
}

// zombies counts the children of this process that have ended.
func zombies(t *testing.T) (n int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		if _, rest, _ := strings.Cut(string(b), ") "); strings.HasPrefix(rest, "Z "+strconv.Itoa(os.Getpid())+" ") {
			n++
		}
	}
	return n
}

// What the kernel says of the command is not mixed up with what it says of the
// orphans that were collected beside it.
func TestUseOfOrphansThatWereCollectedIsCounted(t *testing.T) {
	const busy = `i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done`
	c := shell(t, `(sh -c '`+busy+`; : >"$GO"' &); while [ ! -e "$GO" ]; do sleep 0.01; done; exit 9`)
	c.Env = append(c.Env, "GO="+t.TempDir()+"/go")
	if e := run(t, c); e.User < 10*time.Millisecond || e.Code != 9 || e.Signal != 0 {
		t.Errorf("exit %+v, want code 9 and the time of the orphan", e)
	}
}
