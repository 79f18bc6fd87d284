package taskfile

import (
	"errors"
	"fmt"

	"github.com/air-executor/air-executor/job"
)

// onFailure is what becomes of the tasks of a job file that depend on a failed one.
type onFailure string

const (
	stopOnFailure     onFailure = "stop"
	continueOnFailure onFailure = "continue"
)

var onFailures = []onFailure{stopOnFailure, continueOnFailure}

// conditions fills in what tasks of a job file do not say of when they run: one that
// asks for failures, or for any end, and names no task, depends on all before it.
func conditions(r *jobReader, on onFailure, tasks []JobTask) error {
	for i := range tasks {
		t := &tasks[i]
		if t.RunIf.Any() && len(t.Dependencies)+len(t.AfterAny) == 0 {
			for _, before := range tasks[:i] {
				t.Dependencies = append(t.Dependencies, before.ID)
			}
			if t.RunIf == job.RunOnFailure && i == 0 {
				return &Error{File: r.shown, Index: i, ID: t.ID, Line: t.Line, Key: "run_if", Msg: errNothingToFail.Error(), Err: errNothingToFail}
			}
		}
		if on == continueOnFailure && t.RunIf == "" {
			t.RunIf = job.RunAlways
		}
	}
	return nil
}

var (
	errNothingToFail = errors.New("failure, and no task comes before it that could fail")
	errNoneToFail    = errors.New("failure, and it depends on no task that could fail")
)

// failureRules is what becomes of tasks that depend on a failed one. Tasks have a key of
// the same name for a command.
type failureRules struct{ oneOf[jobHead, onFailure] }

func (k failureRules) read(to *jobHead, v value, in form) error {
	err := k.oneOf.read(to, v, in)
	if err != nil {
		err = fmt.Errorf("%w; a command that runs then goes under hooks", err)
	}
	return err
}
