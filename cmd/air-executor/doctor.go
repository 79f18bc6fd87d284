package main

import (
	"context"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

type doctorCmd struct{}

// Help is printed below the summary.
func (*doctorCmd) Help() string {
	return `Checks that the database is sound and that its rows do not contradict each other, and that every running task has a living runner, and that logs can be written. Changes nothing.

Exit codes: 0 all is well; 1 something is not; 2 wrong flags or configuration; 4 there is no database.`
}

// Run checks and reports.
func (*doctorCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	d, err := ws.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	findings, err := d.Check(ctx)
	if err != nil {
		return err
	}
	orphans, err := withoutRunner(ctx, ws, d)
	if err != nil {
		return err
	}
	logs, err := withoutLogs(ctx, ws, d)
	if err != nil {
		return err
	}
	findings = append(append(findings, orphans...), logs...)
	if ui.json() {
		if findings == nil {
			findings = []db.Finding{}
		}
		err = ui.printJSON(queue.DoctorForm{
			Database: d.Path(), Findings: findings, SchemaVersion: d.Schema(), LatestSchemaVersion: db.LatestSchema,
		})
	} else {
		printFindings(ui, d, findings)
	}
	if err == nil && len(findings) > 0 {
		err = silent(exitError)
	}
	return err
}

// The rules beside those of the database.
const (
	everyRunning = "a running task has a living runner"
	everyLog     = "the logs of every job can be written"
)

// withoutLogs finds what is in the place of the folders for logs.
func withoutLogs(ctx context.Context, ws *workspace, d *db.DB) ([]db.Finding, error) {
	if err := runner.CheckJobs(ws.conf.BasePath); err != nil {
		return []db.Finding{{Rule: everyLog, Place: jobfolder.JobsName, What: err.Error()}}, nil
	}
	jobs, err := d.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	var out []db.Finding
	for _, j := range jobs {
		if err := runner.CheckJob(ws.conf.BasePath, j.Name); err != nil {
			out = append(out, db.Finding{Rule: everyLog, Place: j.Name, What: err.Error()})
		}
	}
	return out, nil
}

// withoutRunner finds running tasks whose runner is gone. Where a manager
// serves, it ends them within a second or two.
func withoutRunner(ctx context.Context, ws *workspace, d *db.DB) ([]db.Finding, error) {
	active, err := d.Active(ctx)
	if err != nil {
		return nil, err
	}
	p, err := lock.NewProber(filepath.Join(ws.conf.BasePath, runner.LocksName))
	if err != nil {
		return nil, err
	}
	defer p.Close()
	boot, err := process.BootID()
	if err != nil {
		return nil, err
	}
	var out []db.Finding
	for _, r := range active {
		held, err := p.Held(r.Runner.Lock)
		if err != nil {
			return nil, err
		}
		if !held || r.Runner.BootID != boot {
			out = append(out, db.Finding{Rule: everyRunning, Place: r.Job + "/" + r.Task, What: "its runner is gone; the manager will end it"})
		}
	}
	return out, nil
}

func printFindings(ui *ui, d *db.DB, findings []db.Finding) {
	broken := map[string]bool{}
	for _, f := range findings {
		broken[f.Rule] = true
	}
	ui.printf("%s\n", d.Path())
	for _, rule := range append(db.Rules(), everyRunning, everyLog) {
		mark := "ok "
		if broken[rule] {
			mark = "BAD"
		}
		ui.printf("  %s  %s\n", mark, rule)
	}
	if d.Outdated() {
		ui.printf("Schema version %d; air-executor upgrade brings it to version %d\n", d.Schema(), db.LatestSchema)
	} else {
		ui.printf("Schema version %d\n", d.Schema())
	}
	for _, f := range findings {
		ui.printf("%s: %s (%s)\n", f.Place, f.What, f.Rule)
	}
}
