package main

import (
	"errors"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/taskfile"
)

// explainEnqueue adds what to do about an error.
func explainEnqueue(err error) error {
	var at *taskfile.Error
	var coded *codedError
	switch {
	case errors.As(err, &coded):
		return err
	case errors.As(err, &at):
		return usage(err, "")
	case errors.Is(err, db.ErrDuplicate):
		return fail(exitError, err, "choose another --id, or give --if-absent if it is the same task")
	case errors.Is(err, db.ErrFenced):
		return fail(exitError, err, "this shell belongs to a task that has ended; to queue tasks as a user: unset "+runner.EnvToken)
	case errors.Is(err, db.ErrLimit):
		return fail(exitError, err, "if this is no runaway, raise the limit in config.yaml")
	}
	return err
}
