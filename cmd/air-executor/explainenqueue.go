package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/taskfile"
)

// explainEnqueue adds what to do about an error.
func explainEnqueue(err error) error {
	var at *taskfile.Error
	var coded *codedError
	var short *db.NoRoom
	switch {
	case errors.As(err, &coded):
		return err
	case errors.As(err, &short):
		return usage(err, fmt.Sprintf("make room for it: air-executor pool set %s %d; air-executor pool list shows the pools", short.Need.Pool, short.Need.Count))
	case errors.As(err, &at):
		return usage(err, "")
	case errors.Is(err, db.ErrDuplicate):
		return fail(exitError, err, "choose another --id, or give --if-absent if it is the same task")
	case errors.Is(err, db.ErrFenced):
		return fail(exitError, err, "this shell belongs to a task that has ended; to queue tasks as a user: unset "+runner.EnvToken)
	case errors.Is(err, db.ErrLimit):
		return fail(exitError, err, "if this is intended, raise the limit in config.yaml")
	}
	return err
}

// explainMissing adds to an error about a missing dependency which task may be meant.
// With --allow-missing, the task would wait forever for a whole job.
func explainMissing(ctx context.Context, ws *workspace, d *db.DB, err error) error {
	var m *db.Missing
	if !errors.As(err, &m) {
		return err
	}
	there := func(name string) bool {
		_, err := d.Job(ctx, name)
		return err == nil
	}
	other, task, slash := strings.Cut(m.Task, "/")
	const hint = "to wait for a whole job, put a task before it that runs: air-executor wait "
	switch {
	case m.By == m.Task:
		return fail(exitNoSuch, err, "name a task that was queued before")
	case slash && there(other):
		return fail(exitNoSuch, err, "a task of another job is written "+shellLine([]string{other + ":" + task}))
	case there(m.Task):
		return fail(exitNoSuch, err, hint+"--job "+m.Task)
	}
	still := "if that task is still to come, give --allow-missing"
	if near := ws.nearest(m); near != "" {
		still = fmt.Sprintf("did you mean %s? %s", shellLine([]string{near}), still)
	}
	return fail(exitNoSuch, err, still)
}
