package process

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxRSSUnit: ru_maxrss counts kilobytes, getrusage(2).
const maxRSSUnit = 1024

// Subreaper makes orphaned descendants of this process its children, so that
// none can slip away by leaving its group and session.
func Subreaper() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// CloseOnExec keeps commands from inheriting what this process has inherited
// beyond its three standard files, such as the lock file of the script that has
// started the manager. (Go sees to the files that it opens itself.)
func CloseOnExec() {
	// Linux before 5.11 cannot do this; there they are inherited.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}

// BootID names this start of the machine.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

// StartTime returns when the process started, in clock ticks since boot.
// Together with BootID and PID it names a process for good.
func StartTime(pid int) (int64, error) {
	s, err := readStat(pid)
	return s.start, err
}

// Signal sends sig to the process with this PID and start time. It returns
// os.ErrProcessDone if that process has ended, even if another has its PID.
func Signal(pid int, start int64, sig unix.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	// While the descriptor is open, the PID cannot come to name another process.
	now, err := StartTime(pid)
	if err != nil || now != start {
		return os.ErrProcessDone
	}
	err = unix.PidfdSendSignal(fd, sig, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// stat is what we use of /proc/PID/stat.
type stat struct {
	pid, ppid, pgid int
	state           byte
	threads         int
	start           int64
	kernel          bool // a thread of the kernel
}

// gone reports whether the process has ended. It may be that its first thread
// alone has: then it looks like a zombie, and others still run.
func (s stat) gone() bool { return s.state == 'X' || s.state == 'Z' && s.threads <= 1 }

// kernelThread is PF_KTHREAD, see include/linux/sched.h.
const kernelThread = 0x00200000

// readStat reads fields 3, 4, 5, 9, 20 and 22 of /proc/PID/stat, see proc_pid_stat(5).
func readStat(pid int) (stat, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	// The second field is the name in parentheses, and may hold anything.
	end := bytes.LastIndexByte(b, ')')
	f := strings.Fields(string(b[end+1:]))
	if end < 0 || len(f) < 20 {
		return stat{}, fmt.Errorf("/proc/%d/stat is not as proc_pid_stat(5) says", pid)
	}
	s := stat{pid: pid, state: f[0][0]}
	s.ppid, _ = strconv.Atoi(f[1])
	s.pgid, _ = strconv.Atoi(f[2])
	flags, _ := strconv.ParseInt(f[6], 10, 64)
	s.kernel = flags&kernelThread != 0
	s.threads, _ = strconv.Atoi(f[17])
	s.start, _ = strconv.ParseInt(f[19], 10, 64)
	return s, nil
}

// processes lists every living process that /proc shows.
func processes() []stat {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var out []stat
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil && !s.gone() {
			out = append(out, s)
		}
	}
	return out
}

// signalTree signals every descendant of this process, whatever group or
// session it is in, and returns how many it found.
func signalTree(_ int, sig unix.Signal) int {
	pids := descendants(os.Getpid())
	for _, pid := range pids {
		_ = unix.Kill(pid, sig)
		if sig == unix.SIGTERM {
			_ = unix.Kill(pid, unix.SIGCONT) // a stopped process takes no other signal
		}
	}
	return len(pids)
}

// descendants lists the living processes below root.
func descendants(root int) []int {
	in := map[int]bool{root: true}
	return closure(in, processes(), func(s stat) bool { return in[s.ppid] })
}

// closure adds to the set in every process that belongs, until none is added,
// and returns those added.
func closure(in map[int]bool, all []stat, belongs func(stat) bool) []int {
	var out []int
	for grown := true; grown; {
		grown = false
		for _, s := range all {
			if !in[s.pid] && belongs(s) {
				in[s.pid], grown = true, true
				out = append(out, s.pid)
			}
		}
	}
	return out
}

// KillMarked kills every process whose environment contains the setting mark
// ("KEY=VALUE"), or which was started with all of these arguments, with its
// descendants and the members of its group, until there is none, and returns
// how many it found. It is for trees whose runner is gone, so that nobody is
// left who knows them as descendants. It fails if some are still there after
// ten seconds.
//
// One look is not enough to say that there is none. Who forks and ends while
// /proc is read may have a child that the look has missed; and a process that
// is just becoming another program shows neither environment nor arguments.
func KillMarked(mark string, args ...string) (int, error) {
	const (
		enough  = 2   // looks in a row that find none
		veiled  = 100 // looks, after which what shows nothing of itself is taken for a stranger
		patient = 500
	)
	found, none := 0, 0
	for round := range patient {
		pids, unsure := marked(mark, args)
		if none++; len(pids) > 0 || unsure && round < veiled {
			none = 0
		}
		if none == enough {
			return found, nil
		}
		found = max(found, len(pids))
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(min(time.Duration(round+1)*time.Millisecond, 20*time.Millisecond))
	}
	return found, fmt.Errorf("%d processes with %s do not die", found, mark)
}

// marked lists the processes with the mark, their descendants and their
// groups. It is unsure if there is a process that it could not read the mark of.
func marked(mark string, args []string) (out []int, unsure bool) {
	all := processes()
	in := map[int]bool{}
	groups := map[int]bool{}
	for _, s := range all {
		if s.pid == os.Getpid() {
			continue
		}
		yes, veiled := s.carries(mark, args)
		unsure = unsure || veiled
		if yes {
			in[s.pid], groups[s.pgid] = true, true
			out = append(out, s.pid)
		}
	}
	if len(out) == 0 {
		return nil, unsure
	}
	self := unix.Getpgrp()
	return append(out, closure(in, all, func(s stat) bool {
		return s.pid != os.Getpid() && s.pid != 1 && (in[s.ppid] || groups[s.pgid] && s.pgid != self)
	})...), unsure
}

// carries reports whether the process has the mark, or was started with all of
// these arguments. It is unsure if the process is between two programs:
// execve(2) has dropped the memory of the old one, and not yet laid out that of
// the new one.
func (s stat) carries(mark string, args []string) (_, unsure bool) {
	const looks = 3 // who has no environment for so long has none
	for range looks {
		yes, blank := s.contains("environ", mark)
		if !yes && len(args) > 0 {
			yes, _ = s.contains("cmdline", args...)
		}
		if yes || !blank || s.kernel || s.state == 'Z' {
			return yes, false
		}
		if _, blank = s.contains("cmdline"); blank {
			return false, true
		}
	}
	return false, false
}

// contains reports whether a file of /proc/PID, a list of texts that end with
// NUL, contains all of these, and whether it is there and blank.
func (s stat) contains(file string, texts ...string) (yes, blank bool) {
	dir := "/proc/" + strconv.Itoa(s.pid)
	paths := []string{dir + "/" + file}
	if s.state == 'Z' { // ask the threads that still run
		paths, _ = filepath.Glob(dir + "/task/*/" + file)
	}
	for _, path := range paths {
		list, err := os.ReadFile(path)
		if err != nil {
			continue // not ours, or gone
		}
		if blank = len(list) == 0; !blank && containsAll(list, texts) {
			return true, false
		}
	}
	return false, blank
}

func containsAll(list []byte, texts []string) bool {
	list = append([]byte{0}, list...)
	for _, text := range texts {
		if !bytes.Contains(list, append(append([]byte{0}, text...), 0)) {
			return false
		}
	}
	return true
}
