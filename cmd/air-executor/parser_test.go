package main

import (
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// sameLine fails if the parser of one command accepts a command line and the parser of
// all commands reads another thing in it. It reports whether the first one accepts it.
func sameLine(t *testing.T, args []string) bool {
	t.Helper()
	command := commandIn(args)
	if command == nil {
		return false
	}
	options := []kong.Option{kong.Writers(io.Discard, io.Discard), kong.Bind(newApp(nil)), kong.Exit(func(int) {})}
	var flags struct{ globals }
	one, err := newParser(&flags, append(slices.Clip(options), command, kong.NoDefaultHelp())).Parse(args)
	if err != nil {
		return false
	}
	all := new(commandLine)
	c, err := newParser(all, options).Parse(args)
	if err != nil {
		t.Errorf("%q: the parser of all commands says %v", args, err)
		return true
	}
	switch {
	case c.Command() != one.Command():
		t.Errorf("%q is %q, to the parser of all commands %q", args, one.Command(), c.Command())
	case flags.globals != all.globals:
		t.Errorf("%q has the flags %+v, to the parser of all commands %+v", args, flags.globals, all.globals)
	}
	same := []cmp.Option{
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < time.Hour }), // --since 2d
	}
	if diff := cmp.Diff(c.Selected().Target.Interface(), one.Selected().Target.Interface(), same...); diff != "" {
		t.Errorf("%q: (-all +one)\n%s", args, diff)
	}
	return true
}

func TestTheParserOfOneCommandReadsWhatThatOfAllReads(t *testing.T) {
	for name, lines := range examples {
		for _, line := range lines {
			args := strings.Fields(line)[1:]
			for _, args := range [][]string{
				args,
				slices.Concat([]string{"--base-path", "/x", "-q"}, args),
				slices.Concat([]string{"--log-level=DEBUG", "--json"}, args),
				slices.Insert(slices.Clone(args), 1, "--config", "stop", "--json"),
			} {
				if !sameLine(t, args) && name != "help" {
					t.Errorf("%q needs the parser of all commands", args)
				}
			}
		}
	}
}

// The parser of all commands reads what the parser of one does not accept.
func TestTheParserOfAllCommandsReadsTheRest(t *testing.T) {
	for line, one := range map[string]bool{
		"status stop":                 true,
		"status --json -- stop":       true,
		"stop -- status":              false,
		"--config status":             false,
		"--config status stop":        false,
		"--config stop stop":          true,
		"--base-path=x --config stop": false,
		"--quiet status -j stop":      true,
		"-- status":                   true,
		"Status":                      false,
		"stat":                        false,
		"status --help":               false,
		"status -h":                   false,
		"--help status":               false,
		"run -- air-executor --help":  true,
		"status --no-such-flag":       false,
		"--no-such-flag status":       false,
		"--task 1 status":             false,
		"schedule":                    false,
		"schedule list":               true,
		"schedule lst":                false,
		"globals":                     false,
		"wait a --timeout 0":          false,
	} {
		if got := sameLine(t, strings.Fields(line)); got != one {
			t.Errorf("%q: one command is enough: %t", line, got)
		}
	}
}
