package jobfolder

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/runner/process"
)

// startedAt returns when a process started, by the current clock.
func startedAt(pid int) (time.Time, bool) {
	ticks, err := process.StartTime(pid)
	if err != nil {
		return time.Time{}, false
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return time.Time{}, false
	}
	const ticksPerSecond = 100 // in /proc, whatever the kernel uses itself
	age := time.Duration(now.Nano()) - time.Duration(ticks)*time.Second/ticksPerSecond
	return time.Now().Add(-age), true
}
