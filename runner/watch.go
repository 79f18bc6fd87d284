package runner

import (
	"context"
	"sync"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/runner/process"
)

// lookEvery is how often a runner whose command runs looks after its lock, and
// into the database, if that has changed: somebody may have asked for the end of
// the task and may not be able to signal this process.
const lookEvery = time.Second

// watched runs the command of an attempt, and ends it when somebody asks for that.
// One that ends at once is not watched: see [process.Command.Beside].
func (w *worker) watched(a *db.Assignment, c process.Command) process.Exit {
	cancel := make(chan struct{})
	c.Beside = func(over <-chan struct{}) {
		// One that ends at once has one line in the log, that of its end.
		w.log.Info("task started", "job", a.Job, "task", a.Task, "attempt", a.Attempt)
		asked := make(chan struct{})
		var looking sync.WaitGroup
		// Apart, so that a signal does not wait for the database.
		looking.Go(func() { w.look(a, asked, over) })
		select {
		case <-over:
		case <-w.told:
			close(cancel)
		case <-asked:
			close(cancel)
		}
		looking.Wait()
	}
	return process.Run(c, cancel)
}

// look looks again and again until the command is over, and closes asked when
// somebody has asked for its end.
func (w *worker) look(a *db.Assignment, asked chan<- struct{}, over <-chan struct{}) {
	tick := time.NewTicker(failpoint.Haste(lookEvery))
	defer tick.Stop()
	for seen := int64(-1); ; {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		failpoint.Hit("runner.look")
		_ = w.checkLock() // has said so, and the task goes on
		if w.cancelAsked(a, &seen) {
			close(asked)
			return
		}
	}
}

// cancelAsked reports whether somebody has asked for the end of the attempt. It
// reads the row only if the database has changed since it was at state seen.
func (w *worker) cancelAsked(a *db.Assignment, seen *int64) bool {
	ctx := context.Background()
	now, err := w.db.Changes(ctx)
	if err != nil || now == *seen {
		return false // an error will be met again, and said, when the result is recorded
	}
	asked, err := w.db.CancelAsked(ctx, a)
	if err == nil {
		*seen = now
	}
	return asked
}

// checkLock returns an error if this runner no longer holds its lock, and says
// so once. Everybody takes it for dead then.
func (w *worker) checkLock() error {
	err := w.lock.Check()
	if err != nil && !w.lost {
		w.lost = true
		w.log.Error("this runner no longer holds its lock: its task is taken for lost", "error", err)
	}
	return err
}
