//go:build !linux

package process

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// maxRSSUnit: ru_maxrss counts bytes on macOS, getrusage(2).
const maxRSSUnit = 1

// Subreaper does nothing: this system has no subreapers, and a process that leaves its
// command's group is not found.
func Subreaper() error { return nil }

// CloseOnExec does nothing: this system cannot mark all descriptors at once.
func CloseOnExec() {}

// BootID is empty: after a reboot of the machine, only the runner's free lock shows
// that it is dead.
func BootID() (string, error) { return "", nil }

// StartTime returns 0: this system does not show it in a file.
func StartTime(int) (int64, error) { return 0, nil }

// Signal sends sig to the process with this PID, or returns os.ErrProcessDone.
func Signal(pid int, _ int64, sig unix.Signal) error {
	err := unix.Kill(pid, sig)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// tree is the process group of a command.
type tree struct {
	group int
	told  bool // it has got SIGTERM already
}

func newTree(group int) tree { return tree{group: group} }

// lives reports whether the group still has members.
func (t *tree) lives() bool { return unix.Kill(-t.group, 0) == nil }

// signal signals the group of the command, SIGTERM only once. It returns 1 and
// the group if there is one.
func (t *tree) signal(sig unix.Signal, _ bool) (int, []stat) {
	if sig == unix.SIGTERM && t.told {
		sig = 0
	}
	t.told = true
	if unix.Kill(-t.group, sig) != nil {
		return 0, nil
	}
	return 1, []stat{{pid: t.group}}
}

// stat is a process or a group of processes.
type stat struct {
	pid     int
	refused bool
}

func (s stat) survivor() Survivor {
	return Survivor{PID: s.pid, Name: "process group", User: "?", Refused: s.refused}
}

// KillMarked finds nothing: other processes' environments cannot be read here.
func KillMarked(Mark, time.Duration) (int, error) { return 0, nil }
