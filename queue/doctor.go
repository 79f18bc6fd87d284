package queue

import (
	"context"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner"
)

// DoctorForm is the result of a check of the database.
type DoctorForm struct {
	Database            string       `json:"database"`
	Findings            []db.Finding `json:"findings"`
	SchemaVersion       int          `json:"schema_version"`
	LatestSchemaVersion int          `json:"latest_schema_version"`
}

// Outdated reports whether an upgrade would change the schema.
func (f DoctorForm) Outdated() bool {
	return f.SchemaVersion > 0 && f.SchemaVersion < f.LatestSchemaVersion
}

// The rules besides those of the database.
const (
	everyRunning = "a running task has a living runner"
	everyLog     = "the logs of every job can be written"
)

// Rules describes the rules that Check checks.
func Rules() []string { return append(db.Rules(), everyRunning, everyLog) }

// Check finds out whether the database is sound, whether its rows contradict each
// other, whether every running task has a runner, and whether logs can be written. It
// changes nothing. Findings are in the result; an error means that the check could not
// be made.
func (q *Queue) Check(ctx context.Context) (DoctorForm, error) {
	found, err := q.DB.Check(ctx)
	if err != nil {
		return DoctorForm{}, err
	}
	orphans, err := q.withoutRunner(ctx, q.DB.Alive)
	if err != nil {
		return DoctorForm{}, err
	}
	logs, err := q.withoutLogs(ctx)
	if err != nil {
		return DoctorForm{}, err
	}
	all := append([]db.Finding{}, found...) // never null in JSON
	return DoctorForm{
		Database: q.DB.Path(), Findings: append(append(all, orphans...), logs...),
		SchemaVersion: q.DB.Schema(), LatestSchemaVersion: db.LatestSchema,
	}, nil
}

// withoutLogs finds files that are in the way of the folders for logs.
func (q *Queue) withoutLogs(ctx context.Context) ([]db.Finding, error) {
	if err := runner.CheckJobs(q.conf.BasePath); err != nil {
		return []db.Finding{{Rule: everyLog, Place: jobfolder.JobsName, What: err.Error()}}, nil
	}
	jobs, err := q.DB.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	var out []db.Finding
	for _, j := range jobs {
		if err := runner.CheckJob(q.conf.BasePath, j.Name); err != nil {
			out = append(out, db.Finding{Rule: everyLog, Place: j.Name, What: err.Error()})
		}
	}
	return out, nil
}

// withoutRunner finds running tasks whose runner is dead. A serving manager ends them
// within a second or two.
func (q *Queue) withoutRunner(ctx context.Context, alive func(db.Runner) (bool, error)) ([]db.Finding, error) {
	active, err := q.DB.Active(ctx)
	if err != nil {
		return nil, err
	}
	// A wrong file in the place of the locks is a finding even if nothing runs.
	p, err := lock.NewProber(filepath.Join(q.conf.BasePath, runner.LocksName))
	if err != nil {
		return nil, err
	}
	defer p.Close()
	dead, err := deadOf(active, alive)
	if err != nil || len(dead) == 0 {
		return nil, err
	}
	// A runner records its result before it ends: one that has done so since its row
	// was read is not missing.
	if active, err = q.DB.Active(ctx); err != nil {
		return nil, err
	}
	var out []db.Finding
	for _, r := range active {
		if dead[r.Token] {
			out = append(out, db.Finding{Rule: everyRunning, Place: r.Job + "/" + r.Task, What: "its runner is gone; the manager will end it"})
		}
	}
	return out, nil
}

// deadOf returns the tokens of the attempts whose runner is dead.
func deadOf(active []db.Active, alive func(db.Runner) (bool, error)) (map[string]bool, error) {
	dead := map[string]bool{}
	for _, r := range active {
		lives, err := alive(r.Runner)
		if err != nil {
			return nil, err
		}
		if !lives {
			dead[r.Token] = true
		}
	}
	return dead, nil
}
