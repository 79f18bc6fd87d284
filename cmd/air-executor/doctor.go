package main

import (
	"context"

	"github.com/air-executor/air-executor/queue"
)

type doctorCmd struct{}

// Help is printed below the summary.
func (*doctorCmd) Help() string {
	return `Checks that the database is sound and that its rows do not contradict each other, and that every running task has a living runner, and that logs can be written. Changes nothing.

Exit codes: 0 all is well; 1 something is not; 2 wrong flags or configuration; 4 there is no database.`
}

// Run checks and reports.
func (*doctorCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	found, err := q.Check(ctx)
	if err != nil {
		return err
	}
	if ui.json() {
		err = ui.printJSON(found)
	} else {
		printFindings(ui, found)
	}
	if err == nil && len(found.Findings) > 0 {
		err = silent(exitError)
	}
	return err
}

// printFindings prints a line for each rule, and one for each finding.
func printFindings(ui *ui, found queue.DoctorForm) {
	broken := map[string]bool{}
	for _, f := range found.Findings {
		broken[f.Rule] = true
	}
	ui.printf("%s\n", found.Database)
	for _, rule := range queue.Rules() {
		mark := "ok "
		if broken[rule] {
			mark = "BAD"
		}
		ui.printf("  %s  %s\n", mark, rule)
	}
	if found.Outdated() {
		ui.printf("Schema version %d; air-executor upgrade brings it to version %d\n", found.SchemaVersion, found.LatestSchemaVersion)
	} else {
		ui.printf("Schema version %d\n", found.SchemaVersion)
	}
	for _, f := range found.Findings {
		ui.printf("%s: %s (%s)\n", f.Place, f.What, f.Rule)
	}
}
