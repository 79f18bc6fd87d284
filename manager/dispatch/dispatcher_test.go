package dispatch_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/manager/dispatch"
)

// bench is a dispatcher with a clock that the test moves, and with answers to what
// is asked at once. The other orders are kept for the test.
type bench struct {
	*dispatch.Dispatcher
	t      *testing.T
	now    time.Time
	ready  int         // jobs with a task to claim
	parked int         // attempts that are parked
	broken bool        // no runner can be started
	last   dispatch.ID // runner that was started last
	orders []dispatch.Order
}

func newBench(t *testing.T, places int, attempts ...dispatch.Attempt) *bench {
	return &bench{Dispatcher: dispatch.New(places, false, attempts), t: t, now: time.Unix(1, 0)}
}

// happens tells the dispatcher of these events.
func (b *bench) happens(events ...dispatch.Event) {
	for _, e := range events {
		for _, o := range b.Handle(b.now, e) {
			switch o := o.(type) {
			case dispatch.Count:
				b.happens(dispatch.Counted{Ready: min(b.ready, o.Limit)})
			case dispatch.CountParked:
				b.happens(dispatch.Parked{Attempts: b.parked})
			case dispatch.Start:
				b.orders = append(b.orders, o)
				for range o.Runners {
					if b.broken {
						b.happens(dispatch.NotStarted{})
						break
					}
					b.last++
					b.happens(dispatch.Started{Runner: b.last})
				}
			default:
				b.orders = append(b.orders, o)
			}
		}
	}
}

// wants compares the orders since the last call.
func (b *bench) wants(want ...dispatch.Order) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.orders); diff != "" {
		b.t.Errorf("orders (-want +got):\n%s", diff)
	}
	b.orders = nil
}

// claimed is the answer to a claim that found a task for each runner.
func claimed(runners ...dispatch.ID) dispatch.Claimed {
	c := dispatch.Claimed{Runners: runners, HasTask: map[dispatch.ID]bool{}}
	for _, r := range runners {
		c.HasTask[r] = true
	}
	return c
}

func claim(runners ...dispatch.ID) dispatch.Claim { return dispatch.Claim{Runners: runners} }
func ready(r dispatch.ID) dispatch.Ready          { return dispatch.Ready{Runner: r} }
func exited(r dispatch.ID) dispatch.Exited        { return dispatch.Exited{Runner: r} }
func assign(r dispatch.ID) dispatch.Assign        { return dispatch.Assign{Runner: r} }

func TestATaskGetsARunnerThatWasStartedAhead(t *testing.T) {
	b := newBench(t, 2)
	b.happens(dispatch.Woken{})
	b.wants(dispatch.Start{Runners: 1})
	b.happens(ready(1))
	b.ready = 1
	b.happens(dispatch.Woken{})
	b.wants(claim(1), dispatch.Start{Runners: 2}) // two are kept while tasks come and go
	b.ready = 0
	b.happens(claimed(1))
	b.wants(assign(1))
	b.happens(dispatch.Finished{Runner: 1}, exited(1))
	b.wants()
	if b.Running() != 0 {
		t.Errorf("%d attempts are under way", b.Running())
	}
}

// Three tasks wait for three runners that are starting. The second and the third
// are ready while the claim for the first is under way, and get theirs after it.
func TestRunnersThatAreReadyDuringAClaimGetATask(t *testing.T) {
	b := newBench(t, 10)
	b.ready = 3
	b.happens(dispatch.Woken{})
	b.wants(dispatch.Start{Runners: 3})
	b.happens(ready(1))
	b.wants(claim(1))
	b.happens(ready(2), ready(3))
	b.wants()
	b.ready = 2
	b.happens(claimed(1))
	b.wants(assign(1), claim(2, 3), dispatch.Start{Runners: 2})
}

