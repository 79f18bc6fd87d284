package process

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Control is what may be asked of a command while it runs. Its methods may be called
// in Beside, and from there by any goroutine.
type Control struct {
	mu      sync.Mutex
	poke    func() // wakes the loop; nil: nothing can be asked yet
	freeze  bool
	signals []unix.Signal
	sent    []unix.Signal // all that were asked for
	done    chan struct{} // closed when what was asked last is done; nil: nothing is asked
}

// Freeze stops every process of the command with SIGSTOP, or has those go on that it
// has stopped, and stops or starts the clock of the time limit. It returns when
// that is done, or when over is closed.
func (c *Control) Freeze(on bool, over <-chan struct{}) {
	c.ask(over, func() { c.freeze = on })
}

// Signal sends a signal to the process group of the command, and returns when that
// is done, or when over is closed. Processes that have left the group do not get it.
func (c *Control) Signal(sig unix.Signal, over <-chan struct{}) {
	c.ask(over, func() { c.signals, c.sent = append(c.signals, sig), append(c.sent, sig) })
}

// Sent reports whether Signal was asked to send a signal.
func (c *Control) Sent(sig unix.Signal) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.sent, sig)
}

func (c *Control) ask(over <-chan struct{}, change func()) {
	c.mu.Lock()
	change()
	if c.done == nil {
		c.done = make(chan struct{})
	}
	done, poke := c.done, c.poke
	c.mu.Unlock()
	if poke == nil {
		return
	}
	poke()
	select {
	case <-done:
	case <-over:
	}
}

// take returns what is asked, and whom to tell when it is done.
func (c *Control) take() (freeze bool, signals []unix.Signal, done chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	freeze, signals, done = c.freeze, c.signals, c.done
	c.signals, c.done = nil, nil
	return freeze, signals, done
}

// frost is how the clock of a command stands still.
type frost struct {
	since          time.Time // zero: it does not
	warnIn, endsIn time.Duration
}

// obey does what was asked of the command, unless it ends already.
func (r *run) obey(now time.Time) {
	if r.c.Control == nil || !r.settleAt.IsZero() {
		return
	}
	freeze, signals, done := r.c.Control.take()
	if done == nil {
		return
	}
	defer close(done)
	if ended, _ := r.reaper.news(); ended || !r.ending.IsZero() {
		return
	}
	switch frozen := !r.frost.since.IsZero(); {
	case freeze && !frozen:
		r.tree.freeze()
		r.frost = frost{since: now}
		if !r.warnAt.IsZero() {
			r.frost.warnIn = max(r.warnAt.Sub(now), 1)
		}
		if !r.endAt.IsZero() {
			r.frost.endsIn = max(r.endAt.Sub(now), 1)
		}
		r.warnAt, r.endAt = time.Time{}, time.Time{}
	case !freeze && frozen:
		r.thaw(now)
	}
	for _, sig := range signals {
		r.tree.signalGroup(sig)
	}
}

// thaw has the processes go on that were stopped, and the clock.
func (r *run) thaw(now time.Time) {
	if r.frost.since.IsZero() {
		return
	}
	if r.frost.warnIn > 0 {
		r.warnAt = now.Add(r.frost.warnIn)
	}
	if r.frost.endsIn > 0 {
		r.endAt = now.Add(r.frost.endsIn)
	}
	r.frost = frost{}
	r.tree.thaw()
}
