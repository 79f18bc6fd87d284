package main

import (
	"context"
	"errors"
	"os"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
)

type startCmd struct {
	Foreground bool   `help:"Stay in the foreground and log to stderr, for systemd and containers."`
	OnTerm     string `enum:",leave,drain,kill" type:"word" words:"leave,drain,kill" default:"" placeholder:"WAY" help:"What SIGTERM does to running tasks: leave, drain or kill (on_term of the configuration, or leave)."`
	Ready      bool   `hidden:"" help:"Report on descriptor 3 once serving."`
	asksNothing
}

func (*startCmd) configured() {}

// Help is printed below the summary.
func (*startCmd) Help() string {
	return `Starts the manager in the background and returns when it serves. Its log is manager.log in the base path.

In the foreground, Ctrl-C stops it and leaves running tasks alone, as stop does. If stop --drain has it wait for them, a second Ctrl-C ends them.

SIGTERM stops it as Ctrl-C does, unless --on-term or on_term in the configuration says that it first waits for the running tasks (drain) or ends them (kill). As process 1 of a container, where no task can outlive it, the manager ends them on both signals.

Exit codes: 0 it serves, or in the foreground, it has served or was stopped before; 1 it could not start; 2 wrong flags or configuration; 5 one is running already; 130 interrupted before it served.`
}

// Run starts a manager.
func (c *startCmd) Run(ctx context.Context, ui *ui, ws *workspace, signals signals) error {
	if c.Foreground {
		ui.hurried = true
		surviveClosedPipe() // before anything is written
	}
	conf, err := ws.config()
	if err != nil {
		return err
	}
	if c.OnTerm != "" {
		conf.OnTerm = c.OnTerm
	}
	made, err := ws.newBase(conf)
	if err != nil {
		return err
	}
	if c.Foreground {
		return c.serve(ctx, ui, ws, signals)
	}
	if c := queue.CallerByEnv(os.Getenv); c.Token != "" && c.BasePath == conf.BasePath {
		return errors.New("a task cannot start the manager: it would end with the task")
	}
	if err := upgradeBefore(ctx, ws); err != nil {
		return err
	}
	if _, err := ws.serving(); err != nil {
		return err // the error that the background process would find, with a hint
	}
	pid, err := startInBackground(ctx, conf)
	if errors.Is(err, manager.ErrRunning) {
		return alreadyRunning(ctx, ws, err)
	}
	if err != nil {
		return err
	}
	defer ws.remarkUnimported(nil)
	made()
	ws.noteLink(conf)
	if ui.json() {
		return ui.printJSON(queue.StartedForm{PID: pid, BasePath: conf.BasePath})
	}
	ui.printf("Job manager started (PID %d)\n", pid)
	return nil
}

// upgradeBefore upgrades an older database here rather than in the background, so that
// the user sees the result.
func upgradeBefore(ctx context.Context, ws *workspace) error {
	q, err := ws.openUpgraded(ctx, true)
	if errors.Is(err, db.ErrNoDatabase) {
		return nil
	}
	if err != nil {
		return err
	}
	return q.Close()
}
