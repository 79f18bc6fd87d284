// Package runner is the process that runs one task: it is started by the manager,
// runs the task's command and records the result in the database.
//
// A runner is started with its kernel lock on file descriptor 3, and with one end of a
// pair of sockets, the link to its manager, on descriptor 4. It opens the database,
// reports that it is ready, and waits; so it can be started in advance. The manager
// claims a task for it. That commit marks the task as running before its command
// starts, and identifies this process. From then on the runner does not need the
// manager: it ends the command at its time limit or when it is told to, and commits the
// result. Its kernel lock tells all other processes that it is alive.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner/process"
)

// worker is the state of a runner process.
type worker struct {
	setup Setup
	lock  *lock.Own // nil until it is known to be held
	db    *db.DB
	link  link
	log   *slog.Logger
	told  chan struct{}  // closed when a signal tells this runner to stop
	poked chan os.Signal // a signal tells it to look now for what it was asked
	lost  bool           // the loss of the lock was logged
}

// Main runs a runner process from start to end. The arguments are those of the process,
// without the program. It returns the exit code.
//
// newLogger is called once. Writes to the file that it gets fail when the reader of the
// log has exited. (If the file were standard error, Go would end the process then,
// unless it handled SIGPIPE, which takes every runner some time.)
func Main(args []string, newLogger func(log *os.File, level, format string) *slog.Logger) int {
	setup, err := parseSetup(args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "air-executor: %v\n", err)
		return 2
	}
	w, err := newWorker(setup)
	// The lock and the link stay open as long as the worker is reachable: the garbage
	// collector closes unreachable files.
	defer runtime.KeepAlive(w)
	if err == nil {
		err = useLog()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // to the manager, which logs it unless it has already
		return 1
	}
	w.log = newLogger(os.NewFile(fdLog, "log"), setup.LogLevel, setup.LogFormat)
	if err := w.serve(); err != nil {
		w.log.Error("runner failed", "error", err)
		return 1
	}
	return 0
}

// newWorker does everything that can be done before the task is known.
func newWorker(setup Setup) (*worker, error) {
	held, link := inherit()
	w := &worker{setup: setup, link: link, told: make(chan struct{}), poked: make(chan os.Signal, 1)}
	var err error
	if w.lock, err = lock.Keep(held, setup.Lock); err != nil {
		return w, fmt.Errorf("runner lock: %w", err)
	}
	if err := process.Subreaper(); err != nil {
		return w, fmt.Errorf("become subreaper: %w", err)
	}
	w.watchSignals()
	time.AfterFunc(failpoint.Haste(untuneAfter), collect)
	ctx := context.Background()
	w.db, err = db.Open(ctx, setup.BasePath, db.Options{Durability: setup.Durability, Runner: true})
	if err != nil {
		return w, err
	}
	return w, w.db.Prepare(ctx)
}

// watchSignals makes termination signals end the task, or the process if it has no
// task. As a side effect, commands start with the default handling of these signals.
func (w *worker) watchSignals() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	signal.Notify(w.poked, syscall.SIGCONT)
	go func() {
		<-signals
		close(w.told)
		// If it is still waiting for a task, it checks whether there is one, and exits.
		w.link.hangUp()
	}()
}

// serve waits for a task, and runs it.
func (w *worker) serve() error {
	w.link.say(saidReady)
	failpoint.Hit("runner.ready")
	a, err := w.task()
	if err != nil || a == nil {
		failpoint.Hit("runner.leaves")
		return err
	}
	failpoint.Hit("runner.assigned")
	return w.work(a)
}

// task waits for the task of this runner; nil: there is none. If the manager died
// after the claim but before sending the task, the database has it.
func (w *worker) task() (*db.Assignment, error) {
	b, err := w.link.receive()
	switch {
	case err != nil || b != nil && len(b) == 0:
		return nil, err
	case b == nil:
		return w.assigned()
	}
	return db.DecodeAssignment(b)
}

// assigned looks for the task of this runner in the database. If there is none, the
// runner releases its lock before any other process can write, so that no task is
// claimed for it while it exits. It retries errors, because a task that it has not seen
// would be lost.
func (w *worker) assigned() (a *db.Assignment, err error) {
	failpoint.Hit("runner.looks_for_task")
	err = w.insist("look for a task", func(bool) error {
		a, err = w.db.Assigned(context.Background(), w.setup.Lock, w.setup.BootID, func() { w.lock.Close() })
		return err
	})
	return a, err
}

