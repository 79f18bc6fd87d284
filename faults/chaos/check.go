//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
)

// facts are the facts in the order in which they are reported.
var facts = []string{
	factAcked, factInDoubt, factAbsent, factTasks, factAttempts, factBegun,
	factCompleted, factFailed, factCancelled, factLost, factBlocked,
	factManagers, factStops, factCancels, factResets, factCrashes, factInspected,
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
		if !stored[a.name] {
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
		if acked && !stored[n] {
			w.report.breaks(checkAcked, "%s %s was acknowledged and is not there", n.job, n.task)
		}
	}
	for n := range stored {
		if _, tried := w.ids.tried[n]; !tried {
			w.report.breaks(checkOnce, "nobody has queued %s %s", n.job, n.task)
		}
	}
}

// readWitness reads the witness file and checks what it alone can tell. The
// order of its lines is the order of what happened, as each is one write to the
// end of the file.
func (w *world) readWitness() (map[attemptName]*attempt, error) {
	seen := map[attemptName]*attempt{}
	f, err := os.Open(filepath.Join(w.dir, witnessName))
	if os.IsNotExist(err) {
		return seen, nil // nothing has run
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	openOf := map[string]attemptName{} // by job: begun, and not ended
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) < 4 {
			return nil, fmt.Errorf("line %d of the witness file: %q", n, lines.Text())
		}
		task := name{words[2], words[3]}
		switch words[0] {
		case "try":
			w.ids.try(task)
		case "ack":
			w.ids.ack(task)
		case "begin":
			w.begin(attemptName{task, words[4]}, n, words, seen, openOf)
		case "end":
			a := attemptName{task, words[4]}
			if openOf[task.job] != a {
				w.report.breaks(checkAlone, "line %d: %v ends, and meanwhile %v has begun", n, a, openOf[task.job])
			}
			delete(openOf, task.job)
			seen[a].ended, seen[a].code = n, words[5]
		}
	}
	return seen, lines.Err()
}

// begin takes a begin line of the witness file.
func (w *world) begin(a attemptName, line int, words []string, seen map[attemptName]*attempt, openOf map[string]attemptName) {
	w.report.fact(factBegun, 1)
	if seen[a] != nil {
		w.report.breaks(checkStarts, "line %d: attempt %s of %s %s begins again", line, a.number, a.job, a.task)
	}
	if words[5] != "true" {
		w.report.breaks(checkAlone, "line %d: %v begins while processes of %v live", line, a, openOf[a.job])
	}
	if words[6] == "-1" {
		w.report.breaks(checkSlots, "line %d: %v begins beside %d others", line, a, w.conf.slots)
	}
	seen[a] = &attempt{begun: line}
	openOf[a.job] = a
}
