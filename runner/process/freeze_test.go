//go:build linux

package process_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/runner/process"
)

// steered runs a command, and calls do once it has run for a moment.
func steered(t *testing.T, c process.Command, do func(c *process.Control, over <-chan struct{}, cancel func())) process.Exit {
	t.Helper()
	cancel := make(chan struct{})
	c.Control = new(process.Control)
	c.Beside = func(over <-chan struct{}) { do(c.Control, over, func() { close(cancel) }) }
	return process.Run(c, cancel)
}

// allIn reports whether there are so many processes with the setting, all in this state.
func allIn(t *testing.T, setting string, n int, want string) bool {
	t.Helper()
	pids := carrying(t, setting)
	for _, pid := range pids {
		if state(pid) != want {
			return false
		}
	}
	return len(pids) == n
}

func TestTheClockOfAFrozenTreeStandsStill(t *testing.T) {
	c := shell(t, stubborn)
	c.Timeout, c.Grace = 2*time.Second, 50*time.Millisecond
	m := mark(t, &c)
	next := lines(t, &c)
	begin := time.Now()
	e := steered(t, c, func(control *process.Control, over <-chan struct{}, _ func()) {
		for range stubbornShells {
			next()
		}
		running := len(carrying(t, m))
		control.Freeze(true, over)
		testkit.Eventually(t, "all of the tree is stopped", func() bool { return allIn(t, m, running, "T") })
		testkit.Eventually(t, "the time limit would be over", func() bool { return time.Since(begin) > c.Timeout+time.Second })
		if !allIn(t, m, running, "T") {
			t.Errorf("a frozen tree did not stay as it was")
		}
		control.Freeze(false, over)
		testkit.Eventually(t, "the tree goes on", func() bool { return allIn(t, m, running, "S") || len(carrying(t, m)) < running })
	})
	if !e.TimedOut {
		t.Errorf("exit %+v, want the time limit to strike after all", e)
	}
	wantNone(t, m)
}

func TestAFrozenTreeThatIsCancelledGoesOnFirst(t *testing.T) {
	c := shell(t, `trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done`)
	m := mark(t, &c)
	next := lines(t, &c)
	e := steered(t, c, func(control *process.Control, over <-chan struct{}, cancel func()) {
		next()
		control.Freeze(true, over)
		cancel()
		<-over
	})
	if !e.Cancelled || e.Code != 7 {
		t.Errorf("exit %+v, want cancelled, with what the command itself does at SIGTERM", e)
	}
	wantNone(t, m)
}

func TestWhatWasStoppedBeforeStaysSo(t *testing.T) {
	c := shell(t, `sh -c 'kill -STOP $$; exit 0' & echo $!; while :; do sleep 0.01; done`)
	m := mark(t, &c)
	next := lines(t, &c)
	steered(t, c, func(control *process.Control, over <-chan struct{}, cancel func()) {
		var stopped int
		for _, d := range next() {
			stopped = 10*stopped + int(d-'0')
		}
		testkit.Eventually(t, "it has stopped itself", func() bool { return state(stopped) == "T" })
		control.Freeze(true, over)
		control.Freeze(false, over)
		if s := state(stopped); s != "T" {
			t.Errorf("what had stopped itself is in state %q, want T", s)
		}
		cancel()
		<-over
	})
	wantNone(t, m)
}

func TestASignalGoesToTheGroup(t *testing.T) {
	c := shell(t, `
exec 2>/dev/null # the shell says that the signal ended sleep
trap 'echo got; exit 5' USR1
setsid sh -c 'trap "echo stranger" USR1; echo up; while :; do sleep 0.01; done' &
echo up; while :; do sleep 0.01; done`)
	m := mark(t, &c)
	next := lines(t, &c)
	e := steered(t, c, func(control *process.Control, over <-chan struct{}, _ func()) {
		next()
		next()
		control.Signal(unix.SIGUSR1, over)
		if line := next(); line != "got" {
			t.Errorf("printed %q, want what the command does at SIGUSR1, and nothing of what has left its group", line)
		}
		<-over
	})
	if e.Code != 5 || e.Cancelled {
		t.Errorf("exit %+v, want what the command does at SIGUSR1", e)
	}
	wantNone(t, m)
}
