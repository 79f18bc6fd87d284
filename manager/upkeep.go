package manager

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/runner"
)

// upkeep is the service that, at every poll, checks that other processes still see the
// same files, and restores what may have been lost.
type upkeep struct {
	db       *db.DB
	log      *slog.Logger
	files    *files
	trouble  *troubles
	base     string
	poll     time.Duration
	alone    bool         // it serves one job only
	running  func() int64 // running attempts
	unlinked bool         // the program was moved away; logged already
}

func (m *Manager) newUpkeep() *upkeep {
	return &upkeep{
		db: m.db, log: m.log, files: m.files, trouble: m.trouble,
		base: m.config.BasePath, poll: m.config.PollInterval, alone: m.options.OnlyJob != "",
	}
}

// Run returns an error if a file was replaced.
func (u *upkeep) Run(ctx context.Context) error {
	poll := time.NewTicker(u.poll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
		if err := u.files.replaced(); err != nil {
			return err
		}
		u.keepReserve()
		u.keepLink()
		u.tidy(ctx)
	}
}

// keepReserve reserves disk space, so that results can be recorded on a full disk.
func (u *upkeep) keepReserve() {
	u.trouble.report(noRoom, "no room is left to keep for results", u.db.KeepReserve())
}

// keepLink restores the link by which tasks find this program, if it is missing
// or broken.
func (u *upkeep) keepLink() {
	if u.alone || runner.ProgramLinked(u.base) {
		return
	}
	exe, what := program(), "tasks do not find air-executor: the program was removed"
	_, err := os.Stat(exe)
	if err == nil {
		what = "tasks may not find air-executor"
		err = runner.LinkProgram(u.base, exe)
	}
	switch {
	case err == nil:
		u.log.Info("tasks find air-executor again", "path", exe)
	case !u.unlinked:
		u.log.Warn(what, "error", err)
	}
	u.unlinked = err != nil
}

// program returns the path of this program's file. If the file was replaced since the
// start, it is the path of the new one.
func program() string {
	if now, err := os.Readlink("/proc/self/exe"); err == nil {
		return strings.TrimSuffix(now, " (deleted)")
	}
	exe, _ := os.Executable()
	return exe
}

// tidy deletes some environments that no task uses, if there is nothing else to do.
func (u *upkeep) tidy(ctx context.Context) {
	const few = 100
	if u.running() > 0 || u.alone || u.trouble.is(noRoom) {
		return
	}
	removed, err := u.db.RemoveUnusedEnvironments(ctx, few)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		u.log.Error("cannot remove unused environments", "error", err)
	case removed > 0:
		u.log.Info("unused environments removed", "environments", removed)
	}
}