// work runs the task and then more of the same job, up to tasks_per_runner in all.
func (w *worker) work(a *db.Assignment) error {
	for n := 1; a != nil; n++ {
		if w.isTold() {
			if given, err := w.giveBack(a); given || err != nil {
				return err
			}
		}
		result := w.attempt(a)
		more := n < w.setup.TasksPerRunner && !w.isTold() && !w.link.gone()
		done, err := w.record(a, result, more)
		failpoint.Hit("runner.after_finish")
		if errors.Is(err, db.ErrFenced) {
			w.log.Warn("result discarded: the attempt was ended by somebody else", "job", a.Job, "task", a.Task, "attempt", a.Attempt)
		} else if err != nil {
			return fmt.Errorf("record the result of task %q of job %q: %w", a.Task, a.Job, err)
		}
		if a = done.Next; a == nil {
			w.announce(done.Ready)
		} else if done.Ready { // more than this runner can do at once
			w.db.Wake()
		}
	}
	return nil
}

// giveBack makes the task pending again, unless the task itself was cancelled. Its
// command has not been started and will not be.
func (w *worker) giveBack(a *db.Assignment) (given bool, err error) {
	err = w.insist("give a task back", func(doubt bool) error {
		given, err = w.db.GiveBack(context.Background(), a)
		if doubt && errors.Is(err, db.ErrFenced) {
			given, err = true, nil // the attempt is gone: the first try was stored
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("give back task %q of job %q: %w", a.Task, a.Job, err)
	}
	if given {
		w.log.Info("task given back before it started", "job", a.Job, "task", a.Task, "attempt", a.Attempt)
		w.announce(true)
	}
	return given, nil
}

// announce tells the current manager that the job's place is free.
func (w *worker) announce(ready bool) {
	w.link.say(saidDone(ready))
	if w.link.gone() {
		w.db.Wake()
	}
}

// isTold reports whether this runner was told to stop.
func (w *worker) isTold() bool {
	select {
	case <-w.told:
		return true
	default:
		return false
	}
}

// attempt runs the command of a task.
func (w *worker) attempt(a *db.Assignment) job.Result {
	if w.isTold() {
		return job.Result{Status: job.Failed, Reason: job.Cancelled, Error: "cancelled before it started"}
	}
	out, err := openLog(w.setup.BasePath, a)
	if err != nil {
		return job.Result{Status: job.Failed, Reason: job.NotStarted, Error: "log: " + err.Error()}
	}
	defer out.Close()
	timeout := a.Timeout
	if timeout == 0 {
		timeout = w.setup.TaskTimeout
	}
	failpoint.Hit("runner.before_start")
	in, err := w.input(a)
	if err != nil {
		return job.Result{Status: job.Failed, Reason: job.NotStarted, Error: "standard input: " + err.Error()}
	}
	defer in.close()
	exit := w.watched(a, w.command(a, in, out, timeout))
	r := result(exit, timeout)
	note(out, exit, r)
	w.log.Info("task ended", "job", a.Job, "task", a.Task, "attempt", a.Attempt, "status", string(r.Status), "error", r.Error)
	return r
}

// record commits the result, which is the most important thing that this process does.
// With next, it also claims the next task of the job, unless the runner has lost its
// lock: then other processes consider it dead.
func (w *worker) record(a *db.Assignment, r job.Result, next bool) (done db.Finished, err error) {
	failpoint.Hit("runner.before_finish")
	if err := w.checkLock(); err != nil {
		if r.Signal == "SIGKILL" {
			// The manager kills what a dead runner has left behind.
			return done, err
		}
		next = false
	}
	err = w.insist("record a result", func(doubt bool) error {
		done, err = w.db.Finish(context.Background(), a, r, next)
		if doubt && errors.Is(err, db.ErrFenced) {
			done, err = w.db.Recorded(context.Background(), a, r)
		}
		return err
	})
	return done, err
}

// patience is how long a runner keeps retrying while the database cannot be written.
const patience = time.Hour

// insist retries a change of the database until it succeeds. The argument doubt tells
// change that an earlier try may have been committed although it returned an error.
func (w *worker) insist(what string, try func(doubt bool) error) error {
	doubt := false
	for begin := time.Now(); ; time.Sleep(time.Second) {
		err := try(doubt)
		if err == nil || hopeless(err) || time.Since(begin) > patience {
			return err
		}
		doubt = doubt || errors.Is(err, db.ErrInDoubt)
		w.log.Error("cannot "+what+" yet", "error", err)
	}
}

func hopeless(err error) bool {
	for _, e := range []error{db.ErrFenced, db.ErrCorrupt, db.ErrForeign, db.ErrReplaced} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
