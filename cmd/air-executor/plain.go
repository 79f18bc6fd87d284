package main

import (
	"strings"
	"unicode/utf8"
)

// plainLine is a command line that is read here and not by the parser. Scripts call
// enqueue often, and a fifth of its time would go to the parser for inspecting the
// grammar. So simple command lines of enqueue are read here: flags in full, and the
// command after --. All others, including invalid ones, are left to the parser. A test
// compares the two.
type plainLine struct {
	globals globals
	enqueue enqueueCmd
	named   bool // the word enqueue was read: its flags may follow
}

// readPlain reads a command line, or returns nil if it is not a simple one.
func readPlain(args []string) *plainLine {
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return nil
		}
	}
	p := &plainLine{}
	for len(args) > 0 && args[0] != "--" {
		used := p.read(args)
		if used == 0 {
			return nil
		}
		args = args[used:]
	}
	if !p.named || len(args) < 2 {
		return nil
	}
	p.enqueue.Command = args[1:]
	return p
}

// read reads the next flag or the name of the command, and returns how many words it
// takes; 0: the command line is not simple.
func (p *plainLine) read(args []string) int {
	name, value, given := args[0], "", false
	if strings.HasPrefix(name, "--") {
		name, value, given = strings.Cut(name, "=")
	}
	if on := p.onFlag(name); on != nil && !given {
		*on = true
		return 1
	}
	switch {
	case name == "enqueue" && !p.named:
		p.named = true
		return 1
	case given && value != "" && p.set(name, value):
		return 1
	case given || len(args) == 1 || args[1] == "" || args[1][0] == '-':
		return 0
	case p.set(name, args[1]):
		return 2
	}
	return 0
}

// onFlag returns the field of a flag without a value; nil: there is no such flag.
func (p *plainLine) onFlag(name string) *bool {
	switch name {
	case "--json":
		return &p.globals.JSON
	case "--allow-foreign-base-path":
		return &p.globals.AllowForeign
	}
	if !p.named {
		return nil
	}
	switch name {
	case "--quiet", "-q":
		return &p.globals.Quiet
	case "--no-env":
		return &p.enqueue.NoEnv
	case "--if-absent":
		return &p.enqueue.IfAbsent
	case "--allow-missing":
		return &p.enqueue.Missing
	}
	return nil
}

// set gives a flag its value, and reports whether it is one that takes this value
// and has none yet.
func (p *plainLine) set(name, value string) bool {
	text := p.textFlag(name)
	switch {
	case text != nil:
		once := *text == ""
		*text = value
		return once
	case !p.named:
		return false
	}
	c := &p.enqueue
	switch name {
	case "--after", "-a":
		c.After = append(c.After, value)
		return true
	case "--pool":
		c.Pool = append(c.Pool, value)
		return true
	case "--env", "-e":
		c.Env = append(c.Env, value)
		return true
	case "--label":
		c.Label = append(c.Label, value)
		return true
	case "--priority", "-o":
		once := c.Priority == 0
		return c.Priority.set(value) == nil && once
	case "--timeout":
		d, err := parseLimit(value)
		once := c.Timeout == 0
		c.Timeout = taskLimit(d)
		return once && err == nil
	}
	return false
}

// textFlag returns the field of a flag with a text; nil: there is no such flag.
func (p *plainLine) textFlag(name string) *string {
	switch name {
	case "--base-path":
		return &p.globals.BasePath
	case "--config":
		return &p.globals.ConfigArg
	case "--log-level":
		return &p.globals.LogLevel
	case "--log-format":
		return &p.globals.LogFormat
	}
	if !p.named {
		return nil
	}
	switch name {
	case "--job", "-j":
		return &p.enqueue.Job
	case "--id":
		return &p.enqueue.ID
	case "--unique":
		return &p.enqueue.Unique
	case "--unique-for":
		return &p.enqueue.For
	case "--working-directory", "-w":
		return &p.enqueue.Dir
	}
	return nil
}
