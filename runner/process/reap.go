package process

import (
	"sync"
	"syscall"
	"time"
)

// reaper reaps the children of this process as they exit: the command, and the orphans
// that a subreaper gets. Once it runs, it blocks a thread in wait4(2), so it needs
// neither a signal nor a clock.
type reaper struct {
	leader int    // PID of the command
	tell   func() // called when the command has exited, and when there are no children left

	mu        sync.Mutex
	ended     bool // the command has exited
	childless bool // everything else has exited too; the reaper stops
	err       error
	status    syscall.WaitStatus // of the command
	use       Exit               // User, System and MaxRSS of all
}

// run returns when this process has no children.
func (r *reaper) run() {
	var ws syscall.WaitStatus
	var ru syscall.Rusage
	flags := 0
	for {
		pid, err := syscall.Wait4(-1, &ws, flags, &ru)
		switch {
		case err == syscall.EINTR:
		case err != nil: // ECHILD
			r.finish(err)
			r.tell()
			return
		case pid == 0: // the command has exited, and has left other processes
			flags = 0
			r.tell()
		default:
			if r.collect(pid, ws, &ru) {
				// Most commands leave nothing, and one call of tell is enough for both.
				flags = syscall.WNOHANG
			}
		}
	}
}

// try reaps children that have exited, without waiting, and reports whether this
// process has no others.
func (r *reaper) try() bool {
	var ws syscall.WaitStatus
	var ru syscall.Rusage
	for {
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, &ru)
		switch {
		case err == syscall.EINTR:
		case err != nil: // ECHILD
			r.finish(err)
			return true
		case pid == 0:
			return false
		default:
			r.collect(pid, ws, &ru)
		}
	}
}

// collect records the exit of a child, and reports whether it was the command.
func (r *reaper) collect(pid int, ws syscall.WaitStatus, ru *syscall.Rusage) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.use.account(ru)
	if pid != r.leader || r.ended {
		return false
	}
	r.ended, r.status = true, ws
	return true
}

func (r *reaper) finish(err error) {
	r.mu.Lock()
	r.childless = true
	if !r.ended {
		r.ended, r.err = true, err // something else has reaped it
	}
	r.mu.Unlock()
}

// news returns what has exited so far.
func (r *reaper) news() (ended, childless bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended, r.childless
}

// account adds the resource usage of a process and of the descendants that it waited
// for.
func (e *Exit) account(ru *syscall.Rusage) {
	e.User += time.Duration(ru.Utime.Nano())
	e.System += time.Duration(ru.Stime.Nano())
	e.MaxRSS = max(e.MaxRSS, int64(ru.Maxrss)*maxRSSUnit)
}
