package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
	"github.com/air-executor/air-executor/queue"
)

// suggest adds to an error about a missing job or task which one may be meant. All
// commands use it.
func (ws *workspace) suggest(err error) error {
	var missing *db.Missing
	var coded *codedError
	if !errors.As(err, &missing) || errors.As(err, &coded) {
		return err
	}
	if missing.Task == "" && ws.waitsForImport(missing.Job) {
		return fail(exitNoSuch, err, "its files are in "+jobfolder.Path(ws.conf.BasePath, missing.Job)+", and not in the database; to bring it in: air-executor import")
	}
	if near := ws.nearest(missing); near != "" {
		return fail(exitNoSuch, err, fmt.Sprintf("did you mean %s?", shellLine([]string{near})))
	}
	return err
}

// waitsForImport reports whether the base path has files of a job that were not
// imported yet.
func (ws *workspace) waitsForImport(name string) bool {
	if ws.conf == nil {
		return false
	}
	return slices.ContainsFunc(queue.Unimported(ws.ctx, ws.conf, nil), func(folder string) bool {
		return filepath.Base(folder) == job.FolderName(name)
	})
}

// suggestTask adds to an error about a missing job, one of several, that resembles no
// existing one how to name a task.
func (ws *workspace) suggestTask(err error, names []string) error {
	var missing *db.Missing
	if len(names) > 1 && errors.As(err, &missing) && ws.nearest(missing) == "" {
		return fail(exitNoSuch, err, "each of several names is a job; a task is named with --task")
	}
	return err
}

// nearest returns the name of the job or task that is most like the missing one.
func (ws *workspace) nearest(missing *db.Missing) string {
	const most = 10_000 // names to look at
	d, err := ws.openExisting()
	if err != nil {
		return ""
	}
	defer d.Close()
	var names []string
	name := missing.Job
	if missing.Task == "" {
		names, err = d.JobNames(ws.ctx, "", most)
	} else {
		name = missing.Task
		names, err = d.TaskIDs(ws.ctx, missing.Job, "", most)
	}
	if err != nil {
		return ""
	}
	return words.Nearest(name, names)
}

// taskHint returns the hint about an extra argument of a command that has --task.
func taskHint(pe *kong.ParseError, extra string) string {
	node := pe.Context.Selected()
	for _, arg := range node.Positional {
		if arg.Name == "task" {
			return "one job and one task at a time: " + node.FullPath() + " JOB TASK"
		}
	}
	return "a task is named with --task: --task " + shellLine([]string{extra})
}

// takesTask reports whether the command that a parse error is about has --task.
func takesTask(pe *kong.ParseError) bool {
	if pe == nil || pe.Context == nil || pe.Context.Selected() == nil {
		return false
	}
	for _, group := range pe.Context.Selected().AllFlags(true) {
		for _, f := range group {
			if f.Name == "task" {
				return true
			}
		}
	}
	return false
}
