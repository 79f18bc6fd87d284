package manager

import (
	"context"
	"time"

	"github.com/air-executor/air-executor/runner"
)

// A runner of this manager is in one of these places.
type place int

const (
	idle  place = iota // started, waits for the word to go
	going              // told to go, has not answered
	busy               // has claimed a task
	over               // has recorded its result, or failed; is about to exit
)

// pool is where the runners of this manager are.
type pool map[*runner.Process]place

func (p pool) count(where place) (n int) {
	for _, w := range p {
		if w == where {
			n++
		}
	}
	return n
}

func (p pool) busy() int { return p.count(busy) }

// idle returns a runner that waits, or nil.
func (p pool) idle() *runner.Process {
	for r, w := range p {
		if w == idle {
			return r
		}
	}
	return nil
}

// free is how many more runners may be told to go.
func (m *Manager) free() int {
	if m.stopping != "" || m.quiet != nil {
		return 0
	}
	return m.config.MaxConcurrentRunners + m.waiting - m.pool.count(going) - m.pool.busy() - m.adopted
}

// dispatch sends a runner for every job that has a task to claim.
func (m *Manager) dispatch(ctx context.Context) {
	free := m.free()
	if free <= 0 && m.stopping == "" {
		// Tasks that wait for others lend their places.
		var err error
		if m.waiting, err = m.db.Waiting(ctx); err != nil {
			m.log.Error("cannot count the tasks that wait", "error", err)
			return
		}
		free = m.free()
	}
	if free > 0 {
		// Jobs for which a runner is already on its way are counted again.
		going := m.pool.count(going)
		ready, err := m.db.Claimable(ctx, free+going, m.setup.OnlyJob)
		if err != nil {
			m.log.Error("cannot look for work", "error", err)
			return
		}
		for range min(free, ready-going) {
			m.send()
		}
	}
	m.keepSpare()
}

// send tells a runner to go, one that waits or a new one.
func (m *Manager) send() {
	r := m.pool.idle()
	if r == nil {
		if r = m.spawn(); r == nil {
			return
		}
	}
	m.pool[r] = going
	r.Go()
}

// keepSpare has runners started ahead of need, so that the next task does not
// wait for one to start: one at rest, two while tasks come and go.
func (m *Manager) keepSpare() {
	want := 1
	if m.pool.busy()+m.pool.count(going) > 0 {
		want = 2
	}
	for m.free() > 0 && m.pool.count(idle) < want {
		if m.spawn() == nil {
			return
		}
	}
}

// spawn starts a runner, or returns nil and lets a moment pass.
func (m *Manager) spawn() *runner.Process {
	r, err := runner.Spawn(m.exe, m.setup, m.stderr, func(p *runner.Process, what runner.Event) {
		m.events <- event{p, what}
	})
	if err != nil {
		m.log.Error("cannot start a runner", "error", err)
		m.rest()
		return nil
	}
	m.pool[r] = idle
	return r
}

// rest sends no runner for a second, and looks for work then.
func (m *Manager) rest() { m.quiet = time.After(time.Second) }

// handle acts on what a runner did.
func (m *Manager) handle(ctx context.Context, e event) {
	was := m.pool[e.runner]
	switch e.what {
	case runner.Claimed:
		m.failures = 0
		m.pool[e.runner] = busy
		m.keepSpare()
	case runner.Nothing:
		m.failures = 0
		m.pool[e.runner] = idle
		m.waiting = 0 // if that was more than there are, count again
	case runner.ClaimFailed:
		m.pool[e.runner] = over
		m.rest()
	case runner.More:
		m.pool[e.runner] = over
		// The job that it worked on is free and ready: no need to ask.
		if m.free() > 0 {
			m.send()
		}
	case runner.Last:
		m.pool[e.runner] = over
		m.dispatch(ctx)
	case runner.Exited:
		delete(m.pool, e.runner)
		m.exited(ctx, e.runner, was)
	}
}

// exited sees to a runner that went without having finished what it was at.
func (m *Manager) exited(ctx context.Context, r *runner.Process, was place) {
	switch was {
	case over:
		return
	case idle, going:
		if m.stopping != "" {
			return // it was dismissed
		}
		m.log.Warn("a runner has ended before it had a task", "pid", r.PID)
		// One may have been killed by somebody; if several end like that, more
		// of them at once would be a tight loop.
		const patience = 3
		if m.failures++; m.failures >= patience {
			m.rest()
		}
	case busy:
		m.log.Warn("a runner has ended without recording a result", "pid", r.PID)
	}
	// One that was going may have claimed without our hearing of it.
	m.look(ctx)
}
