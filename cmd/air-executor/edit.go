package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

type editCmd struct {
	jobArg
	tasksArg
	Set   []string `sep:"none" placeholder:"KEY=VALUE" predictor:"setting" help:"Give a key of the tasks another value, as in a job file; none: take it away. May be given several times."`
	Unset []string `sep:"none" placeholder:"KEY" predictor:"key" help:"Take the value of a key away. May be given several times."`
	asksNothing
}

// Help is printed below the summary.
func (*editCmd) Help() string {
	return `Changes tasks that have not started. Without --set and --unset, one task is opened in an editor, $VISUAL, $EDITOR or vi, as YAML; it is changed when the editor ends. A file that is left as it is, or empty, changes nothing. If there is a mistake in it, you can go on editing on a terminal; otherwise the file is kept.

    air-executor edit build --task test
    air-executor edit pages --task 'page-*' --set priority=5 --set timeout=2m
    air-executor edit pages --status pending --set labels.team=web --set env.LANG=C --unset pools
    air-executor edit build --task test --set 'args=[test, -v]' --set dependencies=compile

The keys are those of a task in a job file, but for id: ` + strings.Join(taskfile.EditKeys(), ", ") + `. delay counts from now. A path that is not absolute is relative to this folder.

All tasks are changed, or none: if one of them has started meanwhile, it is named, and nothing has changed. A job file that is run again with --resume brings its own values back.

Exit codes: 0 done, or there was nothing to change; 1 error, or a task is not pending, nothing has changed; 2 wrong flags, configuration or file; 4 no such job or task, or a dependency on one.`
}

// Run changes tasks.
func (c *editCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	edit, err := c.changes()
	if err != nil {
		return err
	}
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	ids, named, err := c.pick(ctx, q, name, "changed", job.Pending)
	if err != nil {
		return err
	}
	if !named {
		return usage(errors.New("which tasks? give --task ID, or --status pending for all that have not started"), "")
	}
	if edit.Empty() {
		if len(ids) != 1 {
			return usage(fmt.Errorf("the editor is for one task, and %s are meant", plural(len(ids), "task")), "to change several: --set KEY=VALUE")
		}
		return c.inEditor(ctx, ui, q, name, ids[0])
	}
	r, err := q.Edit(ctx, name, ids, func(s *job.Spec) error {
		if err := edit.Apply(s); err != nil {
			return usage(fmt.Errorf("task %q: %w", s.ID, err), "")
		}
		return here(s)
	})
	return c.tell(ui, r, explainEdit(err))
}

// changes is what --set and --unset say.
func (c *editCmd) changes() (*taskfile.Editing, error) {
	edit := new(taskfile.Editing)
	for _, text := range c.Set {
		if err := edit.Set(text); err != nil {
			return nil, usage(fmt.Errorf("--set %w", err), "the keys: "+strings.Join(taskfile.EditKeys(), ", "))
		}
	}
	for _, key := range c.Unset {
		if err := edit.Unset(key); err != nil {
			return nil, usage(fmt.Errorf("--unset %w", err), "the keys: "+strings.Join(taskfile.EditKeys(), ", "))
		}
	}
	return edit, nil
}

// here makes the folder of a task absolute.
func here(s *job.Spec) error {
	if s.Dir == "" || filepath.IsAbs(s.Dir) {
		return nil
	}
	dir, err := taskDir("")
	s.Dir = filepath.Join(dir, s.Dir)
	return err
}

// explainEdit adds what to do about an edit that was refused.
func explainEdit(err error) error {
	var short *db.NoRoom
	switch {
	case errors.As(err, new(*codedError)):
	case errors.Is(err, queue.ErrChangedMeanwhile):
		return fail(exitError, err, "nothing has changed; edit it again")
	case errors.As(err, &short):
		return explainEnqueue(err)
	case errors.Is(err, db.ErrCycle):
		return usage(err, "nothing has changed")
	case errors.As(err, new(*db.NotPending)):
		return fail(exitError, err, "nothing has changed; what has ended runs again with air-executor retry")
	}
	return err
}

// tell prints what has changed.
func (c *editCmd) tell(ui *ui, r queue.EditResult, err error) error {
	if err != nil {
		return err
	}
	for _, note := range r.Notes {
		ui.notef("%s", note)
	}
	if ui.json() {
		return ui.printJSON(r)
	}
	if len(r.Tasks) == 1 && r.Edited == 1 {
		ui.printf("Task %s of job %s: changed %s\n", r.Tasks[0].Task, r.Job, strings.Join(r.Tasks[0].Changed, ", "))
		return nil
	}
	same := ""
	if n := len(r.Tasks) - r.Edited; n > 0 {
		same = fmt.Sprintf("; %d stayed as before", n)
	}
	ui.printf("Job %s: %s changed%s\n", r.Job, plural(r.Edited, "task"), same)
	return nil
}
