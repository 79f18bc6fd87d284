package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// errToldToStop is returned if a manager was told to stop before it served.
var errToldToStop = errors.New("the manager was told to stop before it served")

// serve runs a manager process from start to end.
func (c *startCmd) serve(ctx context.Context, ui *ui, ws *workspace, signals signals) error {
	conf := ws.conf
	stops := manager.NewStops()
	told := stopOnSignals(signals, stops)
	ready, supervisor := readiness(c.Ready), newSupervisor()
	keeper := keepLog(conf, ui.err)
	defer keeper.close()
	s := newSink(ui.err)
	defer s.flush(time.Second)
	log := newLogger(s, conf.LogLevel, conf.LogFormat)
	if os.Getpid() == 1 {
		does := map[db.Stop]string{db.StopKill: "ends running tasks", db.StopDrain: "waits for running tasks"}
		log.Info(fmt.Sprintf("PID 1: SIGTERM %s (on_term: %s)", does[onTerm(conf)], onTerm(conf)))
	}
	// The context of the command ends with the first signal, but a manager has more to
	// do then.
	ctx = context.WithoutCancel(ctx)
	if !c.Ready { // in the background it is set up from the start
		process.OwnSlack(runner.Slack)
	}
	m, err := newManager(ctx, told, manager.Options{
		Config: conf, Log: log, RunnerLog: ui.err, OnTerm: onTerm(conf), Stops: stops,
		Stopping: supervisor.stopping, Alive: supervisor.alive,
	})
	if err != nil {
		err = ws.explainDenied(err)
		ready(err)
		if c.Ready {
			return silent(exitCode(err))
		}
		if errors.Is(err, manager.ErrRunning) {
			return alreadyRunning(ctx, ws, err)
		}
		return err
	}
	if m.Told() {
		ready(errToldToStop)
	} else {
		ready(nil)
		supervisor.ready()
	}
	if text := ws.unimported(nil); text != "" && !c.Ready {
		log.Warn(text)
	}
	endServer := func() {}
	if !m.Told() {
		endServer = serveBeside(conf, ui.err, log)
	}
	err = m.Run(ctx)
	endServer()
	if err != nil {
		log.Error("manager failed", "error", err)
		return silent(exitError)
	}
	return nil
}

// onTerm returns what SIGTERM does. Process 1 cannot leave tasks running: the kernel
// would kill them as soon as it exits.
func onTerm(conf *config.Config) db.Stop {
	if os.Getpid() == 1 && conf.OnTerm == string(db.StopLeave) {
		return db.StopKill
	}
	return db.Stop(conf.OnTerm)
}

// newManager starts a manager. If it is told to stop while its start waits for
// something that does not react to signals, such as a lock, the start is abandoned: the
// process exits, which is safe at any moment.
func newManager(ctx context.Context, told <-chan struct{}, o manager.Options) (*manager.Manager, error) {
	type made struct {
		m   *manager.Manager
		err error
	}
	done := make(chan made, 1)
	go func() {
		m, err := manager.New(ctx, o)
		done <- made{m, err}
	}()
	select {
	case made := <-done:
		return made.m, made.err
	case <-told:
	}
	const patience = 5 * time.Second
	select {
	case made := <-done:
		return made.m, made.err
	case <-time.After(patience):
		return nil, fmt.Errorf("%w; its start was waiting for something else", errToldToStop)
	}
}

// stopOnSignals makes SIGTERM stop the manager in the way that was requested or that
// on_term says, and Ctrl-C in the way that was requested. If the manager is still
// running at a second Ctrl-C, because it drains, it ends the tasks as well. SIGHUP
// stops nothing. The returned channel is closed at the first signal that stops the
// manager. There must be no second channel for signals: a signal that came between the
// two would be in neither.
func stopOnSignals(signals <-chan os.Signal, stops chan<- db.Stop) <-chan struct{} {
	told := make(chan struct{})
	go func() {
		var once sync.Once
		interrupts := 0
		for s := range signals {
			how := manager.Terminate
			switch s {
			case syscall.SIGHUP:
				continue // see keepLog
			case os.Interrupt:
				how = manager.AsAsked
				if interrupts++; interrupts > 1 {
					how = db.StopKill
				}
			}
			select {
			case stops <- how:
			default: // enough requests are pending already
			}
			once.Do(func() { close(told) })
		}
	}()
	return told
}

// readiness returns a function to call when it is clear whether the manager serves: it
// tells the process that started this one.
func readiness(toStarter bool) func(error) {
	if !toStarter {
		return func(error) {}
	}
	unix.CloseOnExec(3)
	answer := os.NewFile(3, "ready") // owns the descriptor from the start
	return func(err error) {
		if err != nil {
			fmt.Fprintf(answer, "%d %v\n", exitCode(err), err)
		} else {
			fmt.Fprintf(answer, "0 serving\n")
		}
		answer.Close()
	}
}
