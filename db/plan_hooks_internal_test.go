package db

import (
	"testing"

	"github.com/air-executor/air-executor/job"
)

// hotOfHooks are the statements on the way of each end that lets hooks run.
var hotOfHooks = []struct {
	name, part string
	plan       []string
}{
	{"find the failure that a job is told of", "ORDER BY 2, t.completed_at DESC", []string{
		"SEARCH t USING INDEX task_job_failures (job=?)", // what has completed is not read
		"SEARCH a USING INDEX attempt_number (task=? AND number=?) LEFT-JOIN",
		"USE TEMP B-TREE FOR ORDER BY",
	}},
	{"find what hooks are told", "SELECT j.name AS job, t.name AS task, t.status, t.reason, t.signal", []string{
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH a USING INDEX attempt_number (task=? AND number=?) LEFT-JOIN",
	}},
	{"read what a command reads", "SELECT stdin, hook = 1 AS hook", []string{
		"SEARCH task_input USING INTEGER PRIMARY KEY (rowid=?)",
	}},
}

// exerciseHooks carries out what has to do with hooks.
func exerciseHooks(t *testing.T, d *DB) {
	t.Helper()
	ctx := t.Context()
	must := requires(t)
	h := job.Hooks{OnEnd: job.ShellHook("true")}
	must(d.SetHooks(ctx, job.AllHooks{Tasks: h}))
	_, err := d.Enqueue(ctx, Batch{
		Job: "told", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}, {ID: "b", Command: "true"}}),
		Settings: &JobChange{Hooks: h},
	})
	must(err)
	a, err := d.Claim(ctx, Runner{}, 100, "told")
	must(err)
	_, err = d.Finish(ctx, a, job.Result{Status: job.Failed, Reason: job.Cancelled}, false)
	must(err)
	_, err = d.Cancel(ctx, "told", "")
	must(err)
	hook, err := d.Claim(ctx, Runner{}, 100, job.HooksJob)
	must(err)
	_, err = d.Input(ctx, hook)
	must(err)
	_, err = d.Finish(ctx, hook, job.Result{Status: job.Completed}, false)
	must(err)
	must(d.SetHooks(ctx, job.AllHooks{}))
	_, err = d.Rerun(ctx, job.HooksJob, "")
	must(err)
}
