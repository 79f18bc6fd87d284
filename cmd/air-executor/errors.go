package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

// The exit codes, the same in every command.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2   // wrong flags or configuration
	exitFailed      = 3   // the job or task failed
	exitNoSuch      = 4   // no such job or task
	exitManager     = 5   // the manager is running but should not be, or the other way round
	exitTimeout     = 124 // the time that --timeout gave is over, as with timeout(1)
	exitInterrupted = 130 // Ctrl-C
	exitPipe        = 141 // the reader of the output has gone away; as if SIGPIPE had ended the process
)

// codedError is an error with an exit code, and perhaps a line that says what
// to do.
type codedError struct {
	code int
	err  error
	hint string
}

// fail returns an error with an exit code. The hint, if it is not empty, says what to
// do about it.
func fail(code int, err error, hint string) error { return &codedError{code, err, hint} }

// usage returns an error for wrong flags or input: exit code 2.
func usage(err error, hint string) error { return fail(exitUsage, err, hint) }

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// exitCode returns the exit code for an error.
func exitCode(err error) int {
	var coded *codedError
	var conf *config.Error
	var folder *queue.BadFolder
	var attempt *queue.NoAttempt
	var late *queue.NotEnded
	var serves *queue.NotStopped
	var file *taskfile.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &conf), errors.As(err, &file), errors.As(err, &folder):
		return exitUsage
	case errors.As(err, &attempt), errors.Is(err, db.ErrNoJob), errors.Is(err, db.ErrNoTask), errors.Is(err, db.ErrNoDatabase):
		return exitNoSuch
	case errors.As(err, &late), errors.As(err, &serves):
		return exitTimeout
	case errors.Is(err, manager.ErrRunning):
		return exitManager
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case nobodyReads(err):
		return exitPipe
	}
	return exitError
}

// nobodyReads reports whether a command could not print a result because the reader has
// exited. This only happens in a command that catches SIGPIPE, such as run; others are
// ended by the signal.
func nobodyReads(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed) && failed.Path == os.Stdout.Name() && errors.Is(err, syscall.EPIPE)
}

// errorJSON is an error as --json prints it, on one line of stderr.
type errorJSON struct {
	Error    string  `json:"error"`
	Hint     *string `json:"hint"`
	ExitCode int     `json:"exit_code"`
}

// complain prints an error, and what to do about it.
func (ui *ui) complain(err error) {
	if errors.Is(err, errSilent) || exitCode(err) == exitPipe {
		return
	}
	message, hint := err.Error(), ""
	if errors.Is(err, context.Canceled) {
		message = "interrupted"
	}
	var coded *codedError
	if errors.As(err, &coded) {
		hint = coded.hint
	} else if errors.Is(err, db.ErrOlder) {
		hint = "a manager of the older program serves it: air-executor stop, which leaves running tasks alone, then air-executor start"
	} else if errors.Is(err, db.ErrNewer) {
		hint = "use the newer program; to go back, see docs/install.md, under \"A newer version\""
	} else if errors.Is(err, db.ErrUnreleased) {
		hint = "with the program that made it: air-executor export FOLDER; then move the database away, and with this one: air-executor import FOLDER"
	}
	if ui.json() {
		form := errorJSON{Error: message, ExitCode: exitCode(err)}
		if hint != "" {
			form.Hint = &hint
		}
		var line bytes.Buffer
		_ = writeLine(&line, form) // it only has texts and a number
		ui.remark(line.Bytes())
		return
	}
	ui.notef("%s", message)
	if hint != "" {
		ui.notef("hint: %s", hint)
	}
}

// errSilent ends a command with an exit code and nothing more to say.
var errSilent = errors.New("said already")

// silent is an error that only sets the exit code.
func silent(code int) error { return fail(code, errSilent, "") }
