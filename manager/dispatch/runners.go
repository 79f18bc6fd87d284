package dispatch

func (e Started) happen(d *Dispatcher) { d.pool.add(e.Runner, d.now) }

func (NotStarted) happen(d *Dispatcher) { d.pause() }

func (e Ready) happen(d *Dispatcher) {
	d.pool.move(e.Runner, idle)
	if d.stopping {
		d.order(Dismiss(e))
	} else if d.wanting > 0 {
		d.dispatch(d.wanting)
	}
}

func (e Finished) happen(d *Dispatcher) {
	d.pool.move(e.Runner, over)
	if d.look.underWay {
		d.look.finished[e.Runner] = true
	}
	if e.More {
		d.dispatch(d.wanting + 1)
	} else {
		d.dispatch(0)
	}
}

// patience is how many runners in a row may exit before they have had a task, and how
// many claims in a row may find nothing.
const patience = 3

func (e Exited) happen(d *Dispatcher) {
	m := d.pool.remove(e.Runner)
	switch m.place {
	case absent, over, dead:
		return
	case starting, idle, going:
		if d.stopping {
			return // it had been dismissed
		}
		if d.failures < patience {
			d.order(Warn{Runner: e.Runner})
		}
		// A runner that has waited for a long time is not one that exits at once.
		if m.place == starting || d.now.Sub(m.since) < long {
			d.failed()
		}
		if d.failures >= patience {
			d.order(Blame{e.Runner, m.place != starting})
		}
	case busy:
		d.order(Warn{e.Runner, true})
		d.lose(e.Runner)
	}
	d.findNow()
}

// failed counts a runner that exited before it had a task. A single one may have been
// killed; if several fail, starting more immediately would be a busy loop.
func (d *Dispatcher) failed() {
	if d.failures++; d.failures >= patience {
		d.pause()
	}
}

// Hand out the claimed tasks. The other runners stay idle.
func (e Claimed) happen(d *Dispatcher) {
	d.claiming = false
	if e.Unknown {
		return // the manager is stopping; the runners look for their tasks when it has exited
	}
	for _, id := range e.Runners {
		d.handOut(id, e.HasTask[id], e.HoldNone[id])
	}
	if e.GivenUp {
		return
	}
	if e.Failed {
		d.pause()
		return
	}
	if len(e.HasTask) < len(e.Runners) {
		d.refused(len(e.HasTask) == 0)
		return
	}
	d.fruitless = 0
	if d.missed || d.wanting > 0 {
		d.dispatch(0)
	} else {
		d.start()
	}
}

// handOut gives a runner its task after a claim, if there is one for it.
func (d *Dispatcher) handOut(id ID, task, holdsNone bool) {
	if d.pool.place(id) == absent {
		if task {
			d.lose(id) // the next look finds it soon
		}
		return
	}
	switch {
	case task:
		d.order(Assign{id})
		d.pool.move(id, busy)
		d.failures = 0
	case holdsNone:
		d.pool.move(id, dead)
		d.failed()
	default:
		d.pool.move(id, idle)
	}
	if d.stopping || d.pool.place(id) == dead {
		d.order(Dismiss{id})
	}
}

// refused counts again after a claim that found fewer places, tasks or runners than
// expected. If claims keep finding nothing, the database and this manager disagree
// about what is free, so it pauses before it asks again.
func (d *Dispatcher) refused(all bool) {
	if d.fruitless++; !all {
		d.fruitless = 0
	}
	if d.fruitless >= patience {
		d.pause()
	}
	d.parked = 0
	d.findNow()
}
