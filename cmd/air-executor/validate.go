package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/taskfile"
)

type validateCmd struct {
	Param []string `sep:"none" placeholder:"NAME=VALUE" help:"Give a parameter of the files its value. May be given several times."`
	File  []string `arg:"" name:"file" help:"Job files (YAML or JSON; - is stdin)."`
}

// Help is printed below the summary.
func (*validateCmd) Help() string {
	return `Checks job files as run and submit do, and stores nothing. A line for each file says what is in it; what is wrong is an error with file, line and key.

    air-executor validate jobs/*.yaml

A parameter without a value gets a stand-in, and so does the item of a foreach whose command would have to run.

Exit codes: 0 all are right; 1 error; 2 at least one is not, or wrong flags.`
}

// validatedForm is what there is to say of a job file.
type validatedForm struct {
	File       string   `json:"file"`
	Valid      bool     `json:"valid"`
	Job        *string  `json:"job"`
	Tasks      *int     `json:"tasks"`
	Parameters []string `json:"parameters"` // that have no value
	Line       *int     `json:"line"`       // of the mistake
	Column     *int     `json:"column"`
	Error      *string  `json:"error"`
}

// Run checks the files.
func (c *validateCmd) Run(ctx context.Context, ui *ui) error {
	var forms []validatedForm
	var wrong []error
	for _, path := range c.File {
		f, err := standIn(ctx, path, c.Param)
		form := validatedForm{File: path, Valid: err == nil, Parameters: []string{}}
		if err != nil {
			wrong = append(wrong, err)
			form.mistake(err)
		} else {
			count := len(f.Tasks)
			form.Job, form.Tasks, form.Parameters = &f.Name, &count, append(form.Parameters, f.Unset...)
		}
		if forms = append(forms, form); err == nil && !ui.json() {
			ui.printf("%s\n", oneLine(form.line()))
		}
	}
	if ui.json() {
		if err := ui.printJSON(forms); err != nil {
			return err
		}
	}
	for _, err := range wrong {
		if !ui.json() {
			ui.notef("%v", err)
		}
	}
	if len(wrong) > 0 {
		return silent(exitUsage)
	}
	return nil
}

// mistake notes what is wrong, and where.
func (v *validatedForm) mistake(err error) {
	text := err.Error()
	v.Error = &text
	if at := (*taskfile.Error)(nil); errors.As(err, &at) {
		if at.Line > 0 {
			v.Line = &at.Line
		}
		if at.Column > 0 {
			v.Column = &at.Column
		}
	}
}

// line is the file for people.
func (v *validatedForm) line() string {
	s := fmt.Sprintf("%s: job %s, %s", v.File, *v.Job, plural(*v.Tasks, "task"))
	if len(v.Parameters) > 0 {
		s += "; needs --param " + strings.Join(v.Parameters, "=…, --param ") + "=…"
	}
	return s
}
