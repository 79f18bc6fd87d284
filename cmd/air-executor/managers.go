package main

import (
	"errors"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

type managersCmd struct{}

// Help is printed below the summary.
func (*managersCmd) Help() string {
	return `Lists the managers of the current user that serve a base path on this machine, whichever base path is in use here. What "run" starts for one job is not among them.

Exit codes: 0 done; 1 error; 2 wrong flags.`
}

// servingJSON is a manager as --json prints it.
type servingJSON struct {
	PID       int     `json:"pid"`
	BasePath  string  `json:"base_path"`
	StartedAt *string `json:"started_at"` // null, like running, if its database cannot be read
	Running   *int    `json:"running"`    // tasks

	started time.Time
}

// Run lists the managers.
func (*managersCmd) Run(a *app) error {
	all, err := manager.AllServing()
	if errors.Is(err, manager.ErrNoList) {
		return fail(exitError, err, "look with: ps -axo pid,command | grep 'air-executor start'")
	}
	if err != nil {
		return err
	}
	list := []servingJSON{}
	for _, s := range all {
		list = append(list, managerForm(a, s))
	}
	if a.json() {
		return a.printJSON(list)
	}
	g := grid{head: []string{"PID", "Started", "Running", "Base Path"}, wrap: 4, squeeze: []step{{2, 0}, {4, 16}}}
	for _, m := range list {
		running := "-"
		if m.Running != nil {
			running = strconv.Itoa(*m.Running)
		}
		g.add(strconv.Itoa(m.PID), when(m.started, a.width()), running, m.BasePath)
	}
	return g.print(a.out, a.width())
}

// managerForm reads what the database of a manager says of it, as a runner would:
// that neither creates nor migrates anything.
func managerForm(a *app, s manager.Process) servingJSON {
	m := servingJSON{PID: s.PID, BasePath: s.BasePath}
	d, err := db.Open(a.ctx, s.BasePath, db.Options{Runner: true})
	if err != nil {
		return m
	}
	defer d.Close()
	if last, err := d.Manager(a.ctx); err == nil && last != nil && last.PID == s.PID {
		m.started, m.StartedAt = last.StartedAt, instant(last.StartedAt)
	}
	if active, err := d.Active(a.ctx); err == nil {
		running := len(active)
		m.Running = &running
	}
	return m
}
