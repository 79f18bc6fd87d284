package process

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// UsualSlack is how late the kernel lets timers be unless told otherwise, see
// PR_SET_TIMERSLACK(2const).
const UsualSlack = 50 * time.Microsecond

// WithSlack calls fn. The timers of processes that it starts may be late by d.
//
// The monitor thread of the Go runtime sleeps for 20 µs at a time while there is
// something to do. In a process that lives for milliseconds, these sleeps are most of
// the context switches; with more slack there are only a few.
func WithSlack(d time.Duration, fn func()) {
	runtime.LockOSThread() // a process inherits the slack of the thread that starts it
	defer runtime.UnlockOSThread()
	// Not 0, which would restore the value that the thread began with.
	before, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err == nil && unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(d.Nanoseconds()), 0, 0, 0) == nil {
		defer unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(before), 0, 0, 0)
	}
	fn()
}

// OwnSlack lets the timers of this process be late by d, as far as the system permits:
// a thread may set its own slack, which threads that it starts inherit; only root may
// set that of threads that are running already.
func OwnSlack(d time.Duration) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(d.Nanoseconds()), 0, 0, 0)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range threads {
		setSlack(t.Name(), d)
	}
}

// setSlack sets the slack of another thread, if this process may. The file is not
// below task, see proc_pid_timerslack_ns(5).
func setSlack(thread string, d time.Duration) {
	f, err := os.OpenFile("/proc/"+thread+"/timerslack_ns", os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = fmt.Fprint(f, d.Nanoseconds())
}
