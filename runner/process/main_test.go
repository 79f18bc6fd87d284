//go:build linux

package process_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/air-executor/air-executor/runner/process"
)

// As a runner is, this process is a subreaper. It has no children but those of
// the running test; so no test here may be parallel.
func TestMain(m *testing.M) {
	if err := process.Subreaper(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// shell is a command that runs a script, with limits that it does not reach.
func shell(t *testing.T, script string) process.Command {
	t.Helper()
	return command(t, "sh", "-c", script)
}

func command(t *testing.T, name string, args ...string) process.Command {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return process.Command{
		Name: name, Args: args, Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")},
		Output: out, Timeout: time.Minute, Grace: time.Minute,
	}
}

// output is what a command has written.
func output(t *testing.T, c process.Command) string {
	t.Helper()
	b, err := os.ReadFile(c.Output.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// run runs a command that nobody cancels, and which must start.
func run(t *testing.T, c process.Command) process.Exit {
	t.Helper()
	e := process.Run(c, nil)
	if e.StartErr != nil {
		t.Fatal(e.StartErr)
	}
	return e
}

// mark puts a setting into the environment of a command, by which all that
// comes of the command can be found. At the end of the test there must be nothing.
func mark(t *testing.T, c *process.Command) string {
	t.Helper()
	m := "PROCESS_TEST=" + uuid.NewString()
	c.Env = append(c.Env, m)
	return m
}

// carrying lists the processes, zombies left out, with the setting in their environment.
func carrying(t *testing.T, setting string) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		env, err := os.ReadFile(f)
		if err == nil && slices.ContainsFunc(bytes.Split(env, []byte{0}), func(kv []byte) bool { return string(kv) == setting }) {
			pid, _ := strconv.Atoi(strings.Split(f, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// wantNone fails the test if a process with the setting lives.
func wantNone(t *testing.T, setting string) {
	t.Helper()
	if left := carrying(t, setting); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// lines makes a pipe of the command's output. The function that it returns
// reads the next line.
func lines(t *testing.T, c *process.Command) func() string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	c.Output = w
	in := bufio.NewReader(r)
	return func() string {
		line, err := in.ReadString('\n')
		if err != nil && err != io.EOF {
			t.Error(err)
		}
		return strings.TrimSpace(line)
	}
}

// state is the letter for the state of a process, see proc_pid_stat(5).
func state(pid int) string {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := bytes.Cut(b, []byte(") "))
	return string(after[:min(1, len(after))])
}

// killMarked kills what has this setting in its environment.
func killMarked(setting string) (int, error) {
	return process.KillMarked(process.Mark{Setting: setting}, 10*time.Second)
}
