package manager

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager/dispatch"
	"github.com/air-executor/air-executor/runner"
)

// dispatching is the service that runs tasks: it tells the dispatcher what happens,
// and carries out its orders. It also stops the manager.
type dispatching struct {
	dispatcher *dispatch.Dispatcher
	db         *db.DB
	log        *slog.Logger
	onlyJob    string
	poll       time.Duration
	trouble    *troubles
	requests   *requests
	recovery   *recovery
	holding    *holding
	fleet      fleet
	claims     claims
	tasks      map[dispatch.ID]*db.Assignment // of the claim that is being handled
	woken      <-chan struct{}
	running    atomic.Int64 // running attempts, for other goroutines to read
	onTerm     db.Stop
	begins     func()  // called when the manager begins to stop; may be nil
	wakes      func()  // is called when something was stored; may be nil
	stopping   db.Stop // empty: it serves
}

func (m *Manager) newDispatching(d *dispatch.Dispatcher) *dispatching {
	s := &dispatching{
		dispatcher: d, db: m.db, log: m.log, onlyJob: m.options.OnlyJob, poll: m.config.PollInterval, trouble: m.trouble,
		requests: m.requests, recovery: m.recovery, holding: m.holding, fleet: newFleet(m.exe, m.setup(), m.self, m.options.RunnerLog),
		onTerm: m.options.OnTerm, begins: m.options.Stopping,
	}
	s.claims = claims{db: m.db, log: m.log, places: m.config.MaxConcurrentRunners, onlyJob: m.options.OnlyJob}
	return s
}

// Run returns errStopped once the manager was told to stop and has nothing left to wait
// for.
func (s *dispatching) Run(ctx context.Context) error {
	s.listen(ctx)
	err := s.loop(ctx)
	s.release(ctx)
	return err
}

// listen lets other processes wake the manager. If several managers listen, each
// wake-up reaches only one of them, so the manager of a single job does not listen
// while another one serves. Its own runners tell it when tasks of its job end, and it
// polls every second.
func (s *dispatching) listen(ctx context.Context) {
	if s.onlyJob != "" {
		return
	}
	var err error
	if s.woken, err = s.db.Listen(ctx); err != nil {
		s.log.Warn("new work is noticed by polling only", "error", err)
	}
}

// loop waits for the next event, and handles it.
func (s *dispatching) loop(ctx context.Context) error {
	poll := time.NewTicker(s.poll)
	defer poll.Stop()
	watch := time.NewTicker(time.Second)
	defer watch.Stop()
	due := newAlarm()
	defer due.Stop()
	if s.requests.told(ctx) { // during the start
		s.stop(ctx, <-s.requests.stops)
	}
	s.handle(ctx, dispatch.Woken{})
	for !s.dispatcher.Done(time.Now()) {
		due.set(s.dispatcher.Next())
		select {
		case <-ctx.Done():
			return nil
		case e := <-s.fleet.events:
			s.heard(ctx, e)
		case c := <-s.claims.done:
			s.claimed(ctx, c)
		case found := <-s.recovery.found:
			s.handle(ctx, found)
		case gone := <-s.holding.found:
			s.handle(ctx, gone)
		case _, open := <-s.woken:
			if !open {
				s.log.Warn("new work is noticed by polling only", "error", "the pipe cannot be read")
				s.woken = nil // a closed channel would always be ready
			}
			s.handle(ctx, dispatch.Woken{})
			if s.wakes != nil {
				s.wakes()
			}
		case <-poll.C:
			s.handle(ctx, dispatch.Poll{})
		case <-watch.C:
			s.tick(ctx)
		case <-due.C:
			s.handle(ctx, dispatch.Due{})
		case how := <-s.requests.stops:
			s.stop(ctx, how)
		}
	}
	return errStopped
}

// tick is called every second.
func (s *dispatching) tick(ctx context.Context) {
	s.requests.told(ctx) // requests that it finds arrive in stops
	s.fleet.reap()
	s.handle(ctx, dispatch.Tick{})
	if s.stopping == db.StopKill {
		s.kill(ctx) // a claim that was in progress may have added tasks since
	}
}

// alarm is a timer that can be reset.
type alarm struct {
	*time.Timer
	at time.Time
}

func newAlarm() *alarm {
	a := &alarm{Timer: time.NewTimer(time.Hour)}
	a.Stop()
	return a
}

// set makes the alarm go off at this time; zero: not at all.
func (a *alarm) set(at time.Time) {
	if at.Equal(a.at) {
		return
	}
	if a.at = at; at.IsZero() {
		a.Stop()
	} else {
		a.Reset(time.Until(at))
	}
}

