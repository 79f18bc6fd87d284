package manager

import (
	"context"
	"errors"
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

// ErrRunnerLives is returned by Lose.
var ErrRunnerLives = errors.New("its runner lives")

// settler makes a recovery for a single use without a manager.
func settler(conf *config.Config, d *db.DB) (*recovery, error) {
	r := &recovery{db: d, log: slog.New(slog.DiscardHandler)}
	var err error
	if r.bootID, err = process.BootID(); err != nil {
		return nil, err
	}
	if r.namespace, err = process.Namespace(); err != nil {
		return nil, err
	}
	r.prober, err = lock.NewProber(filepath.Join(conf.BasePath, runner.LocksName))
	return r, err
}

// Settle does what a manager would do for those of the attempts whose runner has died;
// it is for when no manager serves. It kills what is left of their commands and records
// the loss, and returns the attempts that it has settled. An attempt of another host or
// container is an error, because its processes cannot be seen from here.
func Settle(ctx context.Context, conf *config.Config, d *db.DB, attempts []db.Active) ([]db.Active, error) {
	rec, err := settler(conf, d)
	if err != nil {
		return nil, err
	}
	defer rec.prober.Close()
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
	var settled []db.Active
	for _, a := range attempts {
		alive, err := d.Alive(a.Runner)
		if err != nil {
			return settled, err
		}
		if alive {
			continue
		}
		// Older versions did not record its PID namespace.
		r := a.Runner
		if r.BootID == rec.bootID && r.Namespace == 0 && (r.Host != host || r.PIDStart < oldest) {
			return settled, fmt.Errorf("task %q: %w", a.Task, &unseenError{r.Host})
		}
		if err := rec.lose(ctx, a); err != nil {
			return settled, err
		}
		settled = append(settled, a)
	}
	return settled, nil
}

// Lose records an attempt as lost because the user says that nothing of it is alive,
// when no manager can see that. It ends the processes that it can see. It returns false
// if the attempt has ended in the meantime, and [ErrRunnerLives] if its runner is
// alive.
func Lose(ctx context.Context, conf *config.Config, d *db.DB, a db.Active) (bool, error) {
	rec, err := settler(conf, d)
	if err != nil {
		return false, err
	}
	defer rec.prober.Close()
	alive, err := d.Alive(a.Runner)
	if err != nil {
		return false, err
	}
	if alive {
		return false, fmt.Errorf("task %q: %w", a.Task, ErrRunnerLives)
	}
	if err := rec.killRest(a); err != nil {
		return false, err
	}
	lost, err := d.Lose(ctx, a, "lost: its runner died, and somebody has said that nothing of it lives any more; the command may have run in part")
	if lost {
		d.Wake()
	}
	return lost, err
}
