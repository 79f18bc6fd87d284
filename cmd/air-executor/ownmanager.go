package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// ownManager is a manager inside this process, for one job.
type ownManager struct {
	ui   *ui
	ws   *workspace
	job  string
	m    *manager.Manager
	done chan error

	trouble atomic.Pointer[string] // what keeps its tasks from starting
}

// ensure starts the manager if nobody serves, and returns its error if it failed.
func (o *ownManager) ensure() error {
	if o.m != nil {
		select {
		case err := <-o.done:
			o.m = nil
			return err
		default:
			return nil
		}
	}
	on, err := o.ws.serving()
	if err != nil || on {
		return err
	}
	conf, err := o.ws.config()
	if err != nil {
		return err
	}
	o.ws.noteLink(conf)
	return o.start(conf)
}

func (o *ownManager) start(conf *config.Config) error {
	log, err := openManagerLog(conf)
	if err != nil {
		return err
	}
	// Once it works, Ctrl-C must not cut its transactions short; it is told to stop.
	ctx := context.WithoutCancel(o.ws.ctx)
	process.OwnSlack(runner.Slack)
	m, err := manager.New(o.ws.ctx, manager.Options{
		Config: conf, Log: newLogger(newSink(log), conf.LogLevel, conf.LogFormat), RunnerLog: log, OnlyJob: o.job,
		Trouble: func(text string) { o.trouble.Store(&text) },
	})
	if err != nil {
		log.Close()
		if errors.Is(err, manager.ErrRunning) {
			return nil // another process was faster
		}
		return err
	}
	o.m, o.done = m, make(chan error, 1)
	keeper := startKeeper(conf.BasePath, log, nil)
	go func() {
		defer log.Close()
		defer keeper.close()
		o.done <- m.Run(ctx)
	}()
	return nil
}

// stop stops the manager, if there is one, and waits for its end.
func (o *ownManager) stop(how db.Stop) {
	if o.m == nil {
		return
	}
	o.m.Stop(how)
	if err := <-o.done; err != nil {
		o.ui.notef("manager: %v", err)
	}
	o.m = nil
}
