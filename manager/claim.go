package manager

import (
	"context"
	"errors"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/runner"
)

// claims is a goroutine that claims tasks, with a connection of its own: a claim
// waits for other writers, and the manager has more to do than to wait.
type claims struct {
	asked  chan []*runner.Process // runners that are to have a task
	done   chan claimed           // one answer to every question
	ended  chan struct{}
	giveUp context.CancelFunc // ends a claim that is not about to be committed
	busy   bool               // a question has no answer yet
}

// claimed is what came of a claim: the first runners have these tasks.
type claimed struct {
	runners []*runner.Process
	tasks   []*db.Assignment
	err     error
}

// openClaims starts the goroutine.
func (m *Manager) openClaims(ctx context.Context) error {
	d, err := db.Open(ctx, m.config.BasePath, db.Options{Durability: m.config.Durability, MustExist: true})
	if err != nil {
		return err
	}
	ctx, giveUp := context.WithCancel(ctx)
	c := claims{asked: make(chan []*runner.Process, 1), done: make(chan claimed, 1), ended: make(chan struct{}), giveUp: giveUp}
	m.claims = c
	go func() {
		defer close(c.ended)
		defer d.Close()
		for runners := range c.asked {
			tasks, err := d.ClaimAll(ctx, names(runners), m.config.MaxConcurrentRunners, m.onlyJob)
			c.done <- claimed{runners, tasks, err}
		}
	}()
	return nil
}

// close ends the goroutine. One that still waits for its turn to write is left
// behind, for the process is about to end.
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

// names are the runners as their attempts name them.
func names(runners []*runner.Process) []db.Runner {
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
	for i, r := range c.runners {
		has := i < len(c.tasks)
		if _, alive := m.pool[r]; !alive {
			if has {
				m.adopted++ // it is lost; the next look, soon, finds it
			}
			continue
		}
		if has {
			r.Assign(c.tasks[i])
			m.pool[r] = busy
			m.failures = 0
		} else {
			m.pool[r] = idle
		}
		if m.stopping != "" {
			r.Dismiss()
		}
	}
	if errors.Is(c.err, context.Canceled) {
		return // it stops
	}
	if c.err != nil {
		m.log.Error("cannot claim", "error", c.err)
		m.rest()
		return
	}
	if len(c.tasks) < len(c.runners) {
		// There are fewer places than was thought, or tasks. Count again.
		m.waiting = 0
		m.look(ctx)
		return
	}
	if m.missed || m.wanting > 0 {
		m.dispatch(ctx, 0)
	} else {
		m.keepSpare()
	}
}
