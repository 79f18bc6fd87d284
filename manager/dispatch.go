package manager

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/air-executor/air-executor/runner"
)

// The states of a runner of this manager.
type place int

const (
	starting place = iota // has not reported yet that it is ready
	idle                  // waits for its task
	going                 // a claim for it is under way
	busy                  // has a task
	over                  // has recorded its result; is about to exit
	dead                  // holds no lock; has ended, or is told to
)

// pool holds the runners of this manager and their states.
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

// long is a time in which a runner starts, if nothing is wrong.
const long = 5 * time.Second

// hanging counts the runners that have been starting for so long that others must be
// started instead. They may have been stopped with SIGSTOP. If there are more than a
// few, new ones would do no better.
func (p pool) hanging() (n int) {
	const few = 3
	for r, where := range p {
		if where == starting && time.Since(r.Spawned) > long {
			n++
		}
	}
	return min(n, few)
}

// some returns at most n runners in this state.
func (p pool) some(where place, n int) (out []*runner.Process) {
	for r, w := range p {
		if len(out) == n {
			break
		}
		if w == where {
			out = append(out, r)
		}
	}
	return out
}

// sends reports whether runners are being started and tasks claimed at present.
func (m *Manager) sends() bool { return m.stopping == "" && m.quiet == nil }

// free is how many more tasks may be claimed.
func (m *Manager) free() int {
	if !m.sends() {
		return 0
	}
	return max(0, m.config.MaxConcurrentRunners+m.waiting-m.pool.count(going)-m.pool.busy()-m.adopted)
}

// dispatch claims tasks for idle runners, and starts runners if there are not
// enough. The argument is how many ready tasks the caller knows of; if none, the
// database is asked.
func (m *Manager) dispatch(ctx context.Context, known int) {
	if m.missed = m.claims.busy; m.missed {
		return // wait for the result of the claim
	}
	if m.free() == 0 {
		m.lend(ctx)
	}
	free := m.free()
	ready := min(known, free)
	if free > 0 && known == 0 {
		var err error
		ready, err = m.db.Claimable(ctx, free, m.onlyJob)
		m.report(noLook, "cannot look for work", err)
		if err != nil {
			return
		}
	}
	if chosen := m.pool.some(idle, ready); len(chosen) > 0 {
		m.claim(chosen)
		ready -= len(chosen)
	}
	m.wanting = ready
	m.start(ready)
	m.keepSpare()
}

// lend counts the tasks that wait for other tasks: they do not occupy their places.
func (m *Manager) lend(ctx context.Context) {
	if !m.sends() {
		return
	}
	var err error
	if m.waiting, err = m.db.Waiting(ctx); err != nil {
		m.log.Error("cannot count the tasks that wait", "error", err)
	}
}

// keepSpare starts runners ahead of need, so that the next task does not have to
// wait for one: one when nothing happens, two while tasks come and go. They do not
// count as running; if all places are taken, they wait for the next free one.
func (m *Manager) keepSpare() {
	if !m.sends() {
		return
	}
	want := 1
	if m.pool.busy()+m.pool.count(going) > 0 {
		want = 2
	}
	m.start(want - m.pool.count(idle))
}

// start makes sure that n runners are starting, apart from those that hang.
func (m *Manager) start(n int) {
	for n += m.pool.hanging(); m.pool.count(starting) < n; {
		if m.spawn() == nil {
			return
		}
	}
}

// spawn starts a runner. If that fails, it returns nil and pauses dispatching.
func (m *Manager) spawn() *runner.Process {
	r, err := runner.Spawn(m.exe, m.setup, m.self, m.stderr, func(p *runner.Process, what runner.Event) {
		m.events <- event{p, what}
	})
	if err != nil {
		m.report(noRunner, "cannot start a runner", err)
		m.rest()
		return nil
	}
	m.pool[r] = starting
	return r
}

// rest pauses dispatching for a second, and then looks for work.
func (m *Manager) rest() { m.quiet = time.After(time.Second) }

// handle processes an event of a runner.
func (m *Manager) handle(ctx context.Context, e event) {
	was := m.pool[e.runner]
	switch e.what {
	case runner.Ready:
		m.pool[e.runner] = idle
		m.report(noRunner, "", nil)
		if m.stopping != "" {
			e.runner.Dismiss()
		} else if m.wanting > 0 {
			m.dispatch(ctx, m.wanting)
		}
	case runner.More:
		m.pool[e.runner] = over
		m.dispatch(ctx, m.wanting+1)
	case runner.Last:
		m.pool[e.runner] = over
		m.dispatch(ctx, 0)
	case runner.Exited:
		delete(m.pool, e.runner)
		m.exited(ctx, e.runner, was)
	}
}

// patience is how many runners in a row may end before they have had a task.
const patience = 3

// endsAtOnce is what can be told of a runner that has ended before it had a task,
// like those before it.
func endsAtOnce(r *runner.Process, was place) error {
	words := r.LastWords()
	switch {
	case words != "":
		return errors.New(words)
	case was != starting:
		return fmt.Errorf("each ends while it waits for its task (%s)", r.Ended)
	case strings.HasPrefix(r.Ended, "signal: "):
		return fmt.Errorf("each is ended by a signal as soon as it has started (%s)", r.Ended)
	}
	return fmt.Errorf("each ends at once (%s); a limit of this user (ulimit -u, -v, -n) may be too low", r.Ended)
}

// exited handles a runner that died before it was done.
func (m *Manager) exited(ctx context.Context, r *runner.Process, was place) {
	switch was {
	case over, dead:
		return
	case starting, idle, going:
		if m.stopping != "" {
			return // it was dismissed
		}
		if m.failures < patience {
			m.log.Warn("a runner has ended before it had a task", "pid", r.PID, "said", r.LastWords(), "ended", r.Ended)
		}
		// One that has waited for long was none of those that end at once.
		if was == starting || time.Since(r.Spawned) < long {
			m.failed()
		}
		if m.failures >= patience {
			m.report(noRunner, "cannot start a runner", endsAtOnce(r, was))
		}
	case busy:
		m.log.Warn("a runner has ended without recording a result", "pid", r.PID)
	}
	m.look(ctx)
}

// failed counts a runner that exited before it had a task. A single one may have been
// killed; if several fail, starting more at once would be a tight loop.
func (m *Manager) failed() {
	if m.failures++; m.failures >= patience {
		m.rest()
	}
}
