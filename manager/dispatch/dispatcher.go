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
	oneJob bool // it works for one job, and receives no wake-ups

	now    time.Time // of the event being handled
	orders []Order

	pool      pool
	claiming  bool // a claim has no answer yet
	missed    bool // there was something to do during it
	known     int  // ready tasks that the caller of dispatch knew about
	wanting   int  // ready tasks for which there was no idle runner
	parked    int  // attempts that are waiting for other tasks, when last counted
	adopted   int  // running attempts, except those of our runners that are known to have a task
	elsewhere int  // how many of adopted this manager cannot end
	look      look
	held      held
	failures  int       // runners in a row that failed before they had a task
	fruitless int       // claims in a row that found nothing
	quiet     time.Time // not zero: nothing is claimed or started until then
	stopping  bool
	leave     bool // stopping without ending the running tasks
	stopAt    time.Time
}

// New returns the Dispatcher of a manager that runs at most this many tasks at the same
// time; with oneJob, only tasks of one job. The attempts are those that are running at
// its start.
func New(places int, oneJob bool, attempts []Attempt) *Dispatcher {
	d := &Dispatcher{places: places, oneJob: oneJob, pool: newPool(), look: newLook()}
	d.recount(attempts)
	return d
}

// Handle processes an event that happened now, and returns orders to be carried out in
// sequence. [Count], [CountParked] and [Start] must be answered before any other event.
func (d *Dispatcher) Handle(now time.Time, e Event) []Order {
	d.now = now
	e.happen(d)
	out := d.orders
	d.orders = nil
	return out
}

func (d *Dispatcher) order(o Order) { d.orders = append(d.orders, o) }

// Next returns when the dispatcher needs a [Due] event; zero: not before some other
// event. This is the only timer of a manager: for the end of a pause, and for the first
// time that a task waits for, which comes with [Counted].
func (d *Dispatcher) Next() time.Time { return d.next() }

// Running returns how many attempts are running, as far as is known.
func (d *Dispatcher) Running() int { return d.pool.count(busy) + d.adopted }

// Done reports whether a stopping manager may exit. A claim in progress gets a moment,
// so that its tasks can be handed out. Unless tasks are to be left alone, none may be
// running, except those that another manager has to settle.
func (d *Dispatcher) Done(now time.Time) bool {
	const moment = 2 * time.Second
	switch {
	case !d.stopping:
		return false
	case d.leave:
		return d.pool.count(going) == 0 || now.Sub(d.stopAt) > moment
	case d.look.underWay:
		return false // a look may record a loss
	}
	ours := d.pool.count(going) + d.pool.count(busy)
	if d.oneJob {
		return ours == 0 // the other attempts are not ours to wait for
	}
	return ours+d.adopted-d.elsewhere == 0
}

// Released reports whether every remaining runner has a task, or may get one from a
// claim in progress.
func (d *Dispatcher) Released() bool {
	return len(d.pool.runners) <= d.pool.count(busy)+d.pool.count(going)
}

// sends reports whether runners may be started and tasks claimed at present.
func (d *Dispatcher) sends() bool { return !d.stopping && d.quiet.IsZero() }

// free returns how many more tasks may be claimed.
func (d *Dispatcher) free() int {
	if !d.sends() {
		return 0
	}
	return max(0, d.places+d.parked-d.pool.count(going)-d.pool.count(busy)-d.adopted)
}

// dispatch claims tasks for idle runners, and starts runners if there are not enough.
// The argument is how many ready tasks the caller knows about; if 0, the database is
// asked.
func (d *Dispatcher) dispatch(known int) {
	if d.missed = d.claiming; d.missed {
		return // wait for the result of the claim
	}
	d.known = known
	if d.sends() && d.free() == 0 {
		d.order(CountParked{}) // continues at Parked
		return
	}
	d.count()
}

// count finds out how many tasks are ready, if that is not known.
func (d *Dispatcher) count() {
	if free := d.free(); free > 0 && d.known == 0 {
		d.order(Count{free}) // continues at Counted
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

// start makes sure that enough runners are starting for the ready tasks, not counting
// those that hang, and keeps spare ones, so that the next task does not have to wait
// for a runner: one when idle, two while tasks come and go. Spare runners do not count
// as running; if all places are taken, they wait for a free one.
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

// pause stops claims and starts for a second.
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
		d.held.due = e.Due
		d.letGo()
		d.fill(e.Ready)
	}
}

func (Due) happen(d *Dispatcher) {
	d.letGo()
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

// A runner with a claim in progress gets no message: it may already have a task, and
// looks for it when this process has exited.
func (Release) happen(d *Dispatcher) {
	for _, id := range slices.Sorted(maps.Keys(d.pool.runners)) {
		if d.pool.place(id) != going {
			d.order(Dismiss{id})
		}
	}
}
