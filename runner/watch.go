package runner

import (
	"sync"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/runner/process"
)

// lookEvery is how often a runner checks, while its command runs, that it still holds
// its lock, and, if the database has changed, whether the task was cancelled by a
// process that may not be able to signal this one.
const lookEvery = time.Second

// watched runs the command of an attempt, and ends it on request. A command that exits
// quickly is not watched: see [process.Command.Beside].
func (w *worker) watched(a *db.Assignment, c process.Command) process.Exit {
	cancel := make(chan struct{})
	c.Control = new(process.Control)
	c.Beside = func(over <-chan struct{}) {
		// A command that exits quickly has only one line in the log, that of its end.
		w.log.Info("task started", "job", a.Job, "task", a.Task, "attempt", a.Attempt)
		asked := make(chan struct{})
		var looking sync.WaitGroup
		// In its own goroutine, so that a signal does not wait for the database.
		looking.Go(func() { w.look(&steering{w, a, c.Control, false, false}, asked, over) })
		select {
		case <-over:
		case <-w.told:
			close(cancel)
		case <-asked:
			close(cancel)
		}
		looking.Wait()
	}
	e := process.Run(c, cancel)
	e.Asked = e.Signal != 0 && c.Control.Sent(e.Signal)
	return e
}

// look checks regularly until the command is over, and closes asked when the attempt is
// cancelled.
func (w *worker) look(s *steering, asked chan<- struct{}, over <-chan struct{}) {
	tick := time.NewTicker(failpoint.Haste(lookEvery))
	defer tick.Stop()
	for seen := int64(-1); ; {
		select {
		case <-over:
			return
		case <-tick.C:
		case <-w.poked:
		}
		failpoint.Hit("runner.look")
		_ = w.checkLock() // logged; the task continues
		if s.cancelled(&seen, over) {
			close(asked)
			return
		}
	}
}

// checkLock returns an error if this runner no longer holds its lock, and logs that
// once. All other processes consider it dead then.
func (w *worker) checkLock() error {
	err := w.lock.Check()
	if err != nil && !w.lost {
		w.lost = true
		w.log.Error("this runner no longer holds its lock: its task is taken for lost", "error", err)
	}
	return err
}
