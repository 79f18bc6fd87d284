package queue

import (
	"context"
	"os"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner"
)

// UpgradedForm is the result of an upgrade of the schema.
type UpgradedForm struct {
	Database string  `json:"database"`
	From     int     `json:"from"`
	To       int     `json:"to"`
	Copy     *string `json:"copy"` // path; null: none was needed

	Unlinked error `json:"-"` // why running tasks may not find this program; nil: they do
}

// Upgrade brings an older database of a base path up to date. From then on running
// tasks find this program, because the older one would be refused. Errors:
// db.ErrNoDatabase, manager.ErrRunning while a manager serves it.
func Upgrade(ctx context.Context, conf *config.Config) (UpgradedForm, error) {
	q, err := Open(ctx, conf, true)
	if err != nil {
		return UpgradedForm{}, err
	}
	out := UpgradedForm{Database: q.DB.Path(), From: q.DB.Schema(), To: q.DB.Schema()}
	outdated := q.DB.Outdated()
	if err := q.Close(); err != nil || !outdated {
		return out, err
	}
	done, err := manager.Upgrade(ctx, conf)
	if err != nil {
		return out, err
	}
	if done == nil { // another process was faster
		out.From, out.To = db.LatestSchema, db.LatestSchema
		return out, nil
	}
	out.From, out.To, out.Copy = done.From, done.To, OrNull(done.Copy)
	exe, err := os.Executable()
	if err == nil {
		err = runner.LinkProgram(conf.BasePath, exe)
	}
	out.Unlinked = err
	return out, nil
}
