package main

import (
	"context"
	"errors"
	"os"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// workspace is the base path with its configuration and queue, which a command opens
// when it needs them. They stay open until the command ends.
type workspace struct {
	ctx     context.Context // ends with the command
	ui      *ui
	globals globals
	strict  bool // a wrong configuration file is an error, see configured
	conf    *config.Config
}

// configured is a command that refuses an invalid configuration file, because it
// depends on the file and would do something else than intended. Other commands only
// need the base path; they print a remark and continue.
type configured interface{ configured() }

// config returns the configuration in force.
func (ws *workspace) config() (*config.Config, error) {
	if ws.conf != nil {
		return ws.conf, nil
	}
	// It fails in a removed directory; only relative paths need it.
	wd, _ := os.Getwd()
	overrides := config.Overrides{
		WorkDir: wd, Home: os.Getenv("HOME"), AllowForeign: ws.allowForeign(),
		ConfigPath: override(ws.globals.ConfigArg, "AIR_EXECUTOR_CONFIG"),
		BasePath:   override(ws.globals.BasePath, "AIR_EXECUTOR_BASE_PATH"),
		LogLevel:   override(ws.globals.LogLevel, "AIR_EXECUTOR_LOG_LEVEL"),
		LogFormat:  override(ws.globals.LogFormat, "AIR_EXECUTOR_LOG_FORMAT"),
		Lenient:    !ws.strict,
	}
	conf, err := interruptible(ws.ctx, func() (*config.Config, error) { return config.Load(overrides) })
	if err != nil {
		return nil, explainBase(err)
	}
	ws.conf = conf
	if conf.Wrong != nil && ws.ui.err != nil {
		what := "the default for what is wrong there"
		if at := (*config.Error)(nil); errors.As(conf.Wrong, &at) && at.Key == "" {
			what = "the defaults" // the file could not be parsed
		}
		ws.ui.notef("%v; going on with %s", conf.Wrong, what)
	}
	return conf, nil
}

// openExisting opens the database, which must exist, and leaves an older one as it is.
func (ws *workspace) openExisting() (*db.DB, error) {
	q, err := ws.asItIs()
	if err != nil {
		return nil, err
	}
	return q.DB, nil
}

// queue opens the queue, which must exist, as openUpgraded does.
func (ws *workspace) queue() (*queue.Queue, error) { return ws.openUpgraded(ws.ctx, true) }

// asItIs opens the queue, which must exist, and leaves an older one as it is.
func (ws *workspace) asItIs() (*queue.Queue, error) { return ws.openQueue(true) }

func (ws *workspace) openQueue(mustExist bool) (*queue.Queue, error) {
	conf, err := ws.config()
	if err != nil {
		return nil, err
	}
	made := func() {}
	if !mustExist {
		if made, err = ws.newBase(conf); err != nil {
			return nil, err
		}
	}
	q, err := queue.Open(ws.ctx, conf, mustExist)
	if err != nil {
		return nil, ws.explainOpen(err)
	}
	made()
	return q, nil
}

// explainOpen adds what to do about a database that could not be opened.
func (ws *workspace) explainOpen(err error) error {
	if !errors.Is(err, db.ErrNoDatabase) {
		return explainBase(err)
	}
	hint := "enqueue a task first, or say where the jobs are with --base-path"
	if len(ws.conf.Passed) > 0 {
		hint += "; " + ws.conf.Passed[0] + " belongs to another user and was skipped"
	}
	if len(queue.Unimported(ws.ctx, ws.conf, nil)) > 0 {
		hint = "there are files of jobs that are not imported yet: air-executor import"
	}
	return fail(exitNoSuch, err, hint)
}

// serving reports whether a manager serves the base path.
func (ws *workspace) serving() (bool, error) {
	conf, err := ws.config()
	if err != nil {
		return false, err
	}
	return queue.Served(conf)
}

const noManager = "no manager is running; tasks wait until one does: air-executor start"

// hintNoManager tells an interactive user that nothing will run.
func (ws *workspace) hintNoManager() {
	if !isTerminal(ws.ui.err) {
		return
	}
	if on, err := ws.serving(); err == nil && !on {
		ws.ui.notef("%s", noManager)
	}
}

// override returns a value from a flag, or else from the environment.
func override(flag, variable string) config.Override {
	if flag != "" {
		return config.Override{Value: flag, Source: config.FromFlag}
	}
	if v := os.Getenv(variable); v != "" {
		return config.Override{Value: v, Source: config.FromEnvironment}
	}
	return config.Override{}
}
