package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

// file stores the tasks of a file. It reads the first one before it creates a base
// path, so that an invalid file creates none.
func (c *enqueueCmd) file(ctx context.Context, ui *ui, ws *workspace, o queue.EnqueueOptions) error {
	in, err := interruptible(ctx, func() (io.ReadSeekCloser, error) { return openInput(c.FromFile, ws.conf.BasePath) })
	if err != nil {
		return err
	}
	defer in.Close()
	r := taskfile.NewSpecReader(inputName(c.FromFile), bufio.NewReaderSize(in, 1<<20))
	first, err := r.Next()
	if err == io.EOF {
		return usage(fmt.Errorf("%s: has no tasks", inputName(c.FromFile)), "")
	}
	if err != nil {
		return explainEnqueue(err)
	}
	var unnamed error
	if c.IfAbsent {
		unnamed = errors.New("is missing; with --if-absent every task needs one, because a task without an id is always new")
	}
	return c.explainFile(store(ctx, ui, ws, queue.ReadTasks(first, r, unnamed), o), r, in)
}

// explainFile adds to an error about the tasks of a file its place in the file, which
// it reads again through in, and what to do about it.
func (c *enqueueCmd) explainFile(err error, r *taskfile.SpecReader, in io.Seeker) error {
	cause, hint := bare(err), ""
	if coded := (*codedError)(nil); errors.As(err, &coded) {
		hint = coded.hint
	}
	code := exitUsage
	var at *taskfile.Error
	var missing *db.Missing
	var cycle *db.Cycle
	again := func() taskfile.Again {
		_, _ = in.Seek(0, io.SeekStart) // if it cannot be read again, the place is unknown
		return taskfile.Again{File: inputName(c.FromFile), From: bufio.NewReaderSize(in.(io.Reader), 1<<20)}
	}
	switch {
	case errors.Is(err, db.ErrDuplicate):
		last := r.At("id", cause) // it is about the task that was read last
		code, hint = exitError, "choose another id, or give --if-absent if it is the same task"
		if at = again().Twice(last.ID, cause); at == nil {
			at = last
		}
	case errors.As(err, &missing) && missing.By != "":
		code, at = exitNoSuch, again().Missing(missing.By, missing.Task, cause)
		if missing.By == missing.Task && at != nil {
			at.Msg = cause.Error()
		}
	case errors.As(err, &cycle):
		at = again().Cycle(cycle.Tasks, cause)
	default:
		return err
	}
	if at == nil {
		return fail(code, fmt.Errorf("%s: %w", inputName(c.FromFile), cause), hint)
	}
	return fail(code, at, hint)
}

// bare is an error without an exit code and a hint.
func bare(err error) error {
	if coded := (*codedError)(nil); errors.As(err, &coded) {
		return coded.err
	}
	return err
}
