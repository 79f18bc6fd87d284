package manager

import (
	"context"
	"errors"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/runner"
)

// claims is a goroutine that claims tasks. A claim waits for other writers, and the
// manager must not block meanwhile.
type claims struct {
	asked  chan []*runner.Process // runners that are to have a task
	done   chan claimed           // one answer to every question
	ended  chan struct{}
	giveUp context.CancelFunc // ends a claim that is not about to be committed
	busy   bool               // a question has no answer yet
}

// claimed is the result of a claim.
type claimed struct {
	runners []*runner.Process        // that were to have a task
	tasks   map[int64]*db.Assignment // those that have one, by their locks
	dead    map[int64]bool           // those that hold no lock
	unknown bool                     // it could not be found out who has one
	err     error
}

// startClaims starts the goroutine.
func (m *Manager) startClaims(ctx context.Context) {
	ctx, giveUp := context.WithCancel(ctx)
	c := claims{asked: make(chan []*runner.Process, 1), done: make(chan claimed, 1), ended: make(chan struct{}), giveUp: giveUp}
	m.claims = c
	go func() {
		defer close(c.ended)
		for runners := range c.asked {
			c.done <- m.claimFor(ctx, runners)
		}
	}()
}

// claimFor claims a task for each runner that is alive.
func (m *Manager) claimFor(ctx context.Context, runners []*runner.Process) claimed {
	c := claimed{runners: runners, tasks: map[int64]*db.Assignment{}, dead: map[int64]bool{}}
	lives := func(r db.Runner) (bool, error) {
		alive, err := m.db.Alive(r)
		if err == nil && !alive {
			c.dead[r.Lock] = true
		}
		return alive, err
	}
	var tasks []*db.Assignment
	tasks, c.err = m.db.ClaimAll(ctx, identities(runners), m.config.MaxConcurrentRunners, m.onlyJob, lives)
	if errors.Is(c.err, db.ErrInDoubt) {
		tasks, c.unknown = m.settle(ctx, runners, c.err)
	}
	for _, a := range tasks {
		c.tasks[a.Runner().Lock] = a
	}
	return c
}

// settle finds out whether a claim whose commit failed was stored after all. Assuming
// that it was not could leave tasks marked running while their runners wait. It retries
// until the database answers or this manager stops; then the runners look for
// their tasks themselves.
func (m *Manager) settle(ctx context.Context, runners []*runner.Process, why error) (tasks []*db.Assignment, unknown bool) {
	for {
		tasks, err := m.db.AssignedTo(ctx, identities(runners))
		if err == nil {
			return tasks, false
		}
		m.log.Error("cannot find out what was claimed", "claim", why, "error", err)
		select {
		case <-ctx.Done():
			return nil, true
		case <-time.After(time.Second):
		}
	}
}

// close ends the goroutine. If it is just committing a claim, it is left behind,
// because the process is about to end.
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

// claim asks for a task for each of these runners, which are idle.
func (m *Manager) claim(runners []*runner.Process) {
	for _, r := range runners {
		m.pool[r] = going
	}
	m.claims.busy = true
	m.claims.asked <- runners
}

// assign hands out the tasks that were claimed. The other runners stay idle.
func (m *Manager) assign(ctx context.Context, c claimed) {
	m.claims.busy = false
	if c.unknown {
		return // the manager stops; the runners look for their tasks when it has ended
	}
	for _, r := range c.runners {
		task := c.tasks[r.Lock]
		if _, alive := m.pool[r]; !alive {
			if task != nil {
				m.adopted++ // it is lost; the next check, soon, finds it
			}
			continue
		}
		switch {
		case task != nil:
			r.Assign(task)
			m.pool[r] = busy
			m.failures = 0
		case c.dead[r.Lock]:
			m.pool[r] = dead
			m.failed()
		default:
			m.pool[r] = idle
		}
		if m.stopping != "" || m.pool[r] == dead {
			r.Dismiss()
		}
	}
	if errors.Is(c.err, context.Canceled) {
		return // it stops
	}
	m.report(noClaim, "cannot claim", c.err)
	if c.err != nil {
		m.rest()
		return
	}
	if len(c.tasks) < len(c.runners) {
		m.recount(ctx, len(c.tasks) == 0)
		return
	}
	m.fruitless = 0
	if m.missed || m.wanting > 0 {
		m.dispatch(ctx, 0)
	} else {
		m.keepSpare()
	}
}

// recount checks again after a claim that found fewer places, tasks or runners than
// expected. If claims keep finding nothing, the rows and this manager disagree about
// what is free, so it pauses before it asks again.
func (m *Manager) recount(ctx context.Context, none bool) {
	const patience = 3
	if m.fruitless++; !none {
		m.fruitless = 0
	}
	if m.fruitless >= patience {
		m.rest()
	}
	m.waiting = 0
	m.look(ctx)
}
