package main

import (
	"context"
	"errors"

	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
)

// openUpgraded opens the queue. It upgrades an older one if no manager serves it; the
// manager of an older program goes on with it as it is.
func (ws *workspace) openUpgraded(ctx context.Context, mustExist bool) (*queue.Queue, error) {
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
	done, err := ws.upgrade(ctx)
	if err != nil {
		return nil, err
	}
	if done.Copy != nil {
		ws.ui.notef("the database was upgraded from version %d to %d; a copy as it was before: %s", done.From, done.To, *done.Copy)
	}
	return ws.openQueue(mustExist)
}

// upgrade upgrades an older database.
func (ws *workspace) upgrade(ctx context.Context) (queue.UpgradedForm, error) {
	conf, err := ws.config()
	if err != nil {
		return queue.UpgradedForm{}, err
	}
	done, err := queue.Upgrade(ctx, conf)
	if errors.Is(err, manager.ErrRunning) {
		return done, fail(exitManager, errors.New("a manager is running, and must be stopped before the database is upgraded"),
			"air-executor stop leaves running tasks alone")
	}
	if err != nil {
		return done, ws.explainOpen(err)
	}
	if done.Unlinked != nil {
		ws.ui.notef("tasks may not find air-executor: %v", done.Unlinked)
	}
	return done, nil
}
