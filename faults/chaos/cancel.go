//go:build linux

package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// Facts about cancels.
const (
	factCancels       = "cancels of a job"
	factTaskCancels   = "cancels of a task"
	factSaidCancelled = "answers that a task was cancelled"
	factTooLate       = "answers that a task has ended otherwise"
)

// canceller cancels jobs and, mostly, tasks that are likely to run just now.
func (w *world) canceller(ctx context.Context) {
	rng := w.random("canceller")
	for begin := time.Now(); pause(ctx, rng, 150*time.Millisecond); {
		if rng.IntN(100) >= w.moodAt(begin).cancels {
			continue
		}
		if rng.IntN(8) == 0 && !w.conf.long {
			w.cancelJob(rng)
		} else if n, ok := w.likely(rng); ok {
			w.cancelTask(rng, n)
		}
	}
}

// likely picks a task that runs, or is likely to run soon, or has just ended.
func (w *world) likely(rng *rand.Rand) (name, bool) {
	if rng.IntN(2) == 0 {
		if p, ok := one(rng, w.processes(), killCommand); ok {
			return p.of, true
		}
	}
	return w.ids.recent(rng, 50)
}

// cancelling is what cancel --json says.
type cancelling struct {
	Cancelled int
	Otherwise []struct{ Task, Status, Reason string } `json:"ended_otherwise"`
}

func (w *world) cancelJob(rng *rand.Rand) {
	job := w.jobName(rng.IntN(w.conf.jobs))
	w.said.askFor(name{job: job})
	r := w.ask(rng, "--json", "cancel", "--job", job)
	var c cancelling
	switch {
	case r.Code == 4, blind(r): // nobody has queued anything yet
		return
	case r.Code != 0 || json.Unmarshal([]byte(r.Out), &c) != nil:
		w.report.breaks(checkCancel, "cancel %s: exit code %d: %s%s", job, r.Code, r.Out, r.Err)
		return
	}
	w.report.fact(factCancels, 1)
	w.believe(job, c)
}

// cancelTask cancels a task, and keeps in mind what it is told about it. Some of
// those who cancel are killed, and of some the signal comes late.
func (w *world) cancelTask(rng *rand.Rand, n name) {
	w.said.askFor(n)
	edition := w.said.edition(n.job)
	args := []string{"--json", "cancel", "--job", n.job, "--task", n.task}
	if rng.IntN(12) == 0 {
		w.prog.RunAndKill(w.base, time.Duration(rng.IntN(60))*time.Millisecond, args...)
		return
	}
	late := time.Duration(0)
	if rng.IntN(2) == 0 {
		late = time.Duration(5+rng.IntN(200)) * time.Millisecond
	}
	r := w.askSlowly(rng, late, args...)
	w.report.fact(factTaskCancels, 1)
	var c cancelling
	fromJSON := json.Unmarshal([]byte(r.Out), &c) == nil
	switch {
	case r.Code == 4 && w.ids.mayBeGone(n), blind(r):
	case r.Code == 0 && fromJSON && c.Cancelled == 1 && len(c.Otherwise) == 0:
		w.report.fact(factSaidCancelled, 1)
		w.said.cancelled(n, edition)
	case r.Code == 1 && fromJSON && c.Cancelled == 0 && len(c.Otherwise) == 1:
		w.believe(n.job, c)
	case r.Code == 1 && endedAlready(r) != "":
		if endedAlready(r) == "completed" {
			w.said.completed(n)
		}
	default:
		w.report.breaks(checkCancel, "cancel %s %s: exit code %d: %s%s", n.job, n.task, r.Code, r.Out, r.Err)
	}
}

// believe takes in which tasks have ended before they could be cancelled.
func (w *world) believe(job string, c cancelling) {
	for _, o := range c.Otherwise {
		w.report.fact(factTooLate, 1)
		switch {
		case o.Reason == "cancelled":
			w.report.breaks(checkCancel, "%s %s has ended otherwise than cancelled: as cancelled", job, o.Task)
		case o.Status == "completed":
			w.said.completed(name{job, o.Task})
		}
	}
}

// blind reports whether a cancel from another PID namespace has said that it
// cannot end what was left of a task.
func blind(r subject.Result) bool {
	return r.Code == 1 && strings.Contains(r.Err, "cannot be seen from here")
}

var endedText = regexp.MustCompile(`has ended already: (\w+)`)

// endedAlready is the status that a refused cancel names.
func endedAlready(r subject.Result) string {
	if m := endedText.FindStringSubmatch(r.Err); m != nil {
		return m[1]
	}
	return ""
}

// answers are what people were told about tasks.
type answers struct {
	mu       sync.Mutex
	status   map[name]string // completed or cancelled, as they were told
	asked    map[name]bool   // somebody has tried to cancel it; without a task: the job
	editions map[string]int  // of a job: how often cancelled tasks may have been reset
}

func newAnswers() *answers {
	return &answers{status: map[name]string{}, asked: map[name]bool{}, editions: map[string]int{}}
}

func (a *answers) askFor(n name) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[n] = true
}

func (a *answers) edition(job string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.editions[job]
}

// revive forgets which tasks of the job are cancelled.
func (a *answers) revive(job string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.editions[job]++
	for n, status := range a.status {
		if n.job == job && status == "cancelled" {
			delete(a.status, n)
		}
	}
}

// cancelled writes down that somebody was told so, who asked in that edition.
func (a *answers) cancelled(n name, edition int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.editions[n.job] == edition {
		a.status[n] = "cancelled"
	}
}

func (a *answers) completed(n name) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status[n] = "completed"
}
