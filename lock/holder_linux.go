package lock

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Holder returns the PID of the process that holds the lock, or 0 if it is unknown. It
// is for messages only.
func (l *File) Holder() int {
	// While many locks are taken and released, one reading of the list may miss one.
	const tries = 5
	for range tries {
		if pid := l.holder(); pid > 0 {
			return pid
		}
	}
	return 0
}

func (l *File) holder() int {
	info, err := os.Stat(l.path)
	if err != nil {
		return 0
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return 0
	}
	defer locks.Close()
	// "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF"; see proc_locks(5).
	suffix := ":" + strconv.FormatUint(st.Ino, 10)
	for lines := bufio.NewScanner(locks); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) >= 6 && f[1] == "FLOCK" && strings.HasSuffix(f[5], suffix) {
			pid, _ := strconv.Atoi(f[4])
			return pid
		}
	}
	return 0
}
