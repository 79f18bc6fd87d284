package process

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ReapOrphans collects the children of this process that have ended and of
// which ours says that nobody else waits for them. It is for process 1, to which
// the kernel gives every orphan.
func ReapOrphans(ours func(pid int) bool) {
	dir, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer dir.Close()
	self := os.Getpid()
	names, _ := dir.Readdirnames(-1)
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil && s.ppid == self && s.gone() && ours(pid) {
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // where another was faster, it does nothing
		}
	}
}
