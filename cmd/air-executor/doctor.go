package main

import (
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
func (*doctorCmd) Run(a *app) error {
	d, err := a.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	findings, err := d.Check(a.ctx)
	if err != nil {
		return err
	}
	orphans, err := withoutRunner(a, d)
	if err != nil {
		return err
	}
	logs, err := withoutLogs(a, d)
	if err != nil {
		return err
	}
	findings = append(append(findings, orphans...), logs...)
	if a.json() {
		if findings == nil {
			findings = []db.Finding{}
		}
		err = a.printJSON(queue.DoctorForm{
			Database: d.Path(), Findings: findings, SchemaVersion: d.Schema(), LatestSchemaVersion: db.LatestSchema,
		})
	} else {
		printFindings(a, d, findings)
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
func withoutLogs(a *app, d *db.DB) ([]db.Finding, error) {
	if err := runner.CheckJobs(a.conf.BasePath); err != nil {
		return []db.Finding{{Rule: everyLog, Place: jobfolder.JobsName, What: err.Error()}}, nil
	}
	jobs, err := d.Jobs(a.ctx)
	if err != nil {
		return nil, err
	}
	var out []db.Finding
	for _, j := range jobs {
		if err := runner.CheckJob(a.conf.BasePath, j.Name); err != nil {
			out = append(out, db.Finding{Rule: everyLog, Place: j.Name, What: err.Error()})
		}
	}
	return out, nil
}

// withoutRunner finds running tasks whose runner is gone. Where a manager
// serves, it ends them within a second or two.
func withoutRunner(a *app, d *db.DB) ([]db.Finding, error) {
	active, err := d.Active(a.ctx)
	if err != nil {
		return nil, err
	}
	p, err := lock.NewProber(filepath.Join(a.conf.BasePath, runner.LocksName))
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

func printFindings(a *app, d *db.DB, findings []db.Finding) {
	broken := map[string]bool{}
	for _, f := range findings {
		broken[f.Rule] = true
	}
	a.printf("%s\n", d.Path())
	for _, rule := range append(db.Rules(), everyRunning, everyLog) {
		mark := "ok "
		if broken[rule] {
			mark = "BAD"
		}
		a.printf("  %s  %s\n", mark, rule)
	}
	if d.Outdated() {
		a.printf("Schema version %d; air-executor upgrade brings it to version %d\n", d.Schema(), db.LatestSchema)
	} else {
		a.printf("Schema version %d\n", d.Schema())
	}
	for _, f := range findings {
		a.printf("%s: %s (%s)\n", f.Place, f.What, f.Rule)
	}
}
