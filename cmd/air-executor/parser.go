package main

import (
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// parseLine reads a command line, and returns its global flags too.
//
// The parser needs most of its time to inspect the commands and their flags. So it first
// gets only the command that the line seems to ask for. What that parser accepts, the one
// of all commands reads in the same way: it would know more commands and no other flags.
// All that it does not accept is left to the parser of all commands, which knows best what
// to say: mistakes, requests for help, and a value that looks like a command.
func parseLine(options []kong.Option, args []string) (*kong.Context, *globals, error) {
	if command := commandIn(args); command != nil {
		var flags struct{ globals }
		c, err := newParser(&flags, append(slices.Clip(options), command, kong.NoDefaultHelp())).Parse(args)
		if err == nil {
			return c, &flags.globals, nil
		}
	}
	all := new(commandLine)
	parser := newParser(all, options)
	if namesNoCommand(parser.Model, args) {
		args = append(args, "--help")
	}
	c, err := parser.Parse(args)
	if err != nil {
		return nil, nil, usageError(err, parser, args)
	}
	return c, &all.globals, nil
}

// newParser returns a parser of command lines into the fields of a struct.
func newParser(cli any, options []kong.Option) *kong.Kong {
	return kong.Must(cli, append([]kong.Option{
		kong.Name("air-executor"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.NamedMapper("word", kong.MapperFunc(decodeWord)),
	}, options...)...)
}

// commandIn returns the option that adds to a parser the command that is named first in
// a command line; nil: none is named.
func commandIn(args []string) kong.Option {
	commands := reflect.TypeFor[commandLine]()
	for _, arg := range args {
		for i := range commands.NumField() {
			f := commands.Field(i)
			if !f.Anonymous && strings.ToLower(f.Name) == arg {
				return kong.DynamicCommand(arg, "", "", reflect.New(f.Type).Interface())
			}
		}
	}
	return nil
}

// namesNoCommand reports whether a command line only has flags of every command, which
// asks for the help too.
func namesNoCommand(model *kong.Application, args []string) bool {
	c := &completer{node: model.Node}
	for _, arg := range args {
		if c.value == nil && (arg == "--" || !strings.HasPrefix(arg, "-") || !c.knows(arg)) {
			return false
		}
		c.take(arg)
	}
	return c.value == nil
}

// knows reports whether a flag is defined here.
func (c *completer) knows(arg string) bool {
	if name, long := strings.CutPrefix(arg, "--"); long {
		name, _, _ = strings.Cut(name, "=")
		return c.long(name) != nil
	}
	letter, _ := utf8.DecodeRuneInString(strings.TrimPrefix(arg, "-"))
	return c.short(letter) != nil
}