// Another manager has taken the only place since the last look. A task that is
// refused because of that must not wait for the poll when the place is free.
func TestPlacesAreCountedAgainWhenAClaimIsRefused(t *testing.T) {
	b := newBench(t, 1)
	b.ready = 1
	b.happens(dispatch.Woken{}, ready(1))
	b.wants(dispatch.Start{Runners: 1}, claim(1), dispatch.Start{Runners: 2})
	b.happens(dispatch.Claimed{Runners: []dispatch.ID{1}})
	b.wants(dispatch.Look{})
	b.happens(dispatch.Looked{Attempts: []dispatch.Attempt{{Runner: 99}}})
	b.wants()
	if b.Running() != 1 {
		t.Errorf("%d attempts of others are known", b.Running())
	}
	b.happens(dispatch.Tick{}) // it looks until the other has ended
	b.wants(dispatch.Look{})
	b.happens(dispatch.Looked{})
	b.wants(claim(1))
}

func TestARunnerThatHangsAtItsStartIsNotWaitedFor(t *testing.T) {
	b := newBench(t, 1)
	b.happens(dispatch.Woken{})
	b.wants(dispatch.Start{Runners: 1})
	b.now = b.now.Add(time.Minute)
	b.happens(dispatch.Woken{})
	b.wants(dispatch.Start{Runners: 1})
	b.happens(dispatch.Woken{})
	b.wants()
}

func TestAParkedAttemptLendsItsPlace(t *testing.T) {
	b := newBench(t, 1)
	b.ready = 1
	b.happens(dispatch.Woken{}, ready(1), claimed(1), ready(2))
	b.wants(dispatch.Start{Runners: 1}, claim(1), dispatch.Start{Runners: 2}, assign(1))
	b.parked = 1
	b.happens(dispatch.Woken{})
	b.wants(claim(2), dispatch.Start{Runners: 1})
	b.happens(claimed(2))
	b.wants(assign(2))
	// The waiting command was killed: the place is taken back.
	b.happens(dispatch.Tick{})
	b.wants(dispatch.Look{Parked: true})
	b.parked = 0
	b.happens(dispatch.Looked{Attempts: []dispatch.Attempt{{Runner: 1}, {Runner: 2}}, Freed: true}, ready(3))
	b.wants()
}

// Runners that end before they had a task may be many: then there is a pause.
func TestRunnersThatEndAtOnceArePausedFor(t *testing.T) {
	b := newBench(t, 1)
	b.happens(dispatch.Woken{})
	b.wants(dispatch.Start{Runners: 1})
	for id := dispatch.ID(1); id < 3; id++ {
		b.happens(exited(id))
		b.wants(dispatch.Warn{Runner: id}, dispatch.Look{})
		b.happens(dispatch.Looked{})
		b.wants(dispatch.Start{Runners: 1})
	}
	b.happens(exited(3))
	b.wants(dispatch.Warn{Runner: 3}, dispatch.Blame{Runner: 3}, dispatch.Look{})
	b.ready = 1
	b.happens(dispatch.Looked{}, dispatch.Woken{})
	b.wants()
	b.happens(dispatch.Due{}) // too early
	b.wants()
	b.now = b.Next()
	b.happens(dispatch.Due{})
	b.wants(dispatch.Start{Runners: 1})
	if !b.Next().IsZero() {
		t.Error("it is still to be called at some time")
	}
}

func TestAfterAFailedStartThereIsAPause(t *testing.T) {
	b := newBench(t, 5)
	b.ready, b.broken = 5, true
	b.happens(dispatch.Woken{}, dispatch.Woken{}, dispatch.Poll{}, dispatch.Looked{})
	b.wants(dispatch.Start{Runners: 5}, dispatch.Look{})
	if want := b.now.Add(time.Second); !b.Next().Equal(want) {
		t.Errorf("it goes on at %v, not %v", b.Next(), want)
	}
}

// The database says no to every claim, although places seem to be free.
func TestClaimsThatKeepFindingNothingArePausedFor(t *testing.T) {
	b := newBench(t, 1)
	b.ready = 1
	b.happens(dispatch.Woken{}, ready(1))
	for range 3 {
		if !b.Next().IsZero() {
			t.Fatal("it pauses too early")
		}
		b.happens(dispatch.Claimed{Runners: []dispatch.ID{1}}, dispatch.Looked{})
	}
	if b.Next().IsZero() {
		t.Error("it asks again and again")
	}
}

