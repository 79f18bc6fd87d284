package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/manager"
)

// alreadyRunning returns an error that names the serving manager and says what it is
// doing.
func alreadyRunning(ctx context.Context, ws *workspace, err error) error {
	hint := "stop it with air-executor stop"
	if l, e := lock.Open(filepath.Join(ws.conf.BasePath, manager.LockName)); e == nil {
		defer l.Close()
		if pid := l.Holder(); pid > 0 {
			err = fmt.Errorf("%w (PID %d)", err, pid)
		}
	}
	how := db.Stop("")
	if q, e := ws.asItIs(); e == nil {
		defer q.Close()
		how = q.StopUnderWay(ctx)
	}
	if how != "" {
		err = fmt.Errorf("%w; it was told to stop (%s)", err, how)
		hint = "wait for its end with air-executor stop --" + string(how)
		if how == db.StopLeave {
			hint = "try again in a moment"
		}
	}
	return fail(exitManager, err, hint)
}
