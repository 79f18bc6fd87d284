package dispatch

// look tracks a look for lost attempts, which takes a while. Its answer may be older
// than events that the dispatcher receives in the meantime.
type look struct {
	underWay bool
	again    bool        // something has happened since that needs another look
	finished map[ID]bool // runners that have finished since
	lost     map[ID]bool // runners with a task that have died since
}

func newLook() look { return look{finished: map[ID]bool{}, lost: map[ID]bool{}} }

// find asks for a look, unless one is in progress.
func (d *Dispatcher) find() {
	if d.look.underWay {
		return
	}
	d.look.underWay, d.look.again = true, false
	clear(d.look.finished)
	clear(d.look.lost)
	d.order(Look{Parked: d.parked > 0 && !d.stopping})
}

// findNow asks for a look that sees everything up to now.
func (d *Dispatcher) findNow() {
	d.look.again = true
	d.find()
}

// lose counts an attempt whose runner has died, until a look finds it.
func (d *Dispatcher) lose(id ID) {
	d.adopted++
	d.look.lost[id] = true
}

func (Tick) happen(d *Dispatcher) {
	d.letGo()
	// Only running attempts can be lost, so no check is needed without them, unless
	// this manager receives no wake-ups.
	if d.Running() > 0 || d.stopping || d.oneJob {
		d.find()
	}
}

func (Poll) happen(d *Dispatcher) {
	if d.look.underWay {
		d.dispatch(0)
	}
	d.find()
}

func (e Looked) happen(d *Dispatcher) {
	d.look.underWay = false
	if !e.Failed {
		d.recount(e.Attempts)
		if e.Freed {
			d.parked = e.Parked
		}
	}
	if d.look.again {
		d.find()
	}
	if !e.Failed {
		d.dispatch(0)
	}
}

// recount counts the attempts of other managers' runners, and of our own runners that
// are not known to have a task.
func (d *Dispatcher) recount(attempts []Attempt) {
	d.adopted, d.elsewhere = 0, 0
	for _, a := range attempts {
		delete(d.look.lost, a.Runner) // counted here instead
		switch d.pool.place(a.Runner) {
		case busy, going:
			continue
		}
		if d.look.finished[a.Runner] {
			continue // the row was read before that
		}
		d.adopted++
		if a.Elsewhere {
			d.elsewhere++
		}
	}
	d.adopted += len(d.look.lost)
}
