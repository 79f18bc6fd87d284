//go:build linux

package process_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/runner/process"
)

// envVeiled makes this program a process that others of its user may not look
// into, as ssh-agent is. If its file belongs to root and has the set-user-ID bit,
// it becomes one of root's, as sudo does. It ends when the file in the variable
// is there.
const envVeiled = "PROCESS_TEST_VEILED"

func init() {
	end := os.Getenv(envVeiled)
	if end == "" || len(os.Args) < 2 || os.Args[1] != "veiled" {
		return
	}
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	if unix.Geteuid() == 0 {
		_ = syscall.Setresuid(0, 0, 0)
	}
	fmt.Println("up", os.Getpid(), unix.Geteuid())
	for range time.Tick(5 * time.Millisecond) {
		if _, err := os.Stat(end); err == nil {
			os.Exit(0)
		}
	}
}

const nobody = 65534

// asNobody runs the test as a user other than root: in a separate process, if the tests
// are run by root. It returns false in the process that has nothing more to do. The
// program at the path in PROCESS_TEST_ROOT has the set-user-ID bit.
func asNobody(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	dir, err := os.MkdirTemp("", "process-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for name, mode := range map[string]os.FileMode{"test": 0o755, "root": 0o755 | os.ModeSetuid} {
		copyFile(t, os.Args[0], filepath.Join(dir, name), mode)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "test"), "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir, "PROCESS_TEST_ROOT="+filepath.Join(dir, "root"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	for { // what it has left comes to this process, which is a subreaper
		var ws syscall.WaitStatus
		if _, err := syscall.Wait4(-1, &ws, 0, nil); err != nil && err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	} else if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("as nobody:\n%s", out)
	}
	return false
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o700)
	}
	if err == nil {
		err = os.Chmod(to, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// veiled is a command whose script may start "$VEILED" veiled.
func veiled(t *testing.T, program, script string) (c process.Command, end string) {
	t.Helper()
	c = shell(t, script)
	end = filepath.Join(t.TempDir(), "end")
	c.Env = append(c.Env, "VEILED="+program, envVeiled+"="+end)
	t.Cleanup(func() { _ = os.WriteFile(end, nil, 0o600) })
	return c, end
}

// rootProgram is the path of a program that becomes one of root's.
func rootProgram(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PROCESS_TEST_ROOT")
	if path == "" {
		t.Skip("only root can prepare this")
	}
	return path
}

// leader starts a command that leads a session, as a runner does.
func leader(t *testing.T, c process.Command) (*exec.Cmd, process.Mark) {
	t.Helper()
	cmd := beside(t, c, syscall.SysProcAttr{Setsid: true})
	began, err := process.StartTime(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, process.Mark{Session: cmd.Process.Pid, SessionStart: began}
}

// A manager that could not read the environment of a process did not find it, and
// recorded its task as lost while it was running.
func TestKillMarkedFindsByItsSessionWhatItMayNotLookIntoWithoutPermission(t *testing.T) {
	if !asNobody(t) {
		return
	}
	c, _ := veiled(t, os.Args[0], `"$VEILED" veiled & exec sleep 1000`)
	setting := mark(t, &c)
	next := lines(t, &c)
	cmd, m := leader(t, c)
	var pid, uid int
	if _, err := fmt.Sscanf(next(), "up %d %d", &pid, &uid); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill() // its child is an orphan then
	_ = cmd.Wait()
	other := m
	other.Setting, other.SessionStart = setting, m.SessionStart+1000
	if n, err := process.KillMarked(other, time.Minute); n != 0 || err != nil {
		t.Errorf("of a later session with that number: killed %d, %v, want 0", n, err)
	}
	m.Setting = setting
	if n, err := process.KillMarked(m, time.Minute); n != 1 || err != nil {
		t.Errorf("killed %d, %v, want 1", n, err)
	}
	testkit.Eventually(t, "it is dead", func() bool { return strings.Contains("ZX", state(pid)) })
}

func TestKillMarkedNamesWhatItMayNotEndWithoutPermission(t *testing.T) {
	if !asNobody(t) {
		return
	}
	c, end := veiled(t, rootProgram(t), `"$VEILED" veiled & exec sleep 1000`)
	setting := mark(t, &c)
	next := lines(t, &c)
	_, m := leader(t, c)
	var pid, uid int
	if _, err := fmt.Sscanf(next(), "up %d %d", &pid, &uid); err != nil || uid != 0 {
		t.Skip("set-user-ID has no effect here", uid, err)
	}
	m.Setting = setting
	_, err := process.KillMarked(m, time.Minute)
	left := process.Survivors(err)
	want := process.Survivor{PID: pid, Name: "root", User: "root", Refused: true}
	if len(left) != 1 || left[0] != want {
		t.Fatalf("KillMarked: %v, want that %v is left", err, want)
	}
	if err := os.WriteFile(end, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "nothing is left", func() bool {
		_, err := process.KillMarked(m, 0)
		return err == nil
	})
}

// A process of root that a task has left, or that it is, cannot be ended by its
// runner. That was swallowed; it is said, and nothing begins beside it.
func TestWhatMayNotBeEndedIsNamedAndWaitedForWithoutPermission(t *testing.T) {
	if !asNobody(t) {
		return
	}
	for name, script := range map[string]string{
		"left behind": `"$VEILED" veiled & sleep 0.1`,
		"the command": `exec "$VEILED" veiled`,
	} {
		c, end := veiled(t, rootProgram(t), script)
		c.Timeout, c.Grace = time.Second, 50*time.Millisecond
		var told [][]process.Survivor
		c.Stuck = func(s []process.Survivor) {
			told = append(told, s)
			if err := os.WriteFile(end, nil, 0o600); err != nil {
				t.Error(err)
			}
		}
		e := run(t, c)
		if !strings.HasSuffix(strings.TrimSpace(output(t, c)), " 0") {
			t.Skip("set-user-ID has no effect here")
		}
		if len(told) != 2 || len(told[0]) != 1 || told[0][0].User != "root" || !told[0][0].Refused || len(told[1]) != 0 {
			t.Errorf("%s: told of %v, want one process of root, and then none", name, told)
		}
		if !strings.Contains(e.Waited, "(root, root)") || e.Code != 0 || e.TimedOut != (name == "the command") {
			t.Errorf("%s: exit %+v", name, e)
		}
	}
}
