package manager

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Process is a manager that serves a base path.
type Process struct {
	PID      int
	BasePath string // absolute
}

// ErrNoList is returned on systems that do not show which process has which file open.
var ErrNoList = errors.New("this system has no /proc in which managers could be found")

// AllServing finds the managers of the effective user on this machine, in the order of
// their PIDs: the processes that hold a manager's lock.
func AllServing() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoList
	}
	if err != nil {
		return nil, fmt.Errorf("find managers: %w", err)
	}
	var found []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !own(e) {
			continue
		}
		if base := servedBy(pid); base != "" {
			found = append(found, Process{pid, base})
		}
	}
	slices.SortFunc(found, func(a, b Process) int { return a.PID - b.PID })
	return found, nil
}

// own reports whether a process belongs to the effective user.
func own(e fs.DirEntry) bool {
	info, err := e.Info()
	if err != nil {
		return false // it has ended
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

// servedBy returns the base path that a process serves, or "".
func servedBy(pid int) string {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	files, err := os.ReadDir(folder)
	if err != nil {
		return ""
	}
	for _, f := range files {
		path, err := os.Readlink(filepath.Join(folder, f.Name()))
		if err != nil || filepath.Base(path) != LockName {
			continue
		}
		// A process that only checks the lock has the file open too, for a moment.
		info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, f.Name()))
		if err == nil && holds(string(info), pid) {
			return filepath.Dir(path)
		}
	}
	return ""
}

// holds reports whether the process itself took the exclusive lock that its fdinfo
// shows. A runner that is being started shares the manager's lock until it executes the
// program.
func holds(info string, pid int) bool {
	for line := range strings.Lines(info) {
		// lock:	1: FLOCK  ADVISORY  WRITE 1234 08:02:9 0 EOF
		f := strings.Fields(line)
		if len(f) > 5 && f[0] == "lock:" && f[2] == "FLOCK" && f[4] == "WRITE" && f[5] == strconv.Itoa(pid) {
			return true
		}
	}
	return false
}
