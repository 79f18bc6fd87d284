package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/internal/words"
)

type helpCmd struct {
	Command []string `arg:"" optional:"" predictor:"help" help:"The command."`
}

// Help is printed below the summary.
func (*helpCmd) Help() string {
	return `With --json, the same text in a JSON object.

Exit codes: 0 done; 2 no such command.`
}

// asksForHelp reports whether a command line is one for the help: "help", "help
// COMMAND", or nothing at all.
func asksForHelp(args []string) bool { return len(args) == 0 || args[0] == "help" }

// helpArgs returns the same request in the form that the parser knows: COMMAND --help.
func helpArgs(args []string) []string {
	var asked []string
	for _, arg := range args[min(1, len(args)):] {
		if arg != "--help" && arg != "-h" {
			asked = append(asked, arg)
		}
	}
	return append(asked, "--help")
}

// misplaced reports whether a flag is not defined here, but by some command.
func (c *completer) misplaced(arg string) bool {
	if len(arg) < 2 || arg[0] != '-' || arg == "--" || c.knows(arg) {
		return false
	}
	return slices.ContainsFunc(c.node.Children, func(n *kong.Node) bool {
		return (&completer{node: n}).knows(arg)
	})
}

// helpWriter writes the help, and remembers the error if it cannot. With --json it
// collects the help until it is complete.
type helpWriter struct {
	ui   *ui
	text bytes.Buffer
	err  error
}

// helpJSON is the help as --json prints it.
type helpJSON struct {
	Help string `json:"help"`
}

// Write writes the help.
func (w *helpWriter) Write(b []byte) (int, error) {
	if w.ui.json() {
		return w.text.Write(b)
	}
	n, err := w.ui.out.Write(b)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

// end prints the collected help.
func (w *helpWriter) end() {
	if w.text.Len() > 0 {
		w.err = w.ui.printJSON(helpJSON{w.text.String()})
	}
}

// otherWords are other tools' names for these commands.
var otherWords = map[string]string{
	"add": "enqueue", "submit": "enqueue", "push": "enqueue", "queue": "enqueue", "put": "enqueue",
	"ls": "status", "list": "status", "ps": "status", "jobs": "status", "show": "status", "info": "status", "top": "status --watch", "watch": "status --watch",
	"log": "logs", "tail": "logs --follow", "follow": "logs --follow", "output": "logs", "cat": "logs",
	"abort": "cancel", "terminate": "cancel",
	"restart": "reset", "rerun": "retry", "hold": "pause", "suspend": "pause", "freeze": "pause --freeze", "continue": "resume", "unpause": "resume", "signal": "kill",
	"rm": "remove", "delete": "remove", "del": "remove", "clean": "remove", "clear": "remove", "prune": "remove", "purge": "remove",
	"ack": "dismiss", "acknowledge": "dismiss", "ignore": "dismiss",
	"exec": "run", "daemon": "start", "serve": "start", "up": "start", "down": "stop", "shutdown": "stop", "quit": "stop",
	"init": "config init", "check": "doctor", "fsck": "doctor", "migrate": "upgrade", "completions": "completion",
}

// unknownCommand returns an error that names an unknown command, and the one that may
// be meant; nil if the command line has a known one.
func unknownCommand(model *kong.Application, args []string) error {
	c := &completer{node: model.Node}
	for _, arg := range args {
		if len(c.node.Children) == 0 {
			return nil
		}
		if c.value == nil && c.misplaced(arg) {
			flag, _, _ := strings.Cut(arg, "=")
			return usage(fmt.Errorf("%s is a flag of commands, and comes after one", flag), "air-executor COMMAND "+arg+" ...; air-executor --help lists the commands")
		}
		if c.value == nil && !strings.HasPrefix(arg, "-") && c.child(arg) == nil {
			return usage(fmt.Errorf("no such command: %s", arg), commandHint(model, arg))
		}
		c.take(arg)
	}
	return nil
}

func commandHint(model *kong.Application, word string) string {
	const all = "air-executor --help lists the commands"
	if other, ok := otherWords[strings.ToLower(word)]; ok {
		name, _, _ := strings.Cut(other, " ")
		if (&completer{node: model.Node}).child(name) != nil {
			return "air-executor " + other + " does that; see air-executor " + name + " --help"
		}
	}
	if best := words.Nearest(word, commandNames(model)); best != "" {
		return fmt.Sprintf("did you mean %s? %s", best, all)
	}
	return all
}

func commandNames(model *kong.Application) (names []string) {
	for _, n := range model.Children {
		if !n.Hidden {
			names = append(names, n.Name)
		}
	}
	return names
}
