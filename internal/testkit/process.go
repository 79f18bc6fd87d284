package testkit

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"
)

// Process is another process that a test talks with. It is killed at the end of
// the test.
type Process struct {
	*exec.Cmd
	In  io.WriteCloser // its standard input
	Out *bufio.Reader  // what it writes to its standard output
}

// Again is the test binary, to be run as another process with more settings in
// its environment ("KEY=VALUE"), by which TestMain knows what it is to do.
func Again(settings ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	// With the race detector, a process would sleep for a second before it ends.
	cmd.Env = append(append(os.Environ(), settings...), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// Start starts a process. Its standard error is that of the test, if the command
// does not say anything else.
func Start(t *testing.T, cmd *exec.Cmd) *Process {
	t.Helper()
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	p := Prepare(t, cmd)
	p.Begin(t)
	return p
}

// Prepare is Start without the start, for who has the pipes of the command to
// set. Begin follows.
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

// Begin starts a process that was prepared.
func (p *Process) Begin(t *testing.T) {
	t.Helper()
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
}

// Kill ends the process with SIGKILL and waits for that. Nothing happens to a
// process that has been waited for.
func (p *Process) Kill() {
	_ = p.Process.Kill()
	_ = p.Wait()
}

// End closes the input of the process, which is to end on that, and waits until
// it has.
func (p *Process) End() {
	p.In.Close()
	_ = p.Wait()
}
