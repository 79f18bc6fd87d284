package runner

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The words between manager and runner, over a pair of connected sockets, each
// one byte. The manager says go every time that the runner is to try and claim
// a task; the runner answers. The manager may disappear at any point, and the
// runner goes on.
const saidGo = 'g'

// said is an answer of a runner.
type said byte

const (
	saidClaimed said = 'c' // it works on a task
	saidNothing said = 'n' // there was no task; it waits for the next word
	saidFailed  said = 'e' // it could not claim, and ends
	saidMore    said = '+' // its task is recorded, the job has another; it ends
	saidLast    said = '-' // its task is recorded, the job has no other; it ends
)

func saidDone(ready bool) said {
	if ready {
		return saidMore
	}
	return saidLast
}

// event is what a runner's word means to its manager.
func (s said) event() (Event, bool) {
	switch s {
	case saidClaimed:
		return Claimed, true
	case saidNothing:
		return Nothing, true
	case saidFailed:
		return ClaimFailed, true
	case saidMore:
		return More, true
	case saidLast:
		return Last, true
	}
	return 0, false
}

// The descriptors that a runner inherits.
const (
	fdLock = 3
	fdLink = 4
)

// inherit takes over the descriptors, and keeps commands from inheriting them.
func inherit() (held *os.File, l link) {
	unix.CloseOnExec(fdLock)
	unix.CloseOnExec(fdLink)
	return os.NewFile(fdLock, "runner lock"), link{fdLink}
}

// link is the runner's end. It is used with plain blocking system calls: a
// runner has nothing else to do while it waits, and starts no poller for it.
type link struct{ fd int }

// wait blocks until the manager says go. It returns false when it is gone.
func (l link) wait() (bool, error) {
	var b [1]byte
	for {
		n, err := unix.Read(l.fd, b[:])
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECONNRESET):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("link: %w", err)
		case n == 0:
			return false, nil
		case b[0] == saidGo:
			return true, nil
		}
	}
}

// gone reports whether the manager is.
func (l link) gone() bool {
	var b [1]byte
	for {
		n, _, err := unix.Recvfrom(l.fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && n == 0 || errors.Is(err, unix.ECONNRESET)
	}
}

// say tells the manager, if there still is one.
func (l link) say(s said) { _, _ = unix.Write(l.fd, []byte{byte(s)}) }
