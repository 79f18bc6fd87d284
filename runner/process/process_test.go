//go:build linux

package process_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/runner/process"
)

// withoutUsage leaves out what differs from run to run.
var withoutUsage = cmpopts.IgnoreFields(process.Exit{}, "User", "System", "MaxRSS")

func TestExitSaysHowTheCommandEnded(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         process.Exit
	}{
		{"success", "true", process.Exit{}},
		{"code 1", "exit 1", process.Exit{Code: 1}},
		{"code 255", "exit 255", process.Exit{Code: 255}},
		{"as if by a signal", "exit 137", process.Exit{Code: 137}},
		{"SIGKILL", "kill -KILL $$", process.Exit{Signal: unix.SIGKILL}},
		{"SIGTERM", "kill -TERM $$", process.Exit{Signal: unix.SIGTERM}},
		{"SIGSEGV", "kill -SEGV $$", process.Exit{Signal: unix.SIGSEGV}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, shell(t, c.script))
			if diff := cmp.Diff(c.want, got, withoutUsage); diff != "" {
				t.Errorf("exit (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommandThatCannotStartSaysWhy(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain", "#!/bin/sh\n", 0o600)
	noLine := write("no-line", "echo hello\n", 0o700)
	noInterpreter := write("no-interpreter", "#!/no/such/interpreter\n", 0o700)
	for _, c := range []struct {
		name    string
		command string
		change  func(*process.Command)
		want    []string // in the error
	}{
		{"not in PATH", "no-such-command-xyz", nil, []string{"no-such-command-xyz", "not found"}},
		{"no PATH", "sh", func(c *process.Command) { c.Env = nil }, []string{"sh", "not found"}},
		{"no such file", dir + "/absent", nil, []string{dir + "/absent", "no such file"}},
		{"no such file, relative", "./absent", func(c *process.Command) { c.Dir = dir }, []string{dir + "/absent", "no such file"}},
		{"not executable", plain, nil, []string{plain, "not executable"}},
		{"not executable, in PATH", "plain", func(c *process.Command) { c.Env = []string{"PATH=" + dir} }, []string{plain, "not executable"}},
		{"directory", dir, nil, []string{dir, "is a directory"}},
		{"no #! line", noLine, nil, []string{noLine, "#!"}},
		{"missing interpreter", noInterpreter, nil, []string{noInterpreter, "interpreter"}},
		{"missing working directory", "true", func(c *process.Command) { c.Dir = dir + "/absent" }, []string{"working directory", dir + "/absent", "no such file"}},
		{"working directory is a file", "true", func(c *process.Command) { c.Dir = plain }, []string{"working directory", plain, "not a directory"}},
		{"arguments too large", "true", func(c *process.Command) { c.Args = []string{strings.Repeat("x", 4<<20)} }, []string{"true", "arguments and environment are larger"}},
		{"environment too large", "true", func(c *process.Command) { c.Env = append(c.Env, "X="+strings.Repeat("x", 4<<20)) }, []string{"true", "arguments and environment are larger"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := command(t, c.command)
			if c.change != nil {
				c.change(&cmd)
			}
			e := process.Run(cmd, nil)
			if e.StartErr == nil {
				t.Fatalf("it started, and ended with %+v", e)
			}
			for _, part := range c.want {
				if !strings.Contains(e.StartErr.Error(), part) {
					t.Errorf("error %.300q does not say %q", e.StartErr, part)
				}
			}
			if e.StartErr = nil; e != (process.Exit{}) {
				t.Errorf("beside StartErr there is %+v", e)
			}
			if got := output(t, cmd); got != "" {
				t.Errorf("output %q", got)
			}
		})
	}
}

func TestCommandIsLookedUpInItsOwnPath(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "greet")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"hello from $0\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, command, dir, path, want string }{
		{"absolute", script, "/", "", "hello from " + script},
		{"relative to the working directory", "./greet", dir, "", "hello from " + script},
		{"in PATH", "greet", "/", "PATH=/no/such:" + dir, "hello from " + script},
		{"in a relative folder of PATH", "greet", filepath.Dir(dir), "PATH=" + filepath.Base(dir), "hello from " + script},
		{"in an empty folder of PATH", "greet", dir, "PATH=/no/such:", "hello from " + script},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := command(t, c.command)
			cmd.Dir, cmd.Env = c.dir, []string{c.path}
			if e := run(t, cmd); e.Code != 0 {
				t.Errorf("exit code %d", e.Code)
			}
			if got := strings.TrimSpace(output(t, cmd)); got != c.want {
				t.Errorf("output %q, want %q", got, c.want)
			}
		})
	}
}

