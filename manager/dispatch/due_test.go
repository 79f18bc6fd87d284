package dispatch_test

import (
	"testing"
	"time"

	"github.com/air-executor/air-executor/manager/dispatch"
)

// waits tells the dispatcher of a task that waits for a time.
func (b *bench) waits(due time.Time) {
	b.happens(dispatch.Counted{Due: due})
	b.orders = nil
}

func TestTheTimerIsSetToTheFirstTimeThatATaskWaitsFor(t *testing.T) {
	b := newBench(t, 2)
	due := b.now.Add(time.Minute)
	b.waits(due)
	if !b.Next().Equal(due) {
		t.Errorf("the timer is set to %s, not %s", b.Next(), due)
	}
	b.now = due.Add(-time.Microsecond)
	b.happens(dispatch.Due{}, dispatch.Tick{})
	b.wants()
	b.now = due
	b.happens(dispatch.Due{})
	b.wants(dispatch.LetGo{})
	if !b.Next().IsZero() {
		t.Errorf("while it is being let go, the timer is set to %s", b.Next())
	}
	b.happens(dispatch.Due{}, dispatch.Tick{})
	b.wants() // one question at a time
	b.ready = 1
	b.happens(dispatch.Started{Runner: 7}, ready(7))
	b.orders = nil
	b.happens(dispatch.LetGone{Holds: 1, Due: due.Add(time.Hour)})
	b.happens(dispatch.Counted{Due: due.Add(time.Hour)})
	if !b.Next().Equal(due.Add(time.Hour)) {
		t.Errorf("the timer is set to %s", b.Next())
	}
}

// The timer runs by the time that passes, and what is due by the clock: after the
// clock was set forward, or a machine has slept, the next tick finds it.
func TestATickLetsGoOfWhatAClockThatWasSetMadeDue(t *testing.T) {
	b := newBench(t, 2)
	due := b.now.Add(3 * time.Hour)
	b.waits(due)
	b.now = due.Add(time.Hour)
	b.happens(dispatch.Tick{})
	b.wants(dispatch.LetGo{})
	b.happens(dispatch.LetGone{Failed: true})
	b.wants()
	b.happens(dispatch.Tick{})
	b.wants(dispatch.LetGo{})
}

func TestAManagerThatStopsLetsGoOfNothing(t *testing.T) {
	b := newBench(t, 2)
	b.waits(b.now.Add(time.Minute))
	b.happens(dispatch.Stop{})
	b.orders = nil
	if !b.Next().IsZero() {
		t.Errorf("the timer is set to %s", b.Next())
	}
	b.now = b.now.Add(time.Hour)
	b.happens(dispatch.Due{})
	b.wants()
}
