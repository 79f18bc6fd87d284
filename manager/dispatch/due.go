package dispatch

import "time"

// held is what the dispatcher knows of tasks that wait for times.
type held struct {
	due     time.Time // the first time of all; zero: there is none, as far as is known
	letting bool      // LetGo has no answer yet
}

// letGo asks to let go of what is due. The clock may have been set since the timer was:
// so every tick asks as well.
func (d *Dispatcher) letGo() {
	if h := &d.held; !h.letting && !d.stopping && !h.due.IsZero() && !d.now.Before(h.due) {
		h.letting = true
		d.order(LetGo{})
	}
}

// next is when the timer has to go off; zero: not at all. What is due already is
// asked about again by the next tick.
func (d *Dispatcher) next() time.Time {
	due := d.held.due
	if d.stopping || d.held.letting || !due.After(d.now) {
		return d.quiet
	}
	if d.quiet.IsZero() || due.Before(d.quiet) {
		return due
	}
	return d.quiet
}

func (e LetGone) happen(d *Dispatcher) {
	d.held.letting = false
	if e.Failed {
		return
	}
	d.held.due = e.Due
	d.letGo() // the clock goes on
	if e.Holds > 0 {
		d.dispatch(0)
	}
}
