package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/db"
)

type completionCmd struct {
	Shell string `arg:"" optional:"" type:"word" words:"bash,zsh,fish" help:"bash, zsh or fish; the default is the shell of $SHELL."`
}

// Help is printed below the summary.
func (*completionCmd) Help() string {
	return `Prints a script that completes commands, flags, names of jobs, ids of tasks, and file names. To have it in every new shell:

    bash: echo 'source <(air-executor completion bash)' >>~/.bashrc
    zsh: echo 'source <(air-executor completion zsh)' >>~/.zshrc
    fish: air-executor completion fish >~/.config/fish/completions/air-executor.fish

Exit codes: 0 done; 2 wrong flags, or no script for this shell.`
}

const nameShell = "name one: air-executor completion bash, zsh or fish"

//go:embed completion
var completionScripts embed.FS

// Run prints the script.
func (c *completionCmd) Run(ui *ui) error {
	shell := c.Shell
	if shell == "" {
		if os.Getenv("SHELL") == "" {
			return usage(errors.New("which shell? $SHELL is not set"), nameShell)
		}
		shell = filepath.Base(os.Getenv("SHELL"))
	}
	script, err := completionScripts.ReadFile("completion/" + shell)
	if err != nil {
		return usage(fmt.Errorf("no completion for the shell %q", shell), nameShell)
	}
	if ui.json() {
		return ui.printJSON(completionJSON{shell, string(script)})
	}
	ui.printf("%s", painted(script))
	return nil
}

// completeLine is the command by which the scripts ask what may come next. Its
// argument is the command line up to the cursor.
const completeLine = "complete-line"

// answerShell prints what may come next on a command line: the kind of it, and
// then a word a line.
func answerShell(ui *ui, ws *workspace, model *kong.Application, line string) error {
	words := splitLine(line)
	if len(words) < 2 {
		words = append(words, "")
	}
	c := complete(model, words[1:], &storedNames{ws})
	ui.printf("%s\n", c.kind)
	for _, w := range c.words {
		ui.printf("%s\n", w)
	}
	return ui.unprinted
}

// storedNames looks up names in the database of the base path.
type storedNames struct{ ws *workspace }

// mostNames is how many names a shell is offered.
const mostNames = 500

func (s *storedNames) in(basePath string) { s.ws.globals.BasePath = basePath }

func (s *storedNames) jobs(prefix string) []string {
	return s.look(func(d *db.DB) ([]string, error) { return d.JobNames(context.Background(), prefix, mostNames) })
}

func (s *storedNames) tasks(job, prefix string) []string {
	return s.look(func(d *db.DB) ([]string, error) { return d.TaskIDs(context.Background(), job, prefix, mostNames) })
}

// look asks the database. Without one there is nothing to offer, and nobody to
// tell that to.
func (s *storedNames) look(ask func(*db.DB) ([]string, error)) []string {
	d, err := s.ws.openExisting()
	if err != nil {
		return nil
	}
	defer d.Close()
	names, err := ask(d)
	if err != nil {
		return nil
	}
	return names
}

// completionJSON is a script for a shell.
type completionJSON struct {
	Shell  string `json:"shell"`
	Script string `json:"script"`
}
