package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// completionJSON is a script for a shell.
type completionJSON struct {
	Shell  string `json:"shell"`
	Script string `json:"script"`
}
