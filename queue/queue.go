// Package queue provides everything that a user can do with the jobs of a base path:
// queue tasks, run them in this process, list them, read their logs, wait for them,
// cancel, reset, dismiss, remove, import and export them; and with the base path
// itself: stop its manager, check and upgrade its database. It prints nothing, and
// knows neither flags nor SQL: the command line is a thin layer above it, and other
// interfaces can be built in the same way. Its results have JSON forms, with the keys
// of docs/json.md.
//
// Errors about a job or task that does not exist are db.ErrNoJob and db.ErrNoTask, as
// in package db. Every method returns its context's error once the context has ended.
package queue

import (
	"context"
	"path/filepath"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/manager"
)

// Queue is the jobs of one base path. It may be used by several goroutines.
type Queue struct {
	DB   *db.DB // for operations without a method here
	conf *config.Config
}

// Open opens the queue of the configuration's base path, and creates it if necessary,
// unless it must exist. The errors are those of db.Open; db.ErrNoDatabase if it must
// exist and does not.
func Open(ctx context.Context, conf *config.Config, mustExist bool) (*Queue, error) {
	d, err := open(ctx, conf, mustExist)
	if err != nil {
		return nil, err
	}
	return &Queue{DB: d, conf: conf}, nil
}

// openExisting opens the database of the base path, if there is one.
func openExisting(ctx context.Context, conf *config.Config) (*db.DB, error) {
	return open(ctx, conf, true)
}

func open(ctx context.Context, conf *config.Config, mustExist bool) (*db.DB, error) {
	return db.Open(ctx, conf.BasePath, db.Options{Durability: conf.Durability, MustExist: mustExist, AllowForeign: conf.AllowForeign})
}

// Close closes the database.
func (q *Queue) Close() error { return q.DB.Close() }

// BasePath is the absolute path of the folder that holds everything.
func (q *Queue) BasePath() string { return q.conf.BasePath }

// Served reports whether a manager serves the base path of a configuration.
func Served(conf *config.Config) (bool, error) {
	return lock.Held(filepath.Join(conf.BasePath, manager.LockName))
}

// Served reports whether a manager serves the base path.
func (q *Queue) Served() (bool, error) { return Served(q.conf) }
