package runner

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner/process"
)

// result translates how a command ended into the result of a task.
func result(e process.Exit, timeout time.Duration) job.Result {
	if e.StartErr != nil {
		return job.Result{Status: job.Failed, Reason: job.NotStarted, Error: e.StartErr.Error()}
	}
	r := job.Result{Status: job.Failed, UserTime: e.User, SystemTime: e.System, MaxRSS: e.MaxRSS}
	if e.Signal != 0 {
		r.Signal = signalName(e.Signal)
	} else {
		r.ExitCode = &e.Code
	}
	switch {
	case e.TimedOut:
		r.Reason, r.Error = job.TimedOut, "timed out after "+job.TimeoutText(timeout)
	case e.Cancelled:
		r.Reason, r.Error = job.Cancelled, "cancelled while it ran"
	case e.TooMuch:
		r.Reason, r.Error = job.TooMuchOutput, "wrote more than max_log_size allows"
	case e.Signal == unix.SIGKILL && e.Asked:
		r.Reason, r.Error = job.Signaled, "killed by SIGKILL, as somebody asked with air-executor kill"
	case e.Signal == unix.SIGKILL:
		r.Reason, r.Error = job.Signaled, "killed by SIGKILL, not by air-executor (out of memory?)"
	case e.Signal != 0:
		r.Reason, r.Error = job.Signaled, "ended by "+r.Signal
	case e.Code != 0:
		r.Reason, r.Error = job.Exited, fmt.Sprintf("exit code %d", e.Code)
	default:
		r.Status = job.Completed
	}
	for _, more := range remarks(e) {
		r.Error = strings.TrimPrefix(r.Error+"; "+more, "; ")
	}
	return r
}

// remarks returns what a user should know about the end of a command besides its cause.
func remarks(e process.Exit) (out []string) {
	if e.Waited != "" {
		out = append(out, "waited for "+e.Waited+", which could not be ended")
	}
	if e.Lost > 0 {
		out = append(out, fmt.Sprintf("%d bytes of its output are missing from the log: %v", e.Lost, e.LostErr))
	}
	return out
}

// signalName returns the name of a signal. Real-time signals are named as in bash: in
// the first half of the range relative to SIGRTMIN, in the second half relative to
// SIGRTMAX.
func signalName(sig syscall.Signal) string {
	const first, middle, last = 34, 49, 64
	name := unix.SignalName(sig)
	switch {
	case name != "":
		return name
	case runtime.GOOS != "linux" || sig < first || sig > last:
		return fmt.Sprintf("signal %d", int(sig))
	case sig == first:
		return "SIGRTMIN"
	case sig <= middle:
		return fmt.Sprintf("SIGRTMIN+%d", sig-first)
	case sig < last:
		return fmt.Sprintf("SIGRTMAX-%d", last-sig)
	}
	return "SIGRTMAX"
}

// NoteMark begins the lines in a log that are written by air-executor and not by the
// command.
const NoteMark = "[air-executor]"

// note adds our own lines to the log if the output alone does not explain the end.
func note(log *os.File, e process.Exit, r job.Result) {
	if r.Reason != "" && r.Reason != job.Exited {
		writeNote(log, r.Error)
		return
	}
	for _, line := range remarks(e) {
		writeNote(log, line)
	}
	if e.Leftover > 0 && e.Waited == "" {
		writeNote(log, fmt.Sprintf("ended what the command had left behind: %d of its processes", e.Leftover))
	}
}

// writeNote adds one of our own lines to the log.
func writeNote(log *os.File, line string) {
	line = NoteMark + " " + line + "\n"
	if end, err := log.Seek(0, io.SeekEnd); err == nil && end > 0 {
		var last [1]byte
		if _, err := log.ReadAt(last[:], end-1); err == nil && last[0] != '\n' {
			line = "\n" + line
		}
	}
	// The result is in the database; the log is a courtesy.
	_, _ = io.WriteString(log, line)
}
