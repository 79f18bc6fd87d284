// Command air-executor runs jobs of shell commands durably on one machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/runner"
)

func main() {
	// Thousands of runners are started; they skip the parser.
	if len(os.Args) > 1 && os.Args[1] == runner.Argument {
		os.Exit(runTask(os.Args[1:]))
	}
	os.Exit(run(os.Args[1:]))
}

// runTask runs a runner process.
func runTask(args []string) int {
	var s *sink
	// The result is recorded before this waits: if the log is not read, the only cost
	// is that the process exits later.
	defer func() {
		if s != nil {
			s.flush(100 * time.Millisecond)
		}
	}()
	return runner.Main(args, func(f *os.File, level, format string) *slog.Logger {
		s = newSink(f)
		return newLogger(s, level, format)
	})
}

// run runs one command line and returns the exit code.
func run(args []string) int {
	a := newApp(args)
	if p := readPlain(args); p != nil {
		err := a.carryOut(&p.globals, &p.enqueue, func() error { return p.enqueue.Run(a.ctx, a.ui, a.workspace) })
		if err != nil {
			a.complain(err)
		}
		return exitCode(err)
	}
	if asksForHelp(args) {
		args = helpArgs(args)
	}
	exited := -1
	out := &helpWriter{ui: a.ui}
	options := []kong.Option{
		kong.Writers(out, a.err),
		kong.Exit(func(code int) { exited = code; panic(errHelpShown) }),
		kong.Bind(a.ui, a.workspace, arguments(args)),
	}
	if len(args) == 2 && args[0] == completeLine {
		return exitCode(answerShell(a.ui, a.workspace, newParser(new(commandLine), options).Model, args[1]))
	}
	err := parseAndRun(options, a, args)
	if out.end(); out.err != nil {
		err = out.err // help was printed
	} else if errors.Is(err, errHelpShown) {
		return exited
	}
	if err != nil {
		a.complain(err)
	}
	return exitCode(err)
}

// errHelpShown ends parsing after kong has printed help.
var errHelpShown = errors.New("help shown")

func parseAndRun(options []kong.Option, a *app, args []string) (err error) {
	defer func() {
		if p := recover(); p == errHelpShown {
			err = errHelpShown
		} else if p != nil {
			panic(p)
		}
	}()
	// The parser would replace what is not UTF-8, and run another command.
	for i, arg := range args {
		if !utf8.ValidString(arg) {
			return usage(fmt.Errorf("argument %d of the command line is not valid UTF-8", i+1), "")
		}
	}
	c, flags, err := parseLine(options, args)
	if err != nil {
		return err
	}
	if err := refuseEmpty(c); err != nil {
		return err
	}
	return a.carryOut(flags, c.Selected().Target.Addr().Interface(), func() error {
		c.BindTo(a.ctx, (*context.Context)(nil))
		c.Bind(a.signals)
		return c.Run()
	})
}

// carryOut runs a command that was parsed without an error.
func (a *app) carryOut(flags *globals, command any, run func() error) error {
	a.globals, a.asJSON = *flags, jsonWanted(flags.JSON)
	_, a.strict = command.(configured)
	if _, err := wantsJSONByEnv(); err != nil {
		return usage(fmt.Errorf("%s is %q, which is neither 1 nor 0", envJSON, os.Getenv(envJSON)), "")
	}
	if _, ok := command.(interface{ printsQuietly() }); a.globals.Quiet && !ok {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer null.Close()
		a.out = null
	}
	if q, ok := command.(quick); !ok || !q.quick() {
		var stop func()
		a.ctx, a.signals, stop = catchSignals(a.ctx)
		defer stop()
	}
	err := a.explainDenied(a.suggest(run()))
	if err != nil && nobodyReads(a.unprinted) {
		return err // says more than errNobodyReads
	}
	return errors.Join(err, a.unprinted)
}

// quick is a command that may be so short that a signal can simply end the process,
// whatever it is doing. Catching signals would cost it a tenth of its time.
type quick interface{ quick() bool }

// refuseEmpty refuses flags with empty values: they come from variables that
// are not set, and `cancel --task "$ID"` must not mean all tasks then.
func refuseEmpty(c *kong.Context) error {
	for _, p := range c.Path {
		if p.Flag == nil {
			continue
		}
		empty := false
		switch v := c.FlagValue(p.Flag).(type) {
		case string:
			empty = v == ""
		case []string:
			empty = slices.Contains(v, "")
		}
		if empty {
			return usage(fmt.Errorf("--%s is empty", p.Flag.Name), "")
		}
	}
	return nil
}

// flagAsValue extracts the flag and the word from the parser's error about a word that
// looks like a flag in place of a value.
func flagAsValue(said string) (flag, word string, ok bool) {
	flag, rest, ok := strings.Cut(said, ": expected ")
	_, rest, got := strings.Cut(rest, ` value but got "`)
	word, rest, ends := strings.Cut(rest, `" (`)
	return flag, word, ok && got && ends && (strings.HasPrefix(rest, "short flag)") || strings.HasPrefix(rest, "long flag)"))
}

// usageError turns a parse error into one with a hint where to read more.
func usageError(err error, parser *kong.Kong, args []string) error {
	if unknown := unknownCommand(parser.Model, args); unknown != nil {
		return unknown
	}
	command := parser.Model.Name
	var pe *kong.ParseError
	if errors.As(err, &pe) && pe.Context != nil {
		if sel := pe.Context.Selected(); sel != nil {
			command = sel.FullPath()
		}
	}
	// The parser's error about a missing value is meant for programmers.
	if flag, said, ok := strings.Cut(err.Error(), ": expected "); ok && strings.HasSuffix(said, `value but got "EOL" (<EOL>)`) {
		err = fmt.Errorf("%s needs a value", flag)
	}
	if flag, ok := strings.CutSuffix(err.Error(), ": "+errNoValue.Error()); ok {
		err = fmt.Errorf("%s needs a value", flag)
	}
	if flag, choice, ok := strings.Cut(err.Error(), ` must be one of "",`); ok { // the empty one is the default
		err = fmt.Errorf("%s must be one of %s", flag, choice)
	}
	hint := fmt.Sprintf("see %s --help", command)
	if flag, word, ok := flagAsValue(err.Error()); ok && word == "--" {
		err = fmt.Errorf("%s needs a value", flag)
	} else if ok {
		err = fmt.Errorf("%s needs a value, and %s looks like a flag", flag, word)
		hint = fmt.Sprintf("if that is the value: %s=%s", flag, shellLine([]string{word}))
	}
	if extra, ok := strings.CutPrefix(err.Error(), "unexpected argument "); ok && takesTask(pe) {
		hint = taskHint(pe, extra)
	}
	if strings.Contains(err.Error(), "unknown flag") && (strings.HasSuffix(command, " enqueue") || strings.HasSuffix(command, " run")) {
		hint = fmt.Sprintf("if that belongs to the command, put -- before it: %s -- COMMAND ARG...", command)
	}
	return usage(err, hint)
}
