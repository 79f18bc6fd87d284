//go:build linux

package runner

import (
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner/process"
)

func TestSignalNames(t *testing.T) {
	for n, want := range map[syscall.Signal]string{
		1: "SIGHUP", 9: "SIGKILL", 15: "SIGTERM", 31: "SIGSYS",
		32: "signal 32", 33: "signal 33",
		34: "SIGRTMIN", 37: "SIGRTMIN+3", 49: "SIGRTMIN+15", 50: "SIGRTMAX-14", 63: "SIGRTMAX-1", 64: "SIGRTMAX",
		65: "signal 65",
	} {
		if got := signalName(n); got != want {
			t.Errorf("signal %d: %q, want %q", n, got, want)
		}
	}
}

func TestErrorsOfResults(t *testing.T) {
	zero := 0
	for name, c := range map[string]struct {
		exit process.Exit
		want job.Result
	}{
		"real-time signal": {process.Exit{Signal: 37}, job.Result{Status: job.Failed, Reason: job.Signaled, Signal: "SIGRTMIN+3", Error: "ended by SIGRTMIN+3"}},
		"success, with a process that could not be ended": {
			process.Exit{Waited: "PID 7 (sleep, root)"},
			job.Result{Status: job.Completed, ExitCode: &zero, Error: "waited for PID 7 (sleep, root), which could not be ended"},
		},
		"time limit, with processes that could not be ended": {
			process.Exit{Waited: "PID 7 (sleep, root)", TimedOut: true, Signal: syscall.SIGKILL},
			job.Result{Status: job.Failed, Reason: job.TimedOut, Signal: "SIGKILL", Error: "timed out after 1s; waited for PID 7 (sleep, root), which could not be ended"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, result(c.exit, time.Second)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
