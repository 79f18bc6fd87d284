package runner

import "golang.org/x/sys/unix"

// newMouth returns descriptors to hear the last words of a runner with and to
// speak them. They are of a file in memory: a pipe would have to be one that does
// not block, for nobody reads it, and for such a standard error each runner would
// set up Go's poller.
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

// hear reads what was said.
func hear(fd int, b []byte) (int, error) { return unix.Pread(fd, b, 0) }

// useLog makes the log the standard error of a runner that is ready, for what the
// Go runtime has to say when it crashes.
func useLog() error { return unix.Dup3(fdLog, 2, 0) }
