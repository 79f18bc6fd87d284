package main

import (
	"context"
	"os"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"

	"github.com/air-executor/air-executor/db"
)

type completionCmd struct{}

// Help is printed below the summary.
func (*completionCmd) Help() string {
	return `Prints what to add to the start file of your login shell: bash, zsh or fish.

Exit codes: 0 done; 1 not for this shell.`
}

// Run prints the line.
func (*completionCmd) Run(c *kong.Context) error {
	return new(kongplete.InstallCompletions).BeforeApply(c)
}

// completeLine answers a shell that asks for completion, and reports whether
// one did.
func completeLine(parser *kong.Kong) (asked bool) {
	if os.Getenv("COMP_LINE") != "" {
		kongplete.Complete(parser,
			kongplete.WithPredictor("job", jobNames{}),
			kongplete.WithExitFunc(func(int) { asked = true }))
	}
	return asked
}

// jobNames completes the names of the jobs in the base path.
type jobNames struct{}

// Predict returns every job; the shell picks those that fit.
func (jobNames) Predict(complete.Args) []string {
	a := &app{ctx: context.Background()}
	conf, err := a.config()
	if err != nil {
		return nil
	}
	d, err := db.Open(a.ctx, conf.BasePath, db.Options{MustExist: true})
	if err != nil {
		return nil
	}
	defer d.Close()
	jobs, err := d.Jobs(a.ctx)
	if err != nil {
		return nil
	}
	names := make([]string, len(jobs))
	for i, j := range jobs {
		names[i] = j.Name
	}
	return names
}
