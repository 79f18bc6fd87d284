package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// app is what commands get: the way out, and what they open when they need it.
//
// The rules of what is printed: results go to stdout, all else to stderr. An
// error is one line in lower case, with the program's name in front; what to do
// about it is a line of its own. Colour and redrawing only on a terminal, and
// no colour with NO_COLOR. With --json, stdout has JSON and nothing else, and an
// error is one JSON object on stderr (see complain).
type app struct {
	ctx      context.Context
	out, err *os.File
	args     []string // command line, without the program
	globals  globals
	signals  <-chan os.Signal // see catchSignals; nil: signals end the process

	strict    bool // a wrong configuration file is an error, see configured
	conf      *config.Config
	hurried   bool  // what is said may get lost, see remark
	unprinted error // why a result could not be printed
}

// configured is a command that does not work with a configuration file that is
// wrong, because it goes by what the file says: it would do another thing than
// was meant. The others need to know the base path, and go on with a remark.
type configured interface{ configured() }

func (*startCmd) configured()       {}
func (*runCmd) configured()         {}
func (*importCmd) configured()      {}
func (*configShowCmd) configured()  {}
func (*configCheckCmd) configured() {}
func (*configInitCmd) configured()  {}

// config returns the configuration in force.
func (a *app) config() (*config.Config, error) {
	if a.conf != nil {
		return a.conf, nil
	}
	// In a directory that was removed there is none; only relative paths need it.
	wd, _ := os.Getwd()
	overrides := config.Overrides{
		WorkDir: wd, Home: os.Getenv("HOME"), AllowForeign: a.allowForeign(),
		ConfigPath: override(a.globals.ConfigArg, "AIR_EXECUTOR_CONFIG"),
		BasePath:   override(a.globals.BasePath, "AIR_EXECUTOR_BASE_PATH"),
		LogLevel:   override(a.globals.LogLevel, "AIR_EXECUTOR_LOG_LEVEL"),
		LogFormat:  override(a.globals.LogFormat, "AIR_EXECUTOR_LOG_FORMAT"),
		Lenient:    !a.strict,
	}
	conf, err := interruptible(a.ctx, func() (*config.Config, error) { return config.Load(overrides) })
	if err != nil {
		return nil, explainBase(err)
	}
	a.conf = conf
	if conf.Wrong != nil && a.err != nil {
		what := "the default for what is wrong there"
		if at := (*config.Error)(nil); errors.As(conf.Wrong, &at) && at.Key == "" {
			what = "the defaults" // nothing of it could be read
		}
		a.notef("%v; going on with %s", conf.Wrong, what)
	}
	return conf, nil
}

// interruptible returns what read returns, unless the command is interrupted
// before: a pipe or a terminal may have nothing to say for ever. The reading is
// then left behind, and ends with the process.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	if ctx.Done() == nil {
		return read() // a signal ends the process
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// override is a value from a flag, or else from the environment.
func override(flag, variable string) config.Override {
	if flag != "" {
		return config.Override{Value: flag, Source: config.FromFlag}
	}
	if v := os.Getenv(variable); v != "" {
		return config.Override{Value: v, Source: config.FromEnvironment}
	}
	return config.Override{}
}

// open opens the database, and creates it if need be.
func (a *app) open() (*db.DB, error) { return ofQueue(a.openQueue(false)) }

// openExisting opens the database that must be there.
func (a *app) openExisting() (*db.DB, error) { return ofQueue(a.openQueue(true)) }

func ofQueue(q *queue.Queue, err error) (*db.DB, error) {
	if err != nil {
		return nil, err
	}
	return q.DB, nil
}

// queue opens the queue that must be there.
func (a *app) queue() (*queue.Queue, error) { return a.openQueue(true) }

func (a *app) openQueue(mustExist bool) (*queue.Queue, error) {
	conf, err := a.config()
	if err != nil {
		return nil, err
	}
	made := func() {}
	if !mustExist {
		if made, err = a.newBase(conf); err != nil {
			return nil, err
		}
	}
	q, err := queue.Open(a.ctx, conf, mustExist)
	if errors.Is(err, db.ErrNoDatabase) {
		hint := "enqueue a task first, or say where the jobs are with --base-path"
		if len(conf.Passed) > 0 {
			hint += "; " + conf.Passed[0] + " belongs to another user and was passed over"
		}
		return nil, fail(exitNoSuch, err, hint)
	}
	if err != nil {
		return nil, explainBase(err)
	}
	made()
	return q, nil
}

// serving reports whether a manager serves the base path.
func (a *app) serving() (bool, error) {
	conf, err := a.config()
	if err != nil {
		return false, err
	}
	return queue.Served(conf)
}

// printf prints a result, as it is or, on a terminal, without control characters.
func (a *app) printf(format string, args ...any) {
	if isTerminal(a.out) {
		args = clean(args)
	}
	if _, err := fmt.Fprintf(a.out, format, args...); err != nil && a.unprinted == nil {
		a.unprinted = err
	}
}

// notef prints a remark that is not a result: one line, without control characters.
// On a terminal, one that is too long is broken at blanks.
func (a *app) notef(format string, args ...any) {
	line := fmt.Sprintf("air-executor: "+format, clean(args)...)
	if isTerminal(a.err) {
		width, _ := terminalSize(a.err)
		line = strings.Join(fold(line, width, 4), "\n")
	}
	a.remark([]byte(line + "\n"))
}

// remark writes to stderr. In a manager's process it does not wait longer than a
// second: as for the log, nobody may read it, and the process is to end.
func (a *app) remark(text []byte) {
	if !a.hurried {
		_, _ = a.err.Write(text) // there is nowhere to say that it failed
		return
	}
	written := make(chan struct{})
	go func() {
		_, _ = a.err.Write(text)
		close(written)
	}()
	select {
	case <-written:
	case <-time.After(time.Second):
	}
}

const noManager = "no manager is running; tasks wait until one does: air-executor start"

// hintNoManager remarks, to a person, that nothing will run.
func (a *app) hintNoManager() {
	if !isTerminal(a.err) {
		return
	}
	if on, err := a.serving(); err == nil && !on {
		a.notef("%s", noManager)
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// width is the width of the terminal, or 0 if out is none.
func (a *app) width() int {
	if !isTerminal(a.out) {
		return 0
	}
	w, _ := terminalSize(a.out)
	return w
}

// colour reports whether f may be written to in colour.
func colour(f *os.File) bool {
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// canRedraw reports whether lines can be written over in place.
func canRedraw(f *os.File) bool { return isTerminal(f) && os.Getenv("TERM") != "dumb" }
