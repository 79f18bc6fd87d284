package process

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// UsualSlack is how late the kernel lets timers be unless told otherwise, see
// PR_SET_TIMERSLACK(2const).
const UsualSlack = 50 * time.Microsecond

// WithSlack calls fn. The timers of processes that it starts may be late by d.
//
// The monitor thread of the Go runtime sleeps for 20 µs at a time while there
// is something to do. In a process that lives for milliseconds, these naps are
// most of the context switches; with more slack they become few.
func WithSlack(d time.Duration, fn func()) {
	runtime.LockOSThread() // a process takes over the slack of the thread that starts it
	defer runtime.UnlockOSThread()
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(d.Nanoseconds()), 0, 0, 0) == nil {
		defer unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // as it was
	}
	fn()
}
