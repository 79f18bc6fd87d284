//go:build linux

package process_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/runner/process"
)

// envThread makes this program one whose first thread ends while another runs
// on. To the system it then looks like a zombie.
const envThread = "PROCESS_TEST_THREAD"

func init() {
	if os.Getenv(envThread) == "" {
		return
	}
	go func() {
		for !looksDead() {
			runtime.Gosched()
		}
		fmt.Println("up")
		for {
			_ = unix.Pause()
		}
	}()
	_, _, _ = syscall.Syscall(unix.SYS_EXIT, 0, 0, 0) // init runs in the first thread
}

// looksDead reports whether this process is shown as a zombie.
func looksDead() bool {
	stat, err := os.ReadFile("/proc/self/stat")
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}

// headless is a command whose first thread has ended when it says "up".
func headless(t *testing.T) process.Command {
	c := command(t, os.Args[0])
	c.Env = append(c.Env, envThread+"=1")
	return c
}

func TestACommandWhoseFirstThreadHasEndedIsCancelled(t *testing.T) {
	c := headless(t)
	next := lines(t, &c)
	cancel := make(chan struct{})
	go func() {
		next()
		close(cancel)
	}()
	begin := time.Now()
	if e := process.Run(c, cancel); !e.Cancelled || time.Since(begin) > c.Grace {
		t.Errorf("exit %+v after %s, want cancelled", e, time.Since(begin))
	}
}

func TestAMarkedProcessWhoseFirstThreadHasEndedIsKilled(t *testing.T) {
	c := headless(t)
	m := mark(t, &c)
	next := lines(t, &c)
	ended := make(chan process.Exit, 1)
	go func() { ended <- process.Run(c, nil) }()
	next()
	if n, err := killMarked(m); n != 1 || err != nil {
		t.Errorf("killed %d, %v, want 1", n, err)
	}
	if e := <-ended; e.Signal != unix.SIGKILL {
		t.Errorf("exit %+v, want killed", e)
	}
}
