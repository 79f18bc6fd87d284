package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// ReapOrphans reaps the children of this process that have exited, except those for
// which ours returns true: they are waited for elsewhere. It is for process 1, to which
// the kernel gives every orphan.
func ReapOrphans(ours func(pid int) bool) {
	var l look
	self := os.Getpid()
	l.processes()
	for _, s := range l.gone {
		if s.ppid == self && ours(s.pid) {
			_, _ = unix.Wait4(s.pid, nil, unix.WNOHANG, nil) // if the child was reaped already, it does nothing
		}
	}
}
