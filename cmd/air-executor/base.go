package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// explainBase adds what to do about a base path that cannot be used.
func explainBase(err error) error {
	var u *basepath.Untrusted
	if errors.As(err, &u) {
		code := exitError
		if filepath.Base(u.Path) == config.FileName {
			code = exitUsage // the configuration is wrong
		}
		return fail(code, err, u.Hint)
	}
	return err
}

// explainDenied adds to a permission error in the base path who owns the file, and what
// to do about it.
func (ws *workspace) explainDenied(err error) error {
	var coded *codedError
	if ws.conf == nil || !errors.Is(err, fs.ErrPermission) || errors.As(err, &coded) {
		return err
	}
	path := ""
	var file *fs.PathError
	var link *os.LinkError
	if errors.As(err, &file) {
		path = file.Path
	} else if errors.As(err, &link) {
		path = link.New
	}
	if inside, e := filepath.Rel(ws.conf.BasePath, path); e != nil || !filepath.IsLocal(inside) {
		return err
	}
	why, hint := basepath.Denied(path)
	if why == "" {
		return err
	}
	return fail(exitError, fmt.Errorf("%w: %s", err, why), hint)
}

// allowForeign reports whether the base path may belong to another user.
func (ws *workspace) allowForeign() bool {
	on, _ := strconv.ParseBool(os.Getenv(basepath.AllowForeign))
	return ws.globals.AllowForeign || on
}

// newBase checks a base path before a command creates it, and refuses one in which
// files of other programs are in the way. It returns a function that reports a new base
// path: users must notice that they queue into the wrong place.
func (ws *workspace) newBase(conf *config.Config) (made func(), err error) {
	if _, err := os.Lstat(filepath.Join(conf.BasePath, db.FileName)); !errors.Is(err, os.ErrNotExist) {
		return func() {}, nil // it exists
	}
	if err := db.CheckNames(conf.BasePath); err != nil {
		return nil, err
	}
	what := "new base path"
	if _, err := os.Lstat(conf.BasePath); err == nil {
		what = "new database in"
	}
	return func() {
		if ws.globals.Quiet {
			return
		}
		for _, other := range conf.Passed {
			ws.ui.notef("%s belongs to another user and was skipped", other)
		}
		ws.ui.notef("%s %s", what, conf.BasePath)
	}, nil
}

// noteLink tells the user who starts a manager why tasks will not find air-executor.
func (ws *workspace) noteLink(conf *config.Config) {
	exe, err := os.Executable()
	if err == nil {
		err = runner.CheckLink(conf.BasePath, exe)
	}
	if err != nil {
		ws.ui.notef("%v", err)
	}
}

// checkJobName refuses a name that is not allowed for a new job, unless the job exists.
func (ws *workspace) checkJobName(name string) error {
	err := job.CheckNewName(name)
	if err == nil {
		return nil // without opening the database
	}
	if q, openErr := ws.asItIs(); openErr == nil {
		defer q.Close()
		err = q.CheckJobName(ws.ctx, name)
	}
	if err != nil {
		return usage(err, "")
	}
	return nil
}
