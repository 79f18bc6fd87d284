//go:build linux

package main

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Facts about managers and their logs.
const (
	factManagers    = "managers started"
	factFronts      = "managers in the foreground"
	factClosed      = "log pipes closed"
	factUnread      = "log pipes that nobody reads"
	factToldAtStart = "signals to a manager that starts"
	factStopAtStart = "stops of a manager that starts"
)

// keeper starts managers, so that one serves most of the time.
func (w *world) keeper(ctx context.Context) {
	rng := w.random("keeper")
	for {
		if rng.IntN(2) == 0 {
			w.start()
		} else {
			w.front(rng)
		}
		if !pause(ctx, rng, 250*time.Millisecond) {
			return
		}
	}
}

// start starts a manager in the background.
func (w *world) start() {
	if w.prog.Run(w.base, "start").Code == 0 {
		w.report.fact(factManagers, 1)
	}
}

// stopAtStart has a manager stopped while it starts.
func (w *world) stopAtStart(rng *rand.Rand) {
	w.report.fact(factStopAtStart, 1)
	w.later.Go(w.start)
	time.Sleep(time.Duration(rng.IntN(80)) * time.Millisecond)
	w.stop(rng)
}

// startMany starts several managers at once, of which one may serve.
func (w *world) startMany(rng *rand.Rand) {
	for range 2 + rng.IntN(4) {
		w.later.Go(w.start)
	}
}

// front starts a manager in the foreground, which logs into a pipe. Often it is
// told to end before it can be ready.
func (w *world) front(rng *rand.Rand) {
	args := []string{"--log-level", "DEBUG", "start", "--foreground"}
	if !w.conf.long && rng.IntN(3) == 0 {
		args = append(args, "--on-term", []string{"drain", "kill"}[rng.IntN(2)])
	}
	cmd, _, _ := w.prog.Prepare(context.Background(), w.base, args...)
	log, err := w.listener(rng)
	if err != nil {
		w.report.breaks(checkAnswers, "a pipe for a log: %v", err)
		return
	}
	cmd.Stdout, cmd.Stderr = nil, log
	_, serves := one(rng, w.processes(), killManager)
	err = cmd.Start()
	log.Close()
	if err != nil {
		w.report.breaks(checkAnswers, "start --foreground does not start: %v", err)
		return
	}
	w.report.fact(factFronts, 1)
	w.fronts.Go(func() { w.awaitFront(cmd) })
	if !serves && rng.IntN(2) == 0 {
		time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
		if p, ours := w.identify(cmd.Process.Pid); ours && p.kind == killManager {
			w.report.fact(factToldAtStart, 1)
			w.tell(p, []unix.Signal{unix.SIGTERM, unix.SIGINT}[rng.IntN(2)])
		}
	}
}

// listener returns the end of a pipe to write a log to. At the other end somebody
// reads, or closes it after a while, or does neither, and it is full.
func (w *world) listener(rng *rand.Rand) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	switch rng.IntN(3) {
	case 0:
		w.fronts.Go(func() {
			_, _ = io.Copy(io.Discard, read)
			read.Close()
		})
	case 1:
		w.report.fact(factClosed, 1)
		after := time.Duration(rng.IntN(2000)) * time.Millisecond
		w.later.Go(func() {
			time.Sleep(after)
			read.Close()
		})
	default:
		w.report.fact(factUnread, 1)
		w.mu.Lock()
		w.unread = append(w.unread, read)
		w.mu.Unlock()
		size, err := unix.FcntlInt(read.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
		if err == nil {
			_, err = write.Write(make([]byte, size))
		}
		return write, err
	}
	return write, nil
}

// awaitFront waits for the end of a manager in the foreground, and checks that
// it ended in a way that it may.
func (w *world) awaitFront(cmd *exec.Cmd) {
	_ = cmd.Wait()
	ws, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	_, killed := w.killed.Load(cmd.Process.Pid)
	_, told := w.told.Load(cmd.Process.Pid)
	switch {
	case ws.Exited() && (ws.ExitStatus() == 0 || ws.ExitStatus() == 5):
	case ws.Exited() && ws.ExitStatus() == 130 && told:
	case ws.Signaled() && ws.Signal() == unix.SIGKILL && killed:
	case ws.Signaled() && (ws.Signal() == unix.SIGTERM || ws.Signal() == unix.SIGINT) && told: // before it could handle it
	default:
		w.report.breaks(checkEnds, "manager %d in the foreground: %v", cmd.Process.Pid, cmd.ProcessState)
	}
}
