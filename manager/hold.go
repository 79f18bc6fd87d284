package manager

import (
	"context"
	"log/slog"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/manager/dispatch"
)

// holding is the service that lets go of tasks whose time has come. It does so when it
// is asked, because a commit may have to wait for other writers.
type holding struct {
	db    *db.DB
	log   *slog.Logger
	asked chan struct{}
	found chan dispatch.LetGone // one answer to every question
}

func (m *Manager) newHolding() *holding {
	return &holding{db: m.db, log: m.log, asked: make(chan struct{}, 1), found: make(chan dispatch.LetGone, 1)}
}

// Run lets go whenever it is asked.
func (h *holding) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.asked:
			gone, err := h.letGo(ctx)
			if err != nil && ctx.Err() == nil {
				h.log.Error("cannot let go of the tasks whose time has come", "error", err)
			}
			h.found <- gone
		}
	}
}

// letGo ends the holds that are due, some hundred in each commit, so that others can
// write in between. Those of all jobs: who does that does not matter.
func (h *holding) letGo(ctx context.Context) (out dispatch.LetGone, err error) {
	const some = 300
	out.Failed = true
	for {
		failpoint.Hit("letgo.before_commit")
		n, err := h.db.LetGo(ctx, some)
		failpoint.Hit("letgo.after_commit")
		if err != nil {
			return out, err
		}
		if out.Holds += n; n < some {
			break
		}
	}
	out.Due, err = h.db.Due(ctx)
	out.Failed = err != nil
	return out, err
}
