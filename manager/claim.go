package manager

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager/dispatch"
	"github.com/air-executor/air-executor/runner"
)

// claims claims tasks in a goroutine of its own, because a claim waits for other
// writers and the manager must not block.
type claims struct {
	db      *db.DB
	log     *slog.Logger
	places  int // tasks that may run at the same time
	onlyJob string

	asked  chan []*runner.Process // runners that need a task
	done   chan claimed           // one answer to every request
	ended  chan struct{}
	giveUp context.CancelFunc // cancels a claim that is not being committed yet
	busy   bool               // a request has no answer yet
}

// claimed is the result of a claim.
type claimed struct {
	dispatch.Claimed
	tasks map[dispatch.ID]*db.Assignment // by runner
	err   error
}

// start starts the goroutine.
func (c *claims) start(ctx context.Context) {
	ctx, c.giveUp = context.WithCancel(ctx)
	c.asked, c.done, c.ended = make(chan []*runner.Process, 1), make(chan claimed, 1), make(chan struct{})
	go func() {
		defer close(c.ended)
		for runners := range c.asked {
			c.done <- c.claimFor(ctx, runners)
		}
	}()
}

// claimFor claims a task for each runner that is alive.
func (c *claims) claimFor(ctx context.Context, runners []*runner.Process) claimed {
	holdNone := map[dispatch.ID]bool{}
	lives := func(r db.Runner) (bool, error) {
		alive, err := c.db.Alive(r)
		if err == nil && !alive {
			holdNone[dispatch.ID(r.Lock)] = true
		}
		return alive, err
	}
	out := claimed{tasks: map[dispatch.ID]*db.Assignment{}}
	var tasks []*db.Assignment
	tasks, out.err = c.db.ClaimAll(ctx, identities(runners), c.places, c.onlyJob, lives)
	if errors.Is(out.err, db.ErrInDoubt) {
		tasks, out.Unknown = c.settle(ctx, runners, out.err)
	}
	out.Failed, out.GivenUp = out.err != nil, errors.Is(out.err, context.Canceled)
	out.HasTask, out.HoldNone = make(map[dispatch.ID]bool, len(tasks)), holdNone
	for _, a := range tasks {
		of := dispatch.ID(a.Runner().Lock)
		out.tasks[of], out.HasTask[of] = a, true
	}
	for _, r := range runners {
		out.Runners = append(out.Runners, id(r))
	}
	return out
}

// settle finds out whether a claim whose commit failed was stored after all. Assuming
// that it was not could leave tasks marked running while their runners wait. It retries
// until the database answers or this manager stops; then the runners look for
// their tasks themselves.
func (c *claims) settle(ctx context.Context, runners []*runner.Process, why error) (tasks []*db.Assignment, unknown bool) {
	for {
		tasks, err := c.db.AssignedTo(ctx, identities(runners))
		if err == nil {
			return tasks, false
		}
		c.log.Error("cannot find out what was claimed", "claim", why, "error", err)
		select {
		case <-ctx.Done():
			return nil, true
		case <-time.After(time.Second):
		}
	}
}

// close ends the goroutine. If it is committing a claim, it is left behind, because the
// process is about to exit.
func (c *claims) close() {
	if c.asked == nil {
		return
	}
	c.giveUp()
	close(c.asked)
	if !c.busy {
		<-c.ended
	}
}

// identities returns the runners as the rows of their attempts name them.
func identities(runners []*runner.Process) []db.Runner {
	out := make([]db.Runner, len(runners))
	for i, r := range runners {
		out[i] = r.Runner
	}
	return out
}

// ask requests a task for each of these runners.
func (c *claims) ask(runners []*runner.Process) {
	c.busy = true
	c.asked <- runners
}
