package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
)

type managersCmd struct{}

// Help is printed below the summary.
func (*managersCmd) Help() string {
	return `Lists the managers of the current user that serve a base path on this machine, whichever base path is in use here. Managers that "run" starts for one job are not listed.

Exit codes: 0 done; 1 error; 2 wrong flags.`
}

// Run lists the managers.
func (*managersCmd) Run(ctx context.Context, ui *ui) error {
	list, err := queue.Managers(ctx)
	if errors.Is(err, manager.ErrNoList) {
		return fail(exitError, err, "look with: ps -axo pid,command | grep 'air-executor start'")
	}
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(list)
	}
	g := grid{head: []string{"PID", "Started", "Running", "Base Path"}, wrap: 4, squeeze: []step{{2, 0}, {4, 16}}}
	for _, m := range list {
		running := "-"
		if m.Running != nil {
			running = strconv.Itoa(*m.Running)
		}
		g.add(strconv.Itoa(m.PID), when(m.Started, ui.width()), running, m.BasePath)
	}
	return g.print(ui.out, ui.width())
}
