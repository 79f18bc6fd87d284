package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner/process"
)

type startCmd struct {
	Foreground bool `help:"Stay in the foreground and log to stderr, for systemd and containers."`
	Ready      bool `hidden:"" help:"Report on descriptor 3 once serving."`
}

// Help is printed below the summary.
func (*startCmd) Help() string {
	return `Starts the manager in the background and returns when it serves. Its log is manager.log in the base path.

In the foreground, Ctrl-C stops it and leaves running tasks alone, as stop does. If stop --drain has it wait for them, a second Ctrl-C ends them.

Exit codes: 0 it serves; 1 it could not start; 2 wrong flags or configuration; 5 one is running already.`
}

// Run starts a manager.
func (c *startCmd) Run(a *app) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	made, err := a.newBase(conf)
	if err != nil {
		return err
	}
	if c.Foreground {
		return c.serve(a, conf)
	}
	if parentToken(conf) != "" {
		return errors.New("a task cannot start the manager: it would end with the task")
	}
	if err := upgradeBefore(a); err != nil {
		return err
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
		return a.printJSON(map[string]any{"pid": pid, "base_path": conf.BasePath})
	}
	a.printf("Job manager started (PID %d)\n", pid)
	return nil
}

// upgradeBefore upgrades an older database here rather than in the background,
// so that the user sees what became of it.
func upgradeBefore(a *app) error {
	d, err := openForRunning(a, a.openExisting)
	if errors.Is(err, db.ErrNoDatabase) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.Close()
}

// serve is the life of a manager process.
func (c *startCmd) serve(a *app, conf *config.Config) error {
	ready := readiness(c.Ready)
	surviveClosedPipe()
	s := newSink(a.err)
	defer s.flush(time.Second)
	log := newLogger(s, conf.LogLevel, conf.LogFormat)
	// The context of the command ends with the first signal; a manager has
	// more to do then.
	ctx := context.WithoutCancel(a.ctx)
	m, err := manager.New(ctx, manager.Options{Config: conf, Log: log, RunnerLog: a.err})
	if err != nil {
		ready(err)
		if c.Ready {
			return silent(exitCode(err))
		}
		if errors.Is(err, manager.ErrRunning) {
			return alreadyRunning(a, err)
		}
		return err
	}
	stopOnSignals(m)
	ready(nil)
	if text := a.unimported(nil); text != "" && !c.Ready {
		log.Warn(text)
	}
	if err := m.Run(ctx); err != nil {
		log.Error("manager failed", "error", err)
		return silent(exitError)
	}
	return nil
}

// stopOnSignals makes SIGTERM stop the manager as it was asked, and Ctrl-C too.
// A manager that is still there at a second Ctrl-C, because it drains, ends the
// tasks as well.
func stopOnSignals(m *manager.Manager) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGHUP)
	go func() {
		interrupts := 0
		for s := range signals {
			how := manager.AsAsked
			if s == os.Interrupt {
				if interrupts++; interrupts > 1 {
					how = db.StopKill
				}
			}
			m.Stop(how)
		}
	}()
}

// readiness returns what to call when it is clear whether the manager serves:
// it tells the process that started us, and systemd.
func readiness(toStarter bool) func(error) {
	var answer *os.File // owns the descriptor from the start
	if toStarter {
		unix.CloseOnExec(3)
		answer = os.NewFile(3, "ready")
	}
	return func(err error) {
		if toStarter {
			if err != nil {
				fmt.Fprintf(answer, "%d %v\n", exitCode(err), err)
			} else {
				fmt.Fprintf(answer, "0 serving\n")
			}
			answer.Close()
		}
		if path := os.Getenv("NOTIFY_SOCKET"); path != "" && err == nil {
			if err := notifySystemd(path); err != nil {
				slog.Warn("cannot notify systemd", "error", err)
			}
		}
	}
}

// notifySystemd sends the readiness message of sd_notify(3). (Without package
// net, which would make the program depend on the system's C library.)
func notifySystemd(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	unix.CloseOnExec(fd)
	// A leading @ means the abstract namespace, for Go as for systemd.
	return unix.Sendto(fd, []byte("READY=1"), 0, &unix.SockaddrUnix{Name: path})
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
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	answer, theirs, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer answer.Close()
	p, err := os.StartProcess(exe, backgroundArgs(a, conf), &os.ProcAttr{
		Dir:   conf.BasePath,
		Files: []*os.File{null, logFile, logFile, theirs},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	theirs.Close()
	if err != nil {
		return 0, err
	}
	return p.Pid, readAnswer(answer)
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
	return append(args, "--log-level", conf.LogLevel, "--log-format", conf.LogFormat)
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

// alreadyRunning names the manager that is in the way.
func alreadyRunning(a *app, err error) error {
	hint := "stop it with air-executor stop"
	if l, e := lock.Open(filepath.Join(a.conf.BasePath, manager.LockName)); e == nil {
		defer l.Close()
		if pid := l.Holder(); pid > 0 {
			err = fmt.Errorf("%w (PID %d)", err, pid)
		}
	}
	return fail(exitManager, err, hint)
}
