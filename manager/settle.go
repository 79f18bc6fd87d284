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

// settler makes a Manager that serves nothing, and only settles.
func settler(conf *config.Config, d *db.DB) (*Manager, error) {
	m := &Manager{config: conf, log: slog.New(slog.DiscardHandler), db: d}
	var err error
	if m.setup.BootID, err = process.BootID(); err != nil {
		return nil, err
	}
	if m.self.Host, err = os.Hostname(); err != nil {
		return nil, err
	}
	if m.self.Namespace, err = process.Namespace(); err != nil {
		return nil, err
	}
	m.prober, err = lock.NewProber(filepath.Join(conf.BasePath, runner.LocksName))
	return m, err
}

// Settle does, where no manager serves, what a manager would do for those
// attempts whose runner has died: it kills what is left of their commands and
// records the loss. It returns the attempts that it has settled. An attempt of
// another host or container is an error, because its processes cannot be seen
// from here.
func Settle(ctx context.Context, conf *config.Config, d *db.DB, attempts []db.Active) ([]db.Active, error) {
	m, err := settler(conf, d)
	if err != nil {
		return nil, err
	}
	defer m.prober.Close()
	// A runner that started before the first process of this PID namespace belongs to
	// another one, and its processes may not be visible here.
	oldest, err := process.StartTime(1)
	if err != nil {
		return nil, err
	}
	var settled []db.Active
	for _, a := range attempts {
		alive, err := m.alive(a)
		if err != nil {
			return settled, err
		}
		if alive {
			continue
		}
		// Older versions have not written down in which PID namespace it was.
		r := a.Runner
		if r.BootID == m.setup.BootID && r.Namespace == 0 && (r.Host != m.self.Host || r.PIDStart < oldest) {
			return settled, fmt.Errorf("task %q: %w", a.Task, &unseenError{r.Host})
		}
		if err := m.lose(ctx, a); err != nil {
			return settled, err
		}
		settled = append(settled, a)
	}
	return settled, nil
}

// Lose records that an attempt is lost, where somebody knows that nothing of it
// lives and no manager can see that. What can be seen of it is ended. It returns
// false if the attempt has ended meanwhile, and [ErrRunnerLives] if that is so.
func Lose(ctx context.Context, conf *config.Config, d *db.DB, a db.Active) (bool, error) {
	m, err := settler(conf, d)
	if err != nil {
		return false, err
	}
	defer m.prober.Close()
	alive, err := m.alive(a)
	if err != nil {
		return false, err
	}
	if alive {
		return false, fmt.Errorf("task %q: %w", a.Task, ErrRunnerLives)
	}
	if err := m.killRest(a); err != nil {
		return false, err
	}
	lost, err := d.Lose(ctx, a, "lost: its runner died, and somebody has said that nothing of it lives any more; the command may have run in part")
	if lost {
		d.Wake()
	}
	return lost, err
}
