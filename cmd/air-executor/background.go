package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// startInBackground starts a process that serves, and waits until it does.
func startInBackground(ctx context.Context, conf *config.Config) (pid int, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// A manager must not keep files of the script that starts it open, such as a lock.
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
		p, err = os.StartProcess(exe, backgroundArgs(conf), &os.ProcAttr{
			Dir:   conf.BasePath,
			Files: []*os.File{null, null, logFile, theirs},
			Sys:   &syscall.SysProcAttr{Setsid: true},
		})
	})
	theirs.Close()
	if err != nil {
		return 0, err
	}
	_, err = interruptible(ctx, func() (struct{}, error) { return struct{}{}, readAnswer(answer) })
	if errors.Is(err, context.Canceled) {
		_ = p.Signal(syscall.SIGTERM) // it is our child, and not reaped yet
	}
	return p.Pid, err
}

// backgroundArgs returns the command line of a manager in the background: the same
// configuration as this process, without relative paths.
func backgroundArgs(conf *config.Config) []string {
	args := []string{"air-executor", "start", "--foreground", "--ready", "--base-path", conf.BasePath}
	if conf.Named {
		args = append(args, "--config", conf.File)
	}
	if conf.AllowForeign {
		args = append(args, "--allow-foreign-base-path")
	}
	return append(args, "--log-level", conf.LogLevel, "--log-format", conf.LogFormat, "--on-term", conf.OnTerm)
}

// readAnswer waits for the manager's report of its start.
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
