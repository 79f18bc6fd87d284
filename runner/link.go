package runner

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
)

// Manager and runner talk over a pair of connected sockets. The runner reports that
// it is ready, gets its task (four bytes of length, and an assignment as db
// encodes it; length 0: there is none), and reports when the result is recorded.
// The manager may disappear at any point, and the runner goes on.

// said is a message of a runner, one byte.
type said byte

const (
	saidReady said = 'r' // it waits for its task
	saidMore  said = '+' // its task is recorded, the job has another; it ends
	saidLast  said = '-' // its task is recorded, the job has no other; it ends
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

// packet is an assignment as it goes over the link.
func packet(a *db.Assignment) []byte {
	b := a.Encode()
	return append(binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...)
}

// The descriptors that a runner inherits.
const (
	fdLock = 3
	fdLink = 4
	fdLog  = 5 // becomes standard error, too, when it is ready
)

// inherit takes over the descriptors, and keeps commands from inheriting them.
func inherit() (held *os.File, l link) {
	unix.CloseOnExec(fdLock)
	unix.CloseOnExec(fdLink)
	unix.CloseOnExec(fdLog)
	return os.NewFile(fdLock, "runner lock"), link{os.NewFile(fdLink, "link")}
}

// link is the runner's end. It is used with plain blocking system calls: a
// runner has nothing else to do while it waits, and starts no poller for it.
// The file owns the descriptor, and is open as long as the link can be reached.
type link struct{ file *os.File }

func (l link) fd() int { return int(l.file.Fd()) }

// none is sent to a runner that is not needed any more.
var none = make([]byte, 4)

// receive blocks until the task comes, and returns it encoded, empty if there is
// none. It returns nil when the manager is gone.
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

// fill reads until b is full. It returns false where the other end is gone.
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

// hangUp ends receive, once what has been sent is read.
func (l link) hangUp() { _ = unix.Shutdown(l.fd(), unix.SHUT_RD) }

// gone reports whether the manager is.
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

// say tells the manager, if there still is one.
func (l link) say(s said) { _, _ = unix.Write(l.fd(), []byte{byte(s)}) }
