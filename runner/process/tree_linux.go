package process

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// maxRSSUnit: ru_maxrss counts kilobytes, getrusage(2).
const maxRSSUnit = 1024

// Subreaper makes orphaned descendants of this process its children, so that none can
// escape by leaving its group and session.
func Subreaper() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// CloseOnExec prevents commands from inheriting the descriptors that this process has
// inherited besides the three standard ones, such as the lock file of the script that
// started the manager. (Go takes care of the files that it opens itself.)
func CloseOnExec() {
	// Linux before 5.11 cannot do this; there they are inherited.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}

// BootID identifies this boot of the machine.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

// StartTime returns when the process started, in clock ticks since boot. Together with
// BootID and PID it identifies a process uniquely.
func StartTime(pid int) (int64, error) {
	var l look
	s, err := l.stat(pid)
	return s.start, err
}

// Signal sends sig to the process with this PID and start time. It returns
// os.ErrProcessDone if that process has ended, even if another has its PID.
func Signal(pid int, start int64, sig unix.Signal) error {
	var l look
	err := l.send(pid, start, sig)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	return nil
}

// send sends signals to the process with this PID and start time, or returns ESRCH if
// it has ended.
func (l *look) send(pid int, start int64, signals ...unix.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	switch {
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EINVAL):
		return unix.ESRCH
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		fd = -1 // an old kernel, or a container without pidfds: use the PID
	case err != nil:
		return err
	default:
		defer unix.Close(fd)
	}
	// While the descriptor is open, the PID is not given to another process.
	if now, err := l.stat(pid); err != nil || now.start != start {
		return unix.ESRCH
	}
	for _, sig := range signals {
		if fd < 0 {
			err = unix.Kill(pid, sig)
		} else {
			err = unix.PidfdSendSignal(fd, sig, nil, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tree is the descendants of this process.
type tree struct {
	look   look
	in     map[int]bool
	rounds map[id]int // the round of signals in which a process got SIGTERM; spared: not yet
	round  int

	group   int         // of the command
	stopped map[id]bool // by freeze
}

// spared is the round of a process that was started by one that had got SIGTERM
// already, usually to clean up.
const spared = -1

// id identifies a process uniquely.
type id struct {
	pid   int
	start int64
}

func newTree(group int) tree { return tree{in: map[int]bool{}, rounds: map[id]int{}, group: group} }

// lives is always false: all orphaned descendants become children of a subreaper, so
// nothing is left when it has no children.
func (t *tree) lives() bool { return false }

// signal signals every living descendant of this process, in any group or session;
// SIGTERM only goes to those that have not got it yet. With spare, processes are left
// alone that were started by one that had got SIGTERM already. It returns how many
// descendants there are, and for SIGKILL also the list of them.
func (t *tree) signal(sig unix.Signal, spare bool) (int, []stat) {
	self := os.Getpid()
	clear(t.in)
	t.in[self] = true
	all := t.look.descendants(t.in)
	t.round++
	for i := range all {
		s := &all[i]
		if sig != unix.SIGTERM {
			s.refused = errors.Is(t.look.send(s.pid, s.start, sig), unix.EPERM)
			continue
		}
		name := id{s.pid, s.start}
		switch before, known := t.rounds[name]; {
		case known && (before != spared || spare):
		case !known && spare && t.cleans(s.ppid, all[:i]):
			t.rounds[name] = spared
		default:
			t.rounds[name] = t.round
			// A stopped process does not handle other signals.
			_ = t.look.send(s.pid, s.start, sig, unix.SIGCONT)
		}
	}
	return len(all), all
}

// cleans reports whether a new process with this parent was probably started to
// clean up: the parent got SIGTERM in an earlier round and is still alive. Parents
// come before their children.
func (t *tree) cleans(ppid int, before []stat) bool {
	for _, s := range before {
		if s.pid == ppid {
			round, known := t.rounds[id{s.pid, s.start}]
			return known && round < t.round
		}
	}
	return false
}
