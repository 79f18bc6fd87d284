//go:build linux

package main

import (
	"fmt"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// Facts that the checks find out.
const (
	factBegun     = "commands begun"
	factTasks     = "tasks"
	factCompleted = "tasks completed"
	factFailed    = "tasks failed by themselves"
	factCancelled = "tasks cancelled"
	factLost      = "tasks lost"
	factBlocked   = "tasks blocked for good"
	factAttempts  = "attempts"
	factHidden    = "commands that hid"
	factLongest   = "most tasks of one runner"
)

// facts are the facts in the order in which they are reported.
var facts = []string{
	factAcked, factInDoubt, factAbsent, factLarge, factTasks, factAttempts, factBegun, factHidden, factLongest,
	factCompleted, factFailed, factCancelled, factLost, factBlocked,
	factManagers, factFronts, factClosed, factUnread, factToldAtStart, factStopAtStart, factStops,
	factCancels, factTaskCancels, factSaidCancelled, factTooLate, factInside,
	factResets, factDismissed, factRemoved, factCrashes, factTrees, factShutdowns, factInspected,
}

// attempt is what the witness file says of an attempt.
type attempt struct {
	begun, ended int // line numbers; 0: not
	code         string
}

// attemptName names an attempt; number is as the command saw it.
type attemptName struct {
	name
	number string
}

// check compares what air-executor says with what tasks and enqueuers say.
func (w *world) check() {
	if err := w.prog.Doctor(w.base); err != nil {
		w.report.breaks(checkDoctor, "%v", err)
	}
	seen, err := w.readWitness()
	if err != nil {
		w.report.breaks(checkAnswers, "%v", err)
		return
	}
	jobs, err := w.prog.Jobs(w.base)
	if err != nil {
		w.report.breaks(checkAnswers, "%v", err)
		return
	}
	w.report.fact(factAcked, w.ids.acked())
	stored := map[name]bool{}
	for _, j := range jobs {
		w.checkJob(j.Name, seen, stored)
	}
	w.checkLedger(stored)
	for a := range seen {
		if !stored[a.name] && !w.ids.mayBeGone(a.name) {
			w.report.breaks(checkAcked, "%s %s has run, and is not there", a.job, a.task)
		}
	}
	for _, p := range w.processes() {
		if p.kind == killCommand {
			w.report.breaks(checkLeft, "process %d of attempt %d of %s %s lives after all has ended", p.pid, p.try, p.of.job, p.of.task)
		}
	}
}

// checkJob compares the tasks of a job with the witness file.
func (w *world) checkJob(job string, seen map[attemptName]*attempt, stored map[name]bool) {
	j, err := w.prog.Job(w.base, job)
	if err != nil {
		w.report.breaks(checkAnswers, "%v", err)
		return
	}
	for _, t := range j.Tasks {
		n := name{job, t.ID}
		if stored[n] {
			w.report.breaks(checkOnce, "%s %s is there twice", job, t.ID)
		}
		stored[n] = true
		w.report.fact(factTasks, 1)
		w.report.fact(factAttempts, t.Attempts)
		w.report.fact(fate(t.Status, t.Reason), 1)
		last := seen[attemptName{n, fmt.Sprint(t.Attempts)}]
		if t.Status == "completed" && (last == nil || last.ended == 0 || last.code != "0") {
			w.report.breaks(checkCompleted, "%s %s attempt %d: witness %+v", job, t.ID, t.Attempts, last)
		}
		if t.Reason == "lost" {
			w.checkLoss(n)
		}
		w.checkAnswer(n, t)
		if t.Reason == "cancelled" && w.conf.long {
			w.checkWish(n)
		}
		if t.Status == "running" {
			w.report.breaks(checkRunning, "%s %s is running after all has ended", job, t.ID)
		}
		if seen[attemptName{n, fmt.Sprint(t.Attempts + 1)}] != nil {
			w.report.breaks(checkStarts, "%s %s has started more often than its %d attempts", job, t.ID, t.Attempts)
		}
	}
}

// checkLoss checks that the runners of lost attempts were killed by us.
func (w *world) checkLoss(n name) {
	t, err := w.prog.Task(w.base, n.job, n.task)
	if err != nil {
		w.report.breaks(checkAnswers, "%v", err)
	}
	for _, a := range t.History {
		if _, killed := w.killed.Load(a.RunnerPID); a.Reason == "lost" && !killed {
			w.report.breaks(checkLost, "attempt %d of %s %s is lost, and nobody has killed its runner %d", a.Attempt, n.job, n.task, a.RunnerPID)
		}
	}
}

// fate is the fact that a task's status counts as.
func fate(status, reason string) string {
	switch {
	case status == "completed":
		return factCompleted
	case reason == "lost":
		return factLost
	case reason == "cancelled":
		return factCancelled
	case status == "failed":
		return factFailed
	}
	return factBlocked
}

// checkLedger compares what is stored with what was asked for.
func (w *world) checkLedger(stored map[name]bool) {
	w.ids.mu.Lock()
	defer w.ids.mu.Unlock()
	for n, acked := range w.ids.tried {
		if w.ids.removed[n] && stored[n] {
			w.report.breaks(checkRemoved, "%s %s was removed and is there", n.job, n.task)
		}
		if acked && !stored[n] && !w.ids.removed[n] {
			w.report.breaks(checkAcked, "%s %s was acknowledged and is not there", n.job, n.task)
		}
	}
	for n := range stored {
		if _, tried := w.ids.tried[n]; !tried {
			w.report.breaks(checkOnce, "nobody has queued %s %s", n.job, n.task)
		}
	}
}

// checkAnswer checks that a task is what somebody was told that it is.
func (w *world) checkAnswer(n name, t subject.Task) {
	w.said.mu.Lock()
	defer w.said.mu.Unlock()
	switch said := w.said.status[n]; {
	case said == "completed" && t.Status != "completed", said == "cancelled" && t.Reason != "cancelled":
		w.report.breaks(checkCancel, "cancel has said of %s %s that it is %s, and it is %s %s", n.job, n.task, said, t.Status, t.Reason)
	}
}

// checkWish checks that somebody has asked for the end of a cancelled task, or
// has told its runner to end.
func (w *world) checkWish(n name) {
	w.said.mu.Lock()
	asked := w.said.asked[n] || w.said.asked[name{job: n.job}]
	w.said.mu.Unlock()
	if asked {
		return
	}
	t, err := w.prog.Task(w.base, n.job, n.task)
	if err != nil {
		w.report.breaks(checkAnswers, "%v", err)
	}
	for _, a := range t.History {
		if _, told := w.told.Load(a.RunnerPID); a.Reason == "cancelled" && !told {
			w.report.breaks(checkAsked, "attempt %d of %s %s is cancelled, and nobody has asked for that", a.Attempt, n.job, n.task)
		}
	}
}