func TestARunnerThatHoldsNoLockGetsNoTask(t *testing.T) {
	b := newBench(t, 1)
	b.ready = 1
	b.happens(dispatch.Woken{}, ready(1))
	b.orders = nil
	b.happens(dispatch.Claimed{Runners: []dispatch.ID{1}, HoldNone: map[dispatch.ID]bool{1: true}})
	b.wants(dispatch.Dismiss{Runner: 1}, dispatch.Look{})
	b.happens(exited(1), dispatch.Looked{}, ready(2))
	b.wants(claim(2), dispatch.Start{Runners: 1})
}

// What a look has read may be older than what has happened meanwhile.
func TestALookIsOlderThanWhatHappensMeanwhile(t *testing.T) {
	running := func(t *testing.T) *bench {
		b := newBench(t, 1)
		b.ready = 1
		b.happens(dispatch.Woken{}, ready(1), claimed(1), ready(2))
		b.ready = 0
		b.happens(dispatch.Tick{})
		b.orders = nil
		return b
	}
	mine := dispatch.Attempt{Runner: 1}
	t.Run("finished", func(t *testing.T) {
		b := running(t)
		b.happens(dispatch.Finished{Runner: 1}, exited(1), dispatch.Looked{Attempts: []dispatch.Attempt{mine}})
		if b.Running() != 0 {
			t.Error("an attempt that has ended takes a place")
		}
		b.wants()
	})
	t.Run("died", func(t *testing.T) {
		b := running(t)
		b.ready = 1
		b.happens(exited(1))
		b.wants(dispatch.Warn{Runner: 1, HadTask: true})
		if b.Running() != 1 {
			t.Error("its place is free before the loss is recorded")
		}
		b.happens(dispatch.Looked{Attempts: []dispatch.Attempt{mine}})
		b.wants(dispatch.Look{})
		b.happens(dispatch.Looked{})
		b.wants(claim(2), dispatch.Start{Runners: 1})
	})
	t.Run("claimed for one that has died", func(t *testing.T) {
		b := newBench(t, 1)
		b.ready = 1
		b.happens(dispatch.Woken{}, ready(1), exited(1), claimed(1), dispatch.Looked{})
		if b.Running() != 1 {
			t.Error("the lost attempt is not known, and nobody looks for it")
		}
	})
}

func TestDrainWaitsForAllThatRuns(t *testing.T) {
	b := newBench(t, 3, dispatch.Attempt{Runner: 98}, dispatch.Attempt{Runner: 99, Elsewhere: true})
	b.ready = 1
	b.happens(dispatch.Woken{}, ready(1))
	b.orders = nil
	b.happens(dispatch.Stop{})
	b.wants(dispatch.Dismiss{Runner: 2}, dispatch.Dismiss{Runner: 3})
	b.happens(claimed(1)) // it was committed before
	b.wants(assign(1), dispatch.Dismiss{Runner: 1})
	for _, e := range []dispatch.Event{
		dispatch.Finished{Runner: 1}, exited(1), dispatch.Tick{},
	} {
		if b.Done(b.now) {
			t.Fatalf("it is done before %T", e)
		}
		b.happens(e)
	}
	b.wants(dispatch.Look{})
	b.happens(dispatch.Looked{Attempts: []dispatch.Attempt{{Runner: 99, Elsewhere: true}}})
	if !b.Done(b.now) {
		t.Error("it waits for what only another manager can end")
	}
	b.wants()
}

func TestLeaveWaitsForAClaimForAMoment(t *testing.T) {
	b := newBench(t, 1)
	b.ready = 1
	b.happens(dispatch.Woken{}, ready(1), dispatch.Stop{Leave: true})
	if b.Done(b.now) {
		t.Error("the claim is not waited for")
	}
	if !b.Done(b.now.Add(time.Minute)) {
		t.Error("the claim is waited for too long")
	}
	b.happens(claimed(1))
	if !b.Done(b.now) {
		t.Error("the task is waited for")
	}
	if b.Released() {
		t.Error("runners that were told to end are not waited for")
	}
	b.happens(exited(2), exited(3))
	if !b.Released() {
		t.Error("the runner with the task is waited for")
	}
}
