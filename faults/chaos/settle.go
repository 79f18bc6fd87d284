//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// settle ends all faults, and lets a manager work off what is left.
func (w *world) settle() {
	for _, p := range w.processes() {
		w.signal(p, unix.SIGCONT)
	}
	rng := w.random("settle")
	began := time.Now()
	looked := false
	last, since := "", began
	for ; ; time.Sleep(100 * time.Millisecond) {
		if err := w.ensureManager(); err != nil {
			w.report.breaks(checkAnswers, "%v", err)
			return
		}
		if !looked && time.Since(began) > 5*time.Second {
			looked = true
			w.lookForOrphans()
		}
		jobs, err := w.prog.Jobs(w.base)
		if err != nil {
			w.report.breaks(checkAnswers, "%v", err)
			return
		}
		w.cancelEndless(rng)
		now := open(jobs)
		if now == "" {
			return
		}
		// The longest task and the longest end of one take about five seconds each.
		if now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > 15*time.Second {
			w.report.breaks(checkRunning, "no progress for 15 s: %s", now)
			return
		}
	}
}

// cancelEndless cancels the tasks that would run on and on.
func (w *world) cancelEndless(rng *rand.Rand) {
	for _, p := range w.processes() {
		if p.kind == killCommand && slices.Contains(proc(p.pid, "cmdline"), endless.String()) {
			w.cancelTask(rng, p.of)
		}
	}
}

// open says which jobs have something to do, or nothing.
func open(jobs []subject.Job) string {
	var out []string
	for _, j := range jobs {
		if j.Running > 0 || j.Pending > j.Blocked {
			out = append(out, fmt.Sprintf("%s: %d running, %d ready, %d ended", j.Name, j.Running, j.Pending-j.Blocked, j.Completed+j.Failed))
		}
	}
	return strings.Join(out, "; ")
}

// lookForOrphans checks that all that is running has a living runner.
func (w *world) lookForOrphans() {
	if err := w.prog.Doctor(w.base); err != nil {
		w.report.breaks(checkRunning, "5 s after the faults: %v", err)
	}
}

// ensureManager starts a manager if there is none. One that is on its way out
// is found gone at the next look.
func (w *world) ensureManager() error {
	isManager := func(p process) bool { return p.kind == killManager }
	var r subject.Result
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		if slices.ContainsFunc(w.processes(), isManager) {
			return nil
		}
		if r = w.prog.Run(w.base, "start"); r.Code == 0 {
			w.report.fact(factManagers, 1)
			return nil
		}
	}
	return fmt.Errorf("no manager can be started: exit code %d: %s", r.Code, r.Err)
}

// clear stops the manager and sees to it that nothing is left of the round.
func (w *world) clear() {
	if err := w.ensureManager(); err != nil {
		w.report.breaks(checkAnswers, "%v", err)
	}
	if r := w.prog.Run(w.base, "stop", "--timeout", "10s"); r.Code != 0 && r.Code != 5 {
		w.report.breaks(checkAnswers, "stop at the end: exit code %d: %s", r.Code, r.Err)
	}
	w.fronts.Wait()
	for _, log := range w.unread {
		log.Close()
	}
	for begin := time.Now(); len(w.processes()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			for _, p := range w.processes() {
				w.report.breaks(checkLeft, "process %d (%s) is there after the manager has stopped", p.pid, p.kind)
				w.signal(p, unix.SIGKILL)
			}
			return
		}
	}
}
