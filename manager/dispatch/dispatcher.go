// Package dispatch decides for a manager when runners are started and which of them
// get tasks. A Dispatcher is told what has happened, and answers with orders. It starts
// no process, and reads neither database nor clock.
package dispatch

import (
	"maps"
	"slices"
	"time"
)

// Dispatcher knows the runners of one manager and what they are doing. It is used
// by one goroutine.
type Dispatcher struct {
	places int  // tasks that may run at the same time
	oneJob bool // it works for one job, and nobody wakes it

	now    time.Time // of the event that is handled
	orders []Order

	pool      pool
	claiming  bool // a claim has no answer yet
	missed    bool // there was something to do meanwhile
	known     int  // ready tasks that the caller of dispatch knew of
	wanting   int  // ready tasks for which there was no idle runner
	parked    int  // attempts that wait for other tasks, when last counted
	adopted   int  // attempts under way whose runners are not known to have a task
	elsewhere int  // how many of adopted only another manager can end
	look      look
	failures  int       // runners that failed, one after the other, before they had a task
	fruitless int       // claims that found nothing, one after the other
	quiet     time.Time // not zero: nothing is claimed or started until then
	stopping  bool
	leave     bool // tasks are left running
	stopAt    time.Time
}

// New returns the Dispatcher of a manager that runs this many tasks at the same
// time, and with oneJob those of one job only. The attempts are those that are under
// way at its start.
func New(places int, oneJob bool, attempts []Attempt) *Dispatcher {
	d := &Dispatcher{places: places, oneJob: oneJob, pool: newPool(), look: newLook()}
	d.recount(attempts)
	return d
}

// Handle takes note of an event that has happened now, and returns what is to be
// done, in this order. [Count], [CountParked] and [Start] have to be answered before
// the next other event.
func (d *Dispatcher) Handle(now time.Time, e Event) []Order {
	d.now = now
	e.happen(d)
	out := d.orders
	d.orders = nil
	return out
}

func (d *Dispatcher) order(o Order) { d.orders = append(d.orders, o) }

// Next is when the dispatcher has to hear [Due]; zero: not before something else
// happens. This is the one timer of a manager. When the store holds tasks until a
// time, the earliest such time is to come with [Counted], and Next returns it if it
// is earlier than the end of a pause.
func (d *Dispatcher) Next() time.Time { return d.quiet }

// Running is how many attempts are under way, as far as is known.
func (d *Dispatcher) Running() int { return d.pool.count(busy) + d.adopted }

// Done reports whether a stopping manager may exit. A claim that is under way gets
// a moment, so that its tasks can be handed out. Unless tasks are to be left
// alone, none may be running, except those that another manager has to settle.
func (d *Dispatcher) Done(now time.Time) bool {
	const moment = 2 * time.Second
	switch {
	case !d.stopping:
		return false
	case d.leave:
		return d.pool.count(going) == 0 || now.Sub(d.stopAt) > moment
	case d.look.underWay:
		return false // it may record a loss
	}
	ours := d.pool.count(going) + d.pool.count(busy)
	if d.oneJob {
		return ours == 0 // what runs beside that is not ours to wait for
	}
	return ours+d.adopted-d.elsewhere == 0
}

// Released reports whether no runner is left that has no task and is to have none.
func (d *Dispatcher) Released() bool {
	return len(d.pool.runners) <= d.pool.count(busy)+d.pool.count(going)
}

// sends reports whether runners are being started and tasks claimed at present.
func (d *Dispatcher) sends() bool { return !d.stopping && d.quiet.IsZero() }

// free is how many more tasks may be claimed.
func (d *Dispatcher) free() int {
	if !d.sends() {
		return 0
	}
	return max(0, d.places+d.parked-d.pool.count(going)-d.pool.count(busy)-d.adopted)
}

// dispatch claims tasks for idle runners, and starts runners if there are not
// enough. The argument is how many ready tasks the caller knows of; if none, the
// database is asked.
func (d *Dispatcher) dispatch(known int) {
	if d.missed = d.claiming; d.missed {
		return // wait for the result of the claim
	}
	d.known = known
	if d.sends() && d.free() == 0 {
		d.order(CountParked{}) // and Parked goes on
		return
	}
	d.count()
}

// count finds out how many tasks are ready, if that is not known.
func (d *Dispatcher) count() {
	if free := d.free(); free > 0 && d.known == 0 {
		d.order(Count{free}) // and Counted goes on
		return
	}
	d.fill(d.known)
}

// fill finds runners for this many tasks.
func (d *Dispatcher) fill(ready int) {
	ready = min(ready, d.free())
	if chosen := d.pool.idle(ready); len(chosen) > 0 {
		for _, id := range chosen {
			d.pool.move(id, going)
		}
		d.claiming = true
		d.order(Claim{chosen})
		ready -= len(chosen)
	}
	d.wanting = ready
	d.start()
}

// start makes sure that as many runners are starting as tasks want one, apart from
// those that hang, and keeps some ahead of need, so that the next task does not have
// to wait for one: one when nothing happens, two while tasks come and go. They do not
// count as running; if all places are taken, they wait for the next free one.
func (d *Dispatcher) start() {
	if !d.sends() {
		return
	}
	spare := 1
	if d.pool.count(busy)+d.pool.count(going) > 0 {
		spare = 2
	}
	n := max(d.wanting, spare-d.pool.count(idle))
	if n += d.pool.hanging(d.now) - d.pool.count(starting); n > 0 {
		d.order(Start{n})
	}
}

// pause lets a second pass before anything is claimed or started.
func (d *Dispatcher) pause() { d.quiet = d.now.Add(time.Second) }

func (Woken) happen(d *Dispatcher) { d.dispatch(0) }

func (e Parked) happen(d *Dispatcher) {
	if !e.Failed {
		d.parked = e.Attempts
	}
	d.count()
}

func (e Counted) happen(d *Dispatcher) {
	if !e.Failed {
		d.fill(e.Ready)
	}
}

func (Due) happen(d *Dispatcher) {
	if d.quiet.IsZero() || d.now.Before(d.quiet) {
		return
	}
	d.quiet = time.Time{}
	d.dispatch(0)
}

func (e Stop) happen(d *Dispatcher) {
	d.stopping, d.leave, d.stopAt = true, e.Leave, d.now
	Release{}.happen(d)
}

// A runner for which a claim is still under way gets no message: it may have a task
// already, and looks for it when this process has exited.
func (Release) happen(d *Dispatcher) {
	for _, id := range slices.Sorted(maps.Keys(d.pool.runners)) {
		if d.pool.place(id) != going {
			d.order(Dismiss{id})
		}
	}
}
