package manager

import (
	"context"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// Upgrade migrates an older database while no manager serves it, and returns what it
// did; nil if there was nothing to do. A manager of the older program would continue,
// but no command of that program could reach it. So if a manager serves, Upgrade
// returns ErrRunning.
func Upgrade(ctx context.Context, conf *config.Config) (*db.Upgraded, error) {
	l, err := takeLock(ctx, conf.BasePath, job.NewUUID())
	if err != nil {
		return nil, err
	}
	defer l.Close()
	d, err := db.Open(ctx, conf.BasePath, db.Options{
		Durability: conf.Durability, MustExist: true, Upgrade: true, AllowForeign: conf.AllowForeign,
	})
	if err != nil {
		return nil, err
	}
	return d.Upgraded(), d.Close()
}