func TestCommandGetsItsNameArgumentsAndEnvironmentAsTheyAre(t *testing.T) {
	args := []string{"", "a b", "'\"$HOME`", "*", "-n", "new\nline", "é ☃", "\xff"}
	c := command(t, "sh", append([]string{"-c", `printf '<%s>' "$@"; printf '<%s>' "$X"; pwd`, "name"}, args...)...)
	c.Env = append(c.Env, "X=two\nlines = 2")
	run(t, c)
	want := "<" + strings.Join(args, "><") + "><two\nlines = 2>" + c.Dir + "\n"
	if got := output(t, c); got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

func TestEnvironmentIsTheWholeEnvironment(t *testing.T) {
	t.Setenv("PROCESS_TEST_LEAK", "1")
	c := command(t, "env")
	c.Env = append(c.Env, "X=1")
	run(t, c)
	if got, want := output(t, c), strings.Join(c.Env, "\n")+"\n"; got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
}

func TestBothOutputsGoToTheFileInOrder(t *testing.T) {
	c := shell(t, "echo one; echo two >&2; echo three")
	run(t, c)
	if got, want := output(t, c), "one\ntwo\nthree\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

func TestStandardInputIsEmpty(t *testing.T) {
	ours, err := os.Open("/proc/self/status") // the real one of a test is empty already
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer func(was *os.File) { os.Stdin = was }(os.Stdin)
	os.Stdin = ours
	c := shell(t, "readlink /proc/$$/fd/0; wc -c")
	run(t, c)
	if got, want := strings.Fields(output(t, c)), []string{"/dev/null", "0"}; !cmp.Equal(got, want) {
		t.Errorf("input is, and has bytes: %q, want %q", got, want)
	}
}

func TestCommandInheritsNoDescriptorButTheThree(t *testing.T) {
	// A descriptor as a shell hands it on, say of a lock file.
	leak, err := unix.Open(os.DevNull, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak)
	c := shell(t, "ls /proc/$$/fd; true")
	run(t, c)
	if got, want := strings.Fields(output(t, c)), []string{"0", "1", "2"}; !cmp.Equal(got, want) {
		t.Errorf("descriptors %q, want %q", got, want)
	}
}

func TestCommandStartsWithDefaultSignalHandling(t *testing.T) {
	// What a runner does; else a nohup in front of it would go on to its commands.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT)
	defer signal.Stop(signals)
	c := command(t, "grep", "^Sig[BI]", "/proc/self/status")
	run(t, c)
	var blocked, ignored uint64
	if _, err := fmt.Sscanf(output(t, c), "SigBlk:\t%x\nSigIgn:\t%x", &blocked, &ignored); err != nil {
		t.Fatal(err)
	}
	// Two signals are for the C library alone. Go leaves them as they were, and
	// some programs start others with both ignored.
	const ofTheCLibrary = 1<<(32-1) | 1<<(33-1)
	if ignored &^= ofTheCLibrary; blocked != 0 || ignored != 0 {
		t.Errorf("blocked signals %x, ignored %x, want none", blocked, ignored)
	}
}

func TestCommandLeadsAProcessGroupOfItsOwn(t *testing.T) {
	c := shell(t, "echo $$; cat /proc/$$/stat")
	run(t, c)
	var leader, pid, parent, group int
	var name, state string
	if _, err := fmt.Sscan(output(t, c), &leader, &pid, &name, &state, &parent, &group); err != nil {
		t.Fatal(err)
	}
	if group != leader || parent != os.Getpid() {
		t.Errorf("process %d is in group %d, child of %d; want its own group, child of %d", leader, group, parent, os.Getpid())
	}
}

func TestUseOfResourcesIsCounted(t *testing.T) {
	const busy = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done"
	for _, c := range []struct{ name, script string }{
		{"of the command", busy},
		{"of its children", "(" + busy + "); true"},
		{"of what it has left behind", "(trap '' TERM; " + busy + "; exec sleep 1000) & sleep 0.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := shell(t, c.script)
			cmd.Grace = time.Second
			e := run(t, cmd)
			if e.User+e.System <= 0 {
				t.Errorf("CPU time %s in user mode, %s in the kernel", e.User, e.System)
			}
			if e.MaxRSS < 100<<10 || e.MaxRSS > 1<<30 {
				t.Errorf("peak memory %d bytes is not that of a shell", e.MaxRSS)
			}
		})
	}
}

func TestExitOfACommandThatWasNotThereLeavesNoChild(t *testing.T) {
	process.Run(command(t, "no-such-command-xyz"), nil)
	var ws syscall.WaitStatus
	if pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("wait: %d, %v, want ECHILD", pid, err)
	}
}
