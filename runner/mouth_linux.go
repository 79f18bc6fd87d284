package runner

import "golang.org/x/sys/unix"

// newMouth returns descriptors to read and to write the last words of a runner. They
// refer to a file in memory. A pipe would have to be non-blocking, because it is not
// read while the runner is alive, and for a non-blocking standard error each runner
// would set up Go's poller.
func newMouth() (hear, speak int, err error) {
	if speak, err = unix.MemfdCreate("last words", unix.MFD_CLOEXEC); err != nil {
		return -1, -1, err
	}
	if hear, err = unix.FcntlInt(uintptr(speak), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		unix.Close(speak)
		return -1, -1, err
	}
	return hear, speak, nil
}

// hear reads what was written.
func hear(fd int, b []byte) (int, error) { return unix.Pread(fd, b, 0) }

// useLog makes the log the standard error of a runner that is ready, for crash reports
// of the Go runtime.
func useLog() error { return unix.Dup3(fdLog, 2, 0) }
