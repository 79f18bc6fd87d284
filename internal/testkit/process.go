package testkit

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"
)

// Process is a process that a test communicates with. It is killed at the end of the
// test.
type Process struct {
	*exec.Cmd
	In  io.WriteCloser // its standard input
	Out *bufio.Reader  // what it writes to its standard output
}

// Again returns a command that runs the test binary as another process, with these
// settings ("KEY=VALUE") added to its environment, which tell TestMain what to do.
func Again(settings ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	// With the race detector, a process would sleep for a second before it ends.
	cmd.Env = append(append(os.Environ(), settings...), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// Start starts a process. Its standard error is that of the test, unless the command
// sets another.
func Start(t *testing.T, cmd *exec.Cmd) *Process {
	t.Helper()
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	p := Prepare(t, cmd)
	p.Begin(t)
	return p
}

// Prepare is Start without starting the process, so that the caller can set the pipes
// of the command. Call Begin afterwards.
func Prepare(t *testing.T, cmd *exec.Cmd) *Process {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return &Process{cmd, in, bufio.NewReader(out)}
}

// Begin starts a prepared process.
func (p *Process) Begin(t *testing.T) {
	t.Helper()
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
}

// Kill ends the process with SIGKILL and waits for its exit. It does nothing to a
// process that was waited for.
func (p *Process) Kill() {
	_ = p.Process.Kill()
	_ = p.Wait()
}

// End closes the input of the process, which must make it exit, and waits for its exit.
func (p *Process) End() {
	p.In.Close()
	_ = p.Wait()
}
