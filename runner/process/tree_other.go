//go:build !linux

package process

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// maxRSSUnit: ru_maxrss counts bytes on macOS, getrusage(2).
const maxRSSUnit = 1

// Subreaper does nothing: this system has no subreapers, and a process that
// leaves the group of its command is not found again.
func Subreaper() error { return nil }

// CloseOnExec does nothing: this system cannot mark all descriptors at once.
func CloseOnExec() {}

// BootID is empty: a restart of the machine shows by the runner's lock alone.
func BootID() (string, error) { return "", nil }

// StartTime is 0: this system does not show it in a file.
func StartTime(int) (int64, error) { return 0, nil }

// Signal sends sig to the process with this PID, or returns os.ErrProcessDone.
func Signal(pid int, _ int64, sig unix.Signal) error {
	err := unix.Kill(pid, sig)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// signalTree signals the group of the command, and returns 1 if there is one.
func signalTree(pgid int, sig unix.Signal) int {
	if unix.Kill(-pgid, sig) != nil {
		return 0
	}
	return 1
}

// KillMarked finds nothing: other processes' environments cannot be read here.
func KillMarked(string, ...string) (int, error) { return 0, nil }
