package dispatch

// look is about one look for lost attempts, which takes a while. What it reads may be
// older than what the dispatcher hears meanwhile.
type look struct {
	underWay bool
	again    bool        // something has happened since that needs another
	finished map[ID]bool // runners that have finished since
	lost     map[ID]bool // runners that have died since, and had a task
}

func newLook() look { return look{finished: map[ID]bool{}, lost: map[ID]bool{}} }

// find asks for a look, unless one is under way.
func (d *Dispatcher) find() {
	if d.look.underWay {
		return
	}
	d.look.underWay, d.look.again = true, false
	clear(d.look.finished)
	clear(d.look.lost)
	d.order(Look{Parked: d.parked > 0 && !d.stopping})
}

// findNow asks for a look that sees what has happened until now.
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
	// Only attempts under way can be lost, so only they need a check, unless nobody
	// wakes this manager.
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

// recount counts the attempts of runners of other managers, and of runners of this
// one that are not known to have a task.
func (d *Dispatcher) recount(attempts []Attempt) {
	d.adopted, d.elsewhere = 0, 0
	for _, a := range attempts {
		delete(d.look.lost, a.Runner) // it is among those that are counted here
		switch d.pool.place(a.Runner) {
		case busy, going:
			continue
		}
		if d.look.finished[a.Runner] {
			continue // the row was read before
		}
		d.adopted++
		if a.Elsewhere {
			d.elsewhere++
		}
	}
	d.adopted += len(d.look.lost)
}
