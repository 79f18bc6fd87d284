package manager

import (
	"context"
	"log/slog"
	"time"

	"github.com/air-executor/air-executor/db"
)

// FoldEvery is how often a manager counts new events for the statistics.
const FoldEvery = 5 * time.Second

// folding is the service that counts events for the statistics. A server does the same
// while no manager does, see [Fold]; the database sees to each event counting once.
type folding struct {
	db   *db.DB
	log  *slog.Logger
	full func() bool // the disk is full: nothing is written that need not be
}

func (m *Manager) newFolding() *folding {
	return &folding{db: m.db, log: m.log, full: func() bool { return m.trouble.is(noRoom) }}
}

// Run counts until ctx ends. It never fails: a manager works without statistics.
func (f *folding) Run(ctx context.Context) error {
	said := ""
	for Pause(ctx, FoldEvery) == nil {
		if f.full() {
			continue
		}
		text := ""
		if err := Fold(ctx, f.db); err != nil && ctx.Err() == nil {
			text = err.Error()
		}
		if text != "" && text != said {
			f.log.Warn("events are not counted for the statistics", "error", text)
		}
		said = text
	}
	return nil
}

// Fold counts all events that were not counted yet, some in each commit, and lets other
// writers go first in between.
func Fold(ctx context.Context, d *db.DB) error {
	for {
		began := time.Now()
		more, err := d.Fold(ctx)
		if err != nil || !more {
			return err
		}
		if err := Pause(ctx, time.Since(began)); err != nil {
			return err
		}
	}
}
