package main

import (
	"context"
	"errors"
	"os"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
)

// openForRunning opens the queue for a command that will have tasks run. An
// older one is upgraded if no manager serves it.
func openForRunning(ctx context.Context, ui *ui, ws *workspace, mustExist bool) (*queue.Queue, error) {
	q, err := ws.openQueue(mustExist)
	if err != nil || !q.DB.Outdated() {
		return q, err
	}
	if on, err := ws.serving(); err != nil || on {
		return q, err
	}
	if err := q.Close(); err != nil {
		return nil, err
	}
	done, err := upgradeDatabase(ctx, ui, ws.conf)
	if err != nil {
		return nil, err
	}
	if done.Copy != "" {
		ui.notef("the database was upgraded from version %d to %d; a copy as it was before: %s", done.From, done.To, done.Copy)
	}
	return ws.openQueue(mustExist)
}

// upgradeDatabase upgrades an older database. Tasks that run find this program
// from then on, for the older one would be refused.
func upgradeDatabase(ctx context.Context, ui *ui, conf *config.Config) (*db.Upgraded, error) {
	done, err := manager.Upgrade(ctx, conf)
	if errors.Is(err, manager.ErrRunning) {
		return nil, fail(exitManager, errors.New("a manager is running, and must be stopped before the database is upgraded"),
			"air-executor stop leaves running tasks alone")
	}
	if err != nil {
		return nil, err
	}
	if done == nil { // another process was faster
		return &db.Upgraded{From: db.LatestSchema, To: db.LatestSchema}, nil
	}
	exe, err := os.Executable()
	if err == nil {
		err = runner.LinkProgram(conf.BasePath, exe)
	}
	if err != nil {
		ui.notef("tasks may not find air-executor: %v", err)
	}
	return done, nil
}
