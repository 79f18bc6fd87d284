package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/api"
	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/lock"
)

// serveBeside starts the server that the configuration wants, as a process of its own,
// and returns a function that stops it. If it fails, the manager goes on without it.
func serveBeside(conf *config.Config, errs *os.File, log *slog.Logger) (stop func()) {
	if conf.Listen == "" {
		return func() {}
	}
	if pid, _, err := api.Serving(conf.BasePath); err == nil && pid > 0 {
		log.Info("a server runs already", "pid", pid)
		return func() {}
	}
	exe, err := os.Executable()
	if err != nil {
		log.Error("the server cannot be started", "error", err)
		return func() {}
	}
	args := []string{"serve", "--beside", "--base-path", conf.BasePath, "--log-level", conf.LogLevel, "--log-format", conf.LogFormat}
	if conf.Named {
		args = append(args, "--config", conf.File)
	}
	if conf.AllowForeign {
		args = append(args, "--allow-foreign-base-path")
	}
	cmd := exec.Command(exe, args...)
	cmd.Args[0], cmd.Dir, cmd.Stderr = "air-executor", conf.BasePath, errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the manager
	if err := cmd.Start(); err != nil {
		log.Error("the server cannot be started", "error", err)
		return func() {}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := cmd.Wait(); err != nil {
			log.Warn("the server has ended", "error", err)
		}
	}()
	return func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		const patience = 10 * time.Second
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
}

// stopServer ends the server that was started beside the manager, if it is still there,
// and returns when it has left the base path.
func stopServer(ctx context.Context, conf *config.Config) error {
	if conf.Listen == "" {
		return nil
	}
	pid, _, err := api.Serving(conf.BasePath)
	if err != nil || pid == 0 {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the server (PID %d): %w", pid, err)
	}
	l, err := lock.Open(filepath.Join(conf.BasePath, api.LockName))
	if err != nil {
		return err
	}
	defer l.Close()
	const patience = 10 * time.Second
	if err := l.Lock(ctx, patience); err != nil {
		return fmt.Errorf("the server (PID %d) was told to stop, and goes on: %w", pid, err)
	}
	return nil
}
