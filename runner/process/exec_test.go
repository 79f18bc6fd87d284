//go:build linux

package process_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A process that is just becoming another program shows neither environment
// nor arguments for a moment, and was passed over.
func TestAMarkedProcessThatBecomesAnotherProgramIsKilled(t *testing.T) {
	for range 50 {
		c := shell(t, `echo up; exec sh -c "$AGAIN"`)
		c.Env = append(c.Env, `AGAIN=exec sh -c "$AGAIN"`)
		m := mark(t, &c)
		next := lines(t, &c)
		cmd := background(t, c)
		next()
		if n, err := killMarked(m); n != 1 || err != nil {
			t.Errorf("killed %d, %v, want 1", n, err)
			_ = cmd.Process.Kill()
		}
		wantSignal(t, cmd, unix.SIGKILL)
	}
}
