package main

import "fmt"

type resetCmd struct {
	jobArg
	Task string `short:"t" placeholder:"ID" predictor:"task" help:"Reset one task of the job only."`
}

// Help is printed below the summary.
func (*resetCmd) Help() string {
	return `Failed tasks become pending again and run again, and after them what depends on them. Their earlier attempts and logs are kept.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job or task.`
}

// Run resets the failed tasks.
func (c *resetCmd) Run(a *app) error {
	name, err := c.required()
	if err != nil {
		return err
	}
	d, err := a.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	n, err := d.Reset(a.ctx, name, c.Task)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]any{"job": name, "reset": n})
	}
	a.printf("Job %s: %s pending again\n", name, plural(n, "failed task"))
	if n > 0 {
		a.hintNoManager()
	}
	return nil
}

// plural counts things: "1 task", "2 tasks".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
