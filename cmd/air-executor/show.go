package main

import (
	"context"
	"errors"
	"strings"

	"github.com/air-executor/air-executor/taskfile"
)

type showCmd struct {
	Graph  bool     `help:"Show which task comes after which."`
	Format string   `placeholder:"FORMAT" enum:",tree,mermaid,dot" type:"word" words:"tree,mermaid,dot" default:"" help:"Of the graph: tree, for people (the default), mermaid or dot."`
	Param  []string `sep:"none" placeholder:"NAME=VALUE" help:"Give a parameter of the file its value. May be given several times."`
	File   string   `arg:"" optional:"" name:"file" help:"Job file (YAML or JSON; - is stdin)."`
}

// Help is printed below the summary.
func (*showCmd) Help() string {
	return `Shows the tasks of a job file as they would be stored, with what comes of parameters and foreach. It stores and runs nothing: a parameter without a value, and the item of a foreach whose command would have to run, are shown as stand-ins.

    air-executor show pipeline.yaml
    air-executor show --graph pipeline.yaml
    air-executor show --graph --format dot pipeline.yaml | dot -Tsvg > p.svg

Exit codes: 0 done; 2 wrong flags or job file.`
}

// shownForm is the form of a task of a file.
type shownForm struct {
	Task         string   `json:"task"`
	Command      string   `json:"command"`
	Args         []string `json:"args"`
	Dependencies []string `json:"dependencies"`
}

// Run shows the file.
func (c *showCmd) Run(ctx context.Context, ui *ui) error {
	if c.Format != "" && !c.Graph {
		return usage(errors.New("--format goes with --graph"), "")
	}
	if c.File == "" {
		return usage(errors.New("which job file?"), "see air-executor show --help")
	}
	f, err := standIn(ctx, c.File, c.Param)
	if err != nil {
		return err
	}
	if len(f.Unset) > 0 {
		ui.notef("stand-ins are shown for parameters without a value: %s", strings.Join(f.Unset, ", "))
	}
	switch {
	case ui.json():
		return ui.printJSON(shownForms(f))
	case !c.Graph:
		for _, t := range f.Tasks {
			line := oneLine(t.ID) + ": " + shellLine(append([]string{t.Command}, t.Args...))
			if len(t.Dependencies) > 0 {
				line += "  (after " + oneLine(strings.Join(t.Dependencies, ", ")) + ")"
			}
			ui.printf("%s\n", line)
		}
		return nil
	case c.Format == "mermaid":
		ui.printf("%s", mermaid(f))
	case c.Format == "dot":
		ui.printf("%s", dot(f))
	default:
		ui.printf("%s", newTree(f).String())
	}
	return nil
}

func shownForms(f *taskfile.JobFile) []shownForm {
	out := []shownForm{}
	for _, t := range f.Tasks {
		out = append(out, shownForm{t.ID, t.Command, append([]string{}, t.Args...), append([]string{}, t.Dependencies...)})
	}
	return out
}
