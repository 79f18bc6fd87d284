package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

type startCmd struct {
	Foreground bool   `help:"Stay in the foreground and log to stderr, for systemd and containers."`
	OnTerm     string `enum:",leave,drain,kill" type:"word" words:"leave,drain,kill" default:"" placeholder:"WAY" help:"What SIGTERM does to running tasks: leave, drain or kill (on_term of the configuration, or leave)."`
	Ready      bool   `hidden:"" help:"Report on descriptor 3 once serving."`
	asksNothing
}

func (*startCmd) configured() {}

// Help is printed below the summary.
func (*startCmd) Help() string {
	return `Starts the manager in the background and returns when it serves. Its log is manager.log in the base path.

In the foreground, Ctrl-C stops it and leaves running tasks alone, as stop does. If stop --drain has it wait for them, a second Ctrl-C ends them.

SIGTERM stops it as Ctrl-C does, unless --on-term or on_term in the configuration says that it first waits for the running tasks (drain) or ends them (kill). As process 1 of a container, where no task can outlive it, the manager ends them on both.

Exit codes: 0 it serves, or in the foreground, it has served or was stopped before; 1 it could not start; 2 wrong flags or configuration; 5 one is running already; 130 interrupted before it served.`
}

// Run starts a manager.
func (c *startCmd) Run(a *app) error {
	if c.Foreground {
		a.hurried = true
		surviveClosedPipe() // before there is something to say
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	if c.OnTerm != "" {
		conf.OnTerm = c.OnTerm
	}
	made, err := a.newBase(conf)
	if err != nil {
		return err
	}
	if c.Foreground {
		return c.serve(a, conf)
	}
	if c := queue.CallerByEnv(os.Getenv); c.Token != "" && c.BasePath == conf.BasePath {
		return errors.New("a task cannot start the manager: it would end with the task")
	}
	if err := upgradeBefore(a); err != nil {
		return err
	}
	if _, err := a.serving(); err != nil {
		return err // what the process in the background would find, and a hint
	}
	pid, err := startInBackground(a, conf)
	if errors.Is(err, manager.ErrRunning) {
		return alreadyRunning(a, err)
	}
	if err != nil {
		return err
	}
	defer a.remarkUnimported(nil)
	made()
	a.noteLink(conf)
	if a.json() {
		return a.printJSON(queue.StartedForm{PID: pid, BasePath: conf.BasePath})
	}
	a.printf("Job manager started (PID %d)\n", pid)
	return nil
}

// upgradeBefore upgrades an older database here rather than in the background,
// so that the user sees what became of it.
func upgradeBefore(a *app) error {
	q, err := a.openForRunning(a.ctx, true)
	if errors.Is(err, db.ErrNoDatabase) {
		return nil
	}
	if err != nil {
		return err
	}
	return q.Close()
}

// startInBackground starts a process that serves, and waits until it does.
func startInBackground(a *app, conf *config.Config) (pid int, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// A manager must not keep open what a script that starts it has open, such
	// as a lock.
	process.CloseOnExec()
	logFile, err := openManagerLog(conf)
	if err != nil {
		return 0, err
	}
	defer logFile.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	answer, theirs, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer answer.Close()
	var p *os.Process
	process.WithSlack(runner.Slack, func() {
		p, err = os.StartProcess(exe, backgroundArgs(a, conf), &os.ProcAttr{
			Dir:   conf.BasePath,
			Files: []*os.File{null, null, logFile, theirs},
			Sys:   &syscall.SysProcAttr{Setsid: true},
		})
	})
	theirs.Close()
	if err != nil {
		return 0, err
	}
	_, err = interruptible(a.ctx, func() (struct{}, error) { return struct{}{}, readAnswer(answer) })
	if errors.Is(err, context.Canceled) {
		_ = p.Signal(syscall.SIGTERM) // it is ours, and was not waited for
	}
	return p.Pid, err
}

// backgroundArgs is the command line of a manager in the background, with the
// same configuration as ours and no relative path.
func backgroundArgs(a *app, conf *config.Config) []string {
	args := []string{"air-executor", "start", "--foreground", "--ready", "--base-path", conf.BasePath}
	if conf.Named {
		args = append(args, "--config", conf.File)
	}
	if conf.AllowForeign {
		args = append(args, "--allow-foreign-base-path")
	}
	return append(args, "--log-level", conf.LogLevel, "--log-format", conf.LogFormat, "--on-term", conf.OnTerm)
}

// readAnswer waits for what the manager says of its start.
func readAnswer(answer io.Reader) error {
	line, err := bufio.NewReader(answer).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the manager ended before it could serve; see manager.log")
	}
	code, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch code {
	case "0":
		return nil
	case fmt.Sprint(exitManager):
		return manager.ErrRunning
	case fmt.Sprint(exitUsage):
		return usage(errors.New(text), "")
	}
	return errors.New(text)
}

// alreadyRunning names the manager that is in the way, and says what it is at.
func alreadyRunning(a *app, err error) error {
	hint := "stop it with air-executor stop"
	if l, e := lock.Open(filepath.Join(a.conf.BasePath, manager.LockName)); e == nil {
		defer l.Close()
		if pid := l.Holder(); pid > 0 {
			err = fmt.Errorf("%w (PID %d)", err, pid)
		}
	}
	how := db.Stop("")
	if q, e := a.queue(); e == nil {
		defer q.Close()
		how = q.StopUnderWay(a.ctx)
	}
	if how != "" {
		err = fmt.Errorf("%w; it was told to stop (%s)", err, how)
		hint = "wait for its end with air-executor stop --" + string(how)
		if how == db.StopLeave {
			hint = "try again in a moment"
		}
	}
	return fail(exitManager, err, hint)
}
