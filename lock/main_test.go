//go:build linux

package lock_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/lock"
)

// The test binary runs itself again as another process that holds a lock. What
// such a child does is in this variable, as words that blanks separate.
const envChild = "LOCK_TEST_CHILD"

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(envChild)); len(words) > 0 {
		if err := child(words[0], words[1:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child says "ready" when it has what it was started for, and stays until its
// standard input ends.
func child(what string, args []string) error {
	switch what {
	case "lock":
		l, err := lock.Open(args[0])
		if err != nil {
			return err
		}
		if err := l.Lock(context.Background(), time.Minute); err != nil {
			return err
		}
	case "keep":
		n, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return err
		}
		own, err := lock.Keep(os.NewFile(3, "inherited"), n)
		if err != nil {
			return err
		}
		defer own.Close()
	case "stay":
	case "hand-on":
		grandchild := exec.Command("/proc/self/exe")
		grandchild.Env = append(os.Environ(), envChild+"=stay")
		grandchild.Stdin, grandchild.Stdout = os.Stdin, os.Stdout
		grandchild.ExtraFiles = []*os.File{os.NewFile(3, "inherited")}
		return grandchild.Start() // which says "ready", and keeps our input
	default:
		return fmt.Errorf("no such child: %s", what)
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// process is a child that has said that it is ready.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// start starts a child. It inherits the files as descriptors 3 and up.
func start(t *testing.T, what string, inherit ...*os.File) *process {
	t.Helper()
	p := launch(t, what, inherit...)
	if err := p.ready(); err != nil {
		t.Fatal(err)
	}
	return p.process
}

// launched is a child that has not said yet that it is ready.
type launched struct {
	*process
	ready func() error
}

func launch(t *testing.T, what string, inherit ...*os.File) *launched {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	// With the race detector, a process would sleep for a second before it ends.
	cmd.Env = append(os.Environ(), envChild+"="+what, "GORACE=atexit_sleep_ms=0")
	cmd.ExtraFiles = inherit
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, stdin}
	t.Cleanup(p.kill)
	return &launched{p, func() error {
		if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
			return fmt.Errorf("child %q said %q, %v", what, line, err)
		}
		return nil
	}}
}

// kill ends the child with SIGKILL and waits for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// end lets the child end by itself and waits for that.
func (p *process) end() {
	p.stdin.Close()
	_ = p.cmd.Wait()
}
