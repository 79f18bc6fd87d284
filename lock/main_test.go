//go:build linux

package lock_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/internal/testkit"
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

// start starts a child that must say that it is ready. It inherits the files as
// descriptors 3 and up.
func start(t *testing.T, what string, inherit ...*os.File) *testkit.Process {
	t.Helper()
	p := launch(t, what, inherit...)
	if err := ready(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// launch is start without the wait until the child is ready.
func launch(t *testing.T, what string, inherit ...*os.File) *testkit.Process {
	t.Helper()
	cmd := testkit.Again(envChild + "=" + what)
	cmd.ExtraFiles = inherit
	return testkit.Start(t, cmd)
}

// ready waits until a child says that it is ready.
func ready(p *testkit.Process) error {
	if line, err := p.Out.ReadString('\n'); line != "ready\n" {
		return fmt.Errorf("process %d said %q, %v", p.Process.Pid, line, err)
	}
	return nil
}

// endings are the ways in which a child ends.
var endings = []struct {
	name string
	how  func(*testkit.Process)
}{
	{"by itself", (*testkit.Process).End},
	{"by being killed", (*testkit.Process).Kill},
}
