package manager

import (
	"context"
	"log/slog"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
)

// aging is the service that ranks all tasks anew when the configuration has another
// time after which they gain priority than the database.
type aging struct {
	db       *db.DB
	log      *slog.Logger
	interval time.Duration // 0: they never gain any
	retry    time.Duration // after an error
}

func (m *Manager) newAging() *aging {
	return &aging{db: m.db, log: m.log, interval: m.config.Aging, retry: m.config.PollInterval}
}

// Run ranks what is to be ranked, in small commits, and then waits for its end.
func (a *aging) Run(ctx context.Context) error {
	const some = 300
	begun := false
	for {
		did, err := a.db.Age(ctx, a.interval, some)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			a.log.Error("cannot rank the tasks by their age", "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(a.retry):
			}
		case did:
			begun = true
			failpoint.Hit("age.after_commit")
		default:
			if begun {
				a.log.Info("all tasks are ranked by their age", "aging", a.interval.String())
			}
			<-ctx.Done()
			return nil
		}
	}
}
