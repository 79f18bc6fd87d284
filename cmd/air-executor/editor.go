package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

// inEditor lets somebody edit a task, and changes it. The database is not locked
// meanwhile.
func (c *editCmd) inEditor(ctx context.Context, ui *ui, q *queue.Queue, name, id string) error {
	shown, err := q.Definition(ctx, name, id)
	if err != nil {
		return explainEdit(err)
	}
	text := taskfile.EditText(shown,
		oneLine(fmt.Sprintf("Task %s of job %s. It is changed when the editor ends; leave the", id, name)),
		"file as it is, or empty, to change nothing. A key that you take out loses its",
		"value. Of env, only what you write here is set; the rest stays.")
	file, err := keptText(text)
	if err != nil {
		return err
	}
	for {
		r, err := c.edited(ctx, q, name, shown, file, text)
		if err == nil {
			_ = os.Remove(file) // it is in the folder for such files
			return c.tell(ui, r, nil)
		}
		if exitCode(err) == exitUsage && ctx.Err() == nil && again(ctx, ui, err) {
			continue
		}
		if now, e := os.ReadFile(file); e == nil && bytes.Equal(now, text) {
			_ = os.Remove(file)
			return err
		}
		return fail(exitCode(err), err, "nothing has changed; what you have written is in "+file)
	}
}

// keptText stores the text in a file that only this user can read.
func keptText(text []byte) (path string, err error) {
	f, err := os.CreateTemp("", "air-executor-edit-*.yaml")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if e := f.Close(); err == nil {
		err = e
	}
	return f.Name(), err
}

// edited opens the editor, and changes the task to what is in the file then.
func (c *editCmd) edited(ctx context.Context, q *queue.Queue, name string, shown job.Spec, file string, text []byte) (queue.EditResult, error) {
	none := queue.EditResult{Job: name, Tasks: []queue.EditedTask{{Task: shown.ID, Changed: []string{}}}}
	if err := openEditor(ctx, file); err != nil {
		return none, err
	}
	now, err := os.ReadFile(file)
	if err != nil || bytes.Equal(now, text) {
		return none, err
	}
	becomes := shown
	given, err := taskfile.ParseEdit(file, now, &becomes)
	if err == nil && given {
		err = becomes.Check()
		if err != nil {
			err = usage(fmt.Errorf("%s: %w", file, err), "")
		}
	}
	if err == nil {
		err = here(&becomes)
	}
	if err != nil || !given {
		return none, err
	}
	r, err := q.Edit(ctx, name, []string{shown.ID}, queue.Becomes(shown, becomes))
	if mistaken(err) {
		err = usage(fmt.Errorf("%s: %w", file, err), "")
	}
	return r, explainEdit(err)
}

// mistaken reports whether what was written is refused by what there is: another text
// would not be.
func mistaken(err error) bool {
	missing := (*db.Missing)(nil)
	return errors.As(err, &missing) && missing.By != "" || errors.Is(err, db.ErrCycle) || errors.Is(err, db.ErrKeyTaken) || errors.As(err, new(*db.NoRoom))
}

// openEditor runs the editor that the user wants, and waits for its end.
func openEditor(ctx context.Context, file string) error {
	editor := cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"), "vi")
	// The variables may have flags, and are read by a shell as other programs do.
	cmd := exec.Command("/bin/sh", "-c", editor+` "$@"`, editor, file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if !isTerminal(os.Stdout) { // where the result goes, which may be JSON
		cmd.Stdout = os.Stderr
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fail(exitError, fmt.Errorf("the editor %s: %w", editor, err), "the variables VISUAL and EDITOR name another one")
	}
	return nil
}

// again asks whether to go on editing after a mistake.
func again(ctx context.Context, ui *ui, mistake error) bool {
	if !isTerminal(os.Stdin) || !isTerminal(ui.err) {
		return false
	}
	ui.complain(mistake)
	ui.remark([]byte("air-executor: Edit again? [Y/n] "))
	answer, err := interruptible(ctx, func() (string, error) { return bufio.NewReader(os.Stdin).ReadString('\n') })
	if err != nil || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	word := strings.ToLower(strings.TrimSpace(answer))
	return word == "" || word == "y" || word == "yes"
}
