package manager

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// isInit reports whether this is process 1, as it may be in a container: the
// kernel hands it all orphans, and when it ends, kills all that is left.
func isInit() bool { return os.Getpid() == 1 }

// reap collects the orphans that the kernel hands to process 1.
func (m *Manager) reap() {
	if !isInit() {
		return
	}
	runners := map[int]bool{}
	for r := range m.pool {
		runners[r.PID] = true // they are waited for elsewhere
	}
	process.ReapOrphans(func(pid int) bool { return !runners[pid] })
}

// keepLink restores the link by which tasks find this program, if it is missing
// or broken.
func (m *Manager) keepLink() {
	if m.onlyJob != "" || runner.ProgramLinked(m.config.BasePath) {
		return
	}
	exe, what := program(), "tasks do not find air-executor: the program was removed"
	_, err := os.Stat(exe)
	if err == nil {
		what = "tasks may not find air-executor"
		err = runner.LinkProgram(m.config.BasePath, exe)
	}
	switch {
	case err == nil:
		m.log.Info("tasks find air-executor again", "path", exe)
	case !m.unlinked:
		m.log.Warn(what, "error", err)
	}
	m.unlinked = err != nil
}

// program returns the path of this program's file. If the file was replaced since the
// start, that is the new one.
func program() string {
	if now, err := os.Readlink("/proc/self/exe"); err == nil {
		return strings.TrimSuffix(now, " (deleted)")
	}
	exe, _ := os.Executable()
	return exe
}

// WaitLock takes a lock that is held as long as this process lives, and that
// tells managers that a command of the attempt with this token waits. The caller
// keeps the file until it waits no longer.
func WaitLock(base, token string) (*os.File, error) {
	return lock.Share(filepath.Join(base, runner.LocksName), waitNumber(token))
}

// waitNumber is the number of the lock of the commands of an attempt that wait,
// from the random token. Runners draw theirs from as many.
func waitNumber(token string) int64 {
	n, _ := strconv.ParseInt(token[:min(15, len(token))], 16, 64)
	return n
}

// endWaiting takes back the places of tasks whose waiting command was killed
// while it waited.
func (m *Manager) endWaiting(ctx context.Context) {
	if m.waiting == 0 || m.stopping != "" {
		return
	}
	waits := func(token string) (bool, error) { return m.prober.Held(waitNumber(token)) }
	dead, err := m.db.DeadWaits(ctx, waits)
	if err == nil && dead {
		m.waiting, err = m.db.EndWaiting(ctx, waits)
	}
	if err != nil {
		m.log.Error("cannot look whether tasks still wait for others", "error", err)
	}
}
