package manager

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// Settle does, where no manager serves, what a manager would do for those
// attempts whose runner has died: it kills what is left of their commands and
// records the loss. It returns the attempts that it has settled. An attempt of
// another host or container is an error, because its processes cannot be seen
// from here.
func Settle(ctx context.Context, conf *config.Config, d *db.DB, attempts []db.Active) ([]db.Active, error) {
	boot, err := process.BootID()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	// A runner that started before the first process of this PID namespace belongs to
	// another one, and its processes may not be visible here.
	oldest, err := process.StartTime(1)
	if err != nil {
		return nil, err
	}
	prober, err := lock.NewProber(filepath.Join(conf.BasePath, runner.LocksName))
	if err != nil {
		return nil, err
	}
	defer prober.Close()
	m := &Manager{config: conf, log: slog.New(slog.DiscardHandler), db: d, prober: prober, setup: runner.Setup{BootID: boot}}
	var settled []db.Active
	for _, a := range attempts {
		alive, err := m.alive(a)
		if err != nil {
			return settled, err
		}
		if alive {
			continue
		}
		where := a.Runner.Host
		if where == host && a.Runner.PIDStart < oldest {
			where = "another PID namespace of " + host
		}
		if where != host && a.Runner.BootID == boot {
			return settled, fmt.Errorf("the runner of task %q has died, and it was one of %s: what it has left behind cannot be seen from here", a.Task, where)
		}
		if err := m.lose(ctx, a); err != nil {
			return settled, err
		}
		settled = append(settled, a)
	}
	return settled, nil
}
