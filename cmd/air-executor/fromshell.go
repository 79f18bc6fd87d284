package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// fromShell holds what tasks get from this shell and from flags.
type fromShell struct {
	dir      string   // empty: the current directory
	env      []string // KEY=VALUE, on top of this shell's
	noEnv    bool     // no environment is stored
	priority int
	timeout  time.Duration // 0: that of the configuration
	retry    retryFlags
	hooks    hookFlags
	labels   []string // KEY=VALUE
	pools    []string // places that are needed, as gpu:2
}

// check refuses invalid variables.
func (f fromShell) check() error {
	for _, kv := range f.env {
		if key, _, ok := strings.Cut(kv, "="); !ok || key == "" {
			return fmt.Errorf("--env %q is not KEY=VALUE", kv)
		}
		if err := job.CheckText("--env", kv); err != nil {
			return err
		}
	}
	if _, err := job.ParseLabels(f.labels); err != nil {
		return fmt.Errorf("--label: %w", err)
	}
	if _, err := job.NormalPools(f.pools); err != nil {
		return fmt.Errorf("--pool: %w", err)
	}
	return nil
}

// template returns the defaults of all tasks from the flags and this shell.
func (f fromShell) template() (job.Spec, error) {
	dir, err := taskDir(f.dir)
	if err != nil {
		return job.Spec{}, err
	}
	s := job.Spec{Dir: dir, Priority: f.priority, Timeout: f.timeout}
	if err := f.retry.set(&s); err != nil {
		return job.Spec{}, err
	}
	if s.Hooks, err = f.hooks.hooks(); err != nil {
		return s, err
	}
	if s.Pools, err = job.NormalPools(f.pools); err != nil {
		return s, err
	}
	if !f.noEnv {
		s.Env = shellEnv()
	} else if len(f.env) > 0 {
		return s, usage(errors.New("--env and --no-env do not go together"), "")
	}
	s.Env = append(s.Env, f.env...)
	s.Labels, err = job.ParseLabels(f.labels)
	return s, err
}

// taskDir returns the directory of tasks that are queued from here.
func taskDir(dir string) (string, error) {
	given := dir
	dir, err := filepath.Abs(dir)
	if err != nil {
		what := "the current directory is gone, and a task would run there"
		if given != "" {
			what = fmt.Sprintf("--working-directory %s is relative, and the current directory is gone", given)
		}
		return "", fail(exitError, errors.New(what), "give an absolute --working-directory, or cd to one that is there")
	}
	return dir, job.CheckText("working directory", dir)
}

// shellEnv returns the environment of this shell, without variables that a task must
// not inherit.
func shellEnv() []string { return runner.Inheritable(os.Environ()) }