// heard handles an event of a runner.
func (s *dispatching) heard(ctx context.Context, e runnerEvent) {
	switch id := id(e.runner); e.what {
	case runner.Ready:
		s.trouble.report(noRunner, "", nil)
		s.handle(ctx, dispatch.Ready{Runner: id})
	case runner.More, runner.Last:
		s.handle(ctx, dispatch.Finished{Runner: id, More: e.what == runner.More})
	case runner.Exited:
		s.handle(ctx, dispatch.Exited{Runner: id})
		delete(s.fleet.runners, id)
	}
}

// claimed handles the answer to a claim.
func (s *dispatching) claimed(ctx context.Context, c claimed) {
	s.claims.busy = false
	if !c.Unknown && !c.GivenUp {
		s.trouble.report(noClaim, "cannot claim", c.err)
	}
	s.tasks = c.tasks
	s.handle(ctx, c.Claimed)
	s.tasks = nil
}

// handle passes an event to the dispatcher, and carries out its orders.
func (s *dispatching) handle(ctx context.Context, e dispatch.Event) {
	for _, o := range s.dispatcher.Handle(time.Now(), e) {
		s.obey(ctx, o)
	}
	s.running.Store(int64(s.dispatcher.Running()))
}

// obey carries out one order.
func (s *dispatching) obey(ctx context.Context, o dispatch.Order) {
	switch o := o.(type) {
	case dispatch.Count:
		w, err := s.db.Work(ctx, o.Limit, s.onlyJob)
		s.trouble.report(noLook, "cannot look for work", err)
		s.handle(ctx, dispatch.Counted{Ready: w.Tasks, Due: w.Due, Failed: err != nil})
	case dispatch.CountParked:
		n, err := s.db.Parked(ctx)
		if err != nil {
			s.log.Error("cannot count the parked tasks", "error", err)
		}
		s.handle(ctx, dispatch.Parked{Attempts: n, Failed: err != nil})
	case dispatch.Start:
		s.start(ctx, o.Runners)
	case dispatch.Claim:
		s.claims.ask(s.fleet.these(o.Runners))
	case dispatch.Assign:
		s.fleet.runners[o.Runner].Assign(s.tasks[o.Runner])
	case dispatch.Dismiss:
		s.fleet.runners[o.Runner].Dismiss()
	case dispatch.Look:
		s.recovery.asked <- o
	case dispatch.LetGo:
		s.holding.asked <- struct{}{}
	case dispatch.Warn:
		s.warn(s.fleet.runners[o.Runner], o.HadTask)
	case dispatch.Blame:
		s.trouble.report(noRunner, "cannot start a runner", endsAtOnce(s.fleet.runners[o.Runner], o.WasReady))
	}
}

// start starts n runners, or as many as can be started.
func (s *dispatching) start(ctx context.Context, n int) {
	for range n {
		r, err := s.fleet.spawn()
		if err != nil {
			s.trouble.report(noRunner, "cannot start a runner", err)
			s.handle(ctx, dispatch.NotStarted{})
			return
		}
		s.handle(ctx, dispatch.Started{Runner: id(r)})
	}
}

// warn logs that a runner has exited too early.
func (s *dispatching) warn(r *runner.Process, hadTask bool) {
	if hadTask {
		s.log.Warn("a runner has ended without recording a result", "pid", r.PID, "ended", r.Ended, "said", r.LastWords())
	} else {
		s.log.Warn("a runner has ended before it had a task", "pid", r.PID, "said", r.LastWords(), "ended", r.Ended)
	}
}

// stop begins to stop, or changes to another way of stopping.
func (s *dispatching) stop(ctx context.Context, how db.Stop) {
	how = s.requests.resolve(ctx, how, s.stopping, s.onTerm)
	if how == s.stopping {
		s.log.Info("manager is stopping already", "how", how, "running", s.dispatcher.Running())
		return
	}
	s.log.Info("manager stops", "how", how, "running", s.dispatcher.Running())
	if s.stopping == "" && s.begins != nil {
		s.begins()
	}
	s.stopping = how
	s.claims.giveUp()
	s.handle(ctx, dispatch.Stop{Leave: how == db.StopLeave})
	if how == db.StopKill {
		s.kill(ctx)
	}
}

// kill tells every runner to end its task. The runners record the results.
func (s *dispatching) kill(ctx context.Context) {
	active, err := s.db.CancelRunning(ctx, s.onlyJob)
	if err != nil {
		s.log.Error("cannot cancel what runs", "error", err)
	}
	for _, a := range active {
		if err := Tell(a); err != nil {
			s.log.Error("cannot tell a runner to end its task", "job", a.Job, "task", a.Task, "error", err)
		}
	}
}

// release lets the runners go. Those without a task exit now, and are waited for; the
// others continue without a manager.
func (s *dispatching) release(ctx context.Context) {
	s.claims.giveUp()
	s.handle(ctx, dispatch.Release{})
	patience := time.After(2 * time.Second)
	for !s.dispatcher.Released() {
		select {
		case e := <-s.fleet.events:
			if e.what == runner.Exited {
				s.heard(ctx, e)
			}
		case <-patience:
			return
		}
	}
}
