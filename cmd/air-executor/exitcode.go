package main

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// The exit codes of shells and of timeout(1) for a command without an exit code of its
// own.
const (
	shellNotFound = 127
	shellTimedOut = 124
	shellSignal   = 128 // and the number of the signal
)

// failure is the exit code of a run that has failed.
func (c *runCmd) failure(o queue.Outcome) int {
	if c.ExitCode != "command" || o.Task == nil {
		return exitFailed
	}
	switch o.Task.Reason {
	case job.Exited:
		if o.Task.ExitCode != nil {
			return *o.Task.ExitCode
		}
	case job.Signaled:
		if n := signalNumber(o.Task.Signal); n > 0 {
			return shellSignal + n
		}
	case job.TimedOut:
		return shellTimedOut
	case job.NotStarted:
		return shellNotFound
	}
	return exitFailed
}

// signalNumber returns the number of a signal by its name, or 0. Real-time signals are
// SIGRTMIN+N or SIGRTMAX-N, or "signal N".
func signalNumber(name string) int {
	const least, most = 34, 64 // of the real-time signals, as the C library counts
	if n := unix.SignalNum(name); n > 0 {
		return int(n)
	}
	for prefix, base := range map[string]int{"signal ": 0, "SIGRTMIN": least, "SIGRTMAX": most} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			n, err := strconv.Atoi(rest)
			if err == nil || rest == "" && base > 0 {
				return base + n
			}
		}
	}
	return 0
}
