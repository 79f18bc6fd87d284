package main

import (
	"log/slog"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// supervisor is systemd, or another program that supports sd_notify(3), if one has
// started this process.
type supervisor struct {
	socket  string // empty: there is none
	watches bool   // it wants regular signs of life
}

// newSupervisor reads and removes the supervisor's variables from the environment,
// because child processes must not notify in the name of this process.
func newSupervisor() *supervisor {
	s := &supervisor{socket: os.Getenv("NOTIFY_SOCKET")}
	usec, _ := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid := os.Getenv("WATCHDOG_PID")
	s.watches = usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid()))
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	return s
}

func (s *supervisor) ready()    { s.send("READY=1") }
func (s *supervisor) stopping() { s.send("STOPPING=1") }

func (s *supervisor) alive() {
	if s.watches {
		s.send("WATCHDOG=1")
	}
}

// send sends one message of sd_notify(3). (Without package net, which would make
// the program depend on the system's C library.)
func (s *supervisor) send(message string) {
	if s.socket == "" {
		return
	}
	err := func() error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		unix.CloseOnExec(fd)
		// A leading @ means the abstract namespace, for Go as for systemd.
		return unix.Sendto(fd, []byte(message), 0, &unix.SockaddrUnix{Name: s.socket})
	}()
	if err != nil {
		slog.Warn("cannot notify systemd", "error", err)
	}
}
