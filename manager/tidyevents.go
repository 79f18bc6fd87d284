package manager

import (
	"context"
	"time"
)

// pruneEvents deletes the events that are too old or too many, some in each commit.
func (t *tidying) pruneEvents(ctx context.Context) error {
	before := time.Now().AddDate(0, 0, -t.config.EventDays)
	for p := newPace(); ; {
		began := time.Now()
		most := p.most
		n, err := t.db.PruneEvents(ctx, before, int64(t.config.EventsKept), most)
		if err != nil || n == 0 {
			return err
		}
		t.freed = true
		rest := p.rest(time.Since(began))
		if err := t.db.Checkpoint(ctx); err != nil || n < most {
			return err
		}
		if err := Pause(ctx, rest); err != nil {
			return err
		}
	}
}
