package runner

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
)

// Manager and runner talk over a pair of connected sockets. The runner reports that it
// is ready, receives its task (four bytes of length, and an assignment as db encodes
// it; length 0: there is none), and reports when the result is recorded. The manager
// may disappear at any point; the runner continues.

// said is a message of a runner, one byte.
type said byte

const (
	saidReady said = 'r' // it is ready for its task
	saidMore  said = '+' // its task is recorded, the job has another; it exits
	saidLast  said = '-' // its task is recorded, the job has no other; it exits
)

func saidDone(ready bool) said {
	if ready {
		return saidMore
	}
	return saidLast
}

// event is what a runner's message means to its manager.
func (s said) event() (Event, bool) {
	switch s {
	case saidReady:
		return Ready, true
	case saidMore:
		return More, true
	case saidLast:
		return Last, true
	}
	return 0, false
}

// packet returns an assignment as it is sent over the link.
func packet(a *db.Assignment) []byte {
	b := a.Encode()
	return append(binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...)
}

// The descriptors that a runner inherits.
const (
	fdLock = 3
	fdLink = 4
	fdLog  = 5 // also becomes standard error once the runner is ready
)

// inherit takes over the descriptors, and prevents commands from inheriting them.
func inherit() (held *os.File, l link) {
	unix.CloseOnExec(fdLock)
	unix.CloseOnExec(fdLink)
	unix.CloseOnExec(fdLog)
	return os.NewFile(fdLock, "runner lock"), link{os.NewFile(fdLink, "link")}
}

// link is the runner's end. It is used with plain blocking system calls: a runner has
// nothing else to do while it waits, and need not start a poller for it. The file owns
// the descriptor, and stays open as long as the link is reachable.
type link struct{ file *os.File }

func (l link) fd() int { return int(l.file.Fd()) }

// none is sent to a runner that is no longer needed.
var none = make([]byte, 4)

// receive blocks until a message comes, and returns the encoded task, empty if there is
// none. It returns nil if the manager is gone.
func (l link) receive() ([]byte, error) {
	size := make([]byte, 4)
	if ok, err := l.fill(size); !ok {
		return nil, err
	}
	b := make([]byte, binary.LittleEndian.Uint32(size))
	if ok, err := l.fill(b); !ok {
		return nil, err
	}
	return b, nil
}

// fill reads until b is full. It returns false if the other end is gone.
func (l link) fill(b []byte) (bool, error) {
	for len(b) > 0 {
		n, err := unix.Read(l.fd(), b)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECONNRESET):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("link: %w", err)
		case n == 0:
			return false, nil
		default:
			b = b[n:]
		}
	}
	return true, nil
}

// hangUp makes receive return, once everything that was sent has been read.
func (l link) hangUp() { _ = unix.Shutdown(l.fd(), unix.SHUT_RD) }

// gone reports whether the manager is gone.
func (l link) gone() bool {
	var b [1]byte
	for {
		n, _, err := unix.Recvfrom(l.fd(), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && n == 0 || errors.Is(err, unix.ECONNRESET)
	}
}

// say sends a message to the manager, if it is still there.
func (l link) say(s said) { _, _ = unix.Write(l.fd(), []byte{byte(s)}) }
