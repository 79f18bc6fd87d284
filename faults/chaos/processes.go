//go:build linux

package main

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is a living process that belongs to a round.
type process struct {
	pid  int
	kind string
	of   name // of a command: its task
	try  int  // and its attempt
}

// processes lists what lives of this round. Runners and managers tell by their
// arguments that they are ours, commands by their environment.
func (w *world) processes() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var out []process
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			if p, ours := w.identify(pid); ours {
				out = append(out, p)
			}
		}
	}
	return out
}

// identify tells what a process is to this round.
func (w *world) identify(pid int) (process, bool) {
	p := process{pid: pid}
	args := proc(pid, "cmdline")
	switch {
	case len(args) == 0: // gone, or a zombie
		return p, false
	case slices.Contains(args, "run-task") && slices.Contains(args, "base-path="+w.base):
		p.kind = killRunner
		return p, true
	case slices.Contains(args, "--foreground") && slices.Contains(args, w.base):
		p.kind = killManager
		return p, true
	}
	ours := false
	for _, kv := range proc(pid, "environ") {
		key, value, _ := strings.Cut(kv, "=")
		switch key {
		case "AIR_EXECUTOR_BASE_PATH":
			ours = value == w.base
		case "AIR_EXECUTOR_JOB":
			p.of.job = value
		case "AIR_EXECUTOR_TASK":
			p.of.task = value
		case "AIR_EXECUTOR_ATTEMPT":
			p.try, _ = strconv.Atoi(value)
		}
	}
	p.kind = killCommand
	return p, ours
}

// proc reads the words of a file of /proc/PID.
func proc(pid int, file string) []string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
	if err != nil || len(b) == 0 {
		return nil
	}
	return strings.Split(string(bytes.TrimSuffix(b, []byte{0})), "\x00")
}

// parent is the number of a process's parent, 0 if it is gone.
func parent(pid int) int {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(b), ") ") // our programs have no such name
	f := strings.Fields(after)
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(f[1])
	return n
}

// signal signals the process, if its number still names what it did.
func (w *world) signal(p process, sig unix.Signal) bool {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if now, ours := w.identify(p.pid); !ours || now != p {
		return false
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0) == nil
}

// kill kills the process and counts it.
func (w *world) kill(p process) {
	// Written down first: that it is gone may be seen at once.
	_, before := w.killed.LoadOrStore(p.pid, true)
	if w.signal(p, unix.SIGKILL) {
		w.report.killed(p.kind)
	} else if !before {
		w.killed.Delete(p.pid)
	}
}

// tell sends a signal that asks the process to end, and sees that it does.
func (w *world) tell(p process, sig unix.Signal) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return
	}
	w.told.Store(p.pid, true)
	if !w.signal(p, sig) {
		unix.Close(fd)
		return
	}
	w.report.told(p.kind)
	w.later.Go(func() {
		defer unix.Close(fd)
		if !ended(fd, endsIn) {
			w.report.breaks(checkEnds, "process %d (%s) was told to end with %v, and lives %s later", p.pid, p.kind, sig, endsIn)
		}
	})
}

// endsIn is how long a process that was told to end may take: five seconds are
// the grace of its command, and it may be stopped for a while.
const endsIn = 25 * time.Second

// ended waits for the end of a process, and reports whether it has come.
func ended(pidfd int, patience time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for begin := time.Now(); ; {
		left := patience - time.Since(begin)
		if left <= 0 {
			return false
		}
		if n, err := unix.Poll(fds, int(left.Milliseconds())+1); n > 0 && err == nil {
			return true
		}
	}
}
