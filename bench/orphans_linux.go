package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of daemons that are started below it
// from now on, so that it learns what they have used, or no longer.
func adoptOrphans(on bool) {
	var n uintptr
	if on {
		n = 1
	}
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, n, 0, 0, 0)
}

// collectOrphans collects what ends within a second. It is for moments when no
// command of ours runs.
func collectOrphans() {
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		switch pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); {
		case err == unix.ECHILD:
			return
		case pid == 0:
			time.Sleep(time.Millisecond)
		}
	}
}
