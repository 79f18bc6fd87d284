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

type upgradeCmd struct{ asksNothing }

// Help is printed below the summary.
func (*upgradeCmd) Help() string {
	return `Brings a database of an older version of this program up to date. First it writes a copy of the database, air-executor.v1.db for version 1, beside it. The older program cannot use the database afterwards.

"start" does the same, and "run" too if no manager serves the base path. Other commands leave an older database as it is.

Tasks that run meanwhile go on, and their results are recorded. A manager has to be stopped before: air-executor stop.

Exit codes: 0 done, or there was nothing to do; 1 error, the database is as it was; 2 wrong flags or configuration; 4 there is no database; 5 a manager is running.`
}

// Run upgrades the database.
func (*upgradeCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	d, err := ws.openExisting()
	if err != nil {
		return err
	}
	path, version, outdated := d.Path(), d.Schema(), d.Outdated()
	if err := d.Close(); err != nil {
		return err
	}
	done := &db.Upgraded{From: version, To: version}
	if outdated {
		if done, err = upgradeDatabase(ctx, ui, ws.conf); err != nil {
			return err
		}
	}
	if ui.json() {
		return ui.printJSON(queue.UpgradedForm{Database: path, From: done.From, To: done.To, Copy: queue.OrNull(done.Copy)})
	}
	if done.From == done.To {
		ui.printf("%s is up to date (version %d)\n", path, done.To)
		return nil
	}
	ui.printf("Database upgraded from version %d to %d; a copy as it was before: %s\n", done.From, done.To, done.Copy)
	return nil
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
