//go:build linux

package main

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

// The checks, in the order in which they are reported.
const (
	checkDoctor    = "doctor finds nothing"
	checkAcked     = "I2 every acknowledged id exists"
	checkOnce      = "I3 no id twice, and none that nobody queued"
	checkStarts    = "I4 an attempt starts at most once"
	checkAlone     = "I6 attempts of a task and tasks of a job never overlap"
	checkCompleted = "I7 completed means that the command ended with 0"
	checkRunning   = "I8 nothing is running without a runner, nothing is stuck"
	checkLost      = "P5 a task is lost only if its runner was killed"
	checkCancel    = "P6 cancel says what becomes of a task"
	checkAsked     = "P7 no task is cancelled that nobody asked to cancel"
	checkRemoved   = "P8 what was removed is gone, and nothing else"
	checkEnds      = "P9 what is told to end ends, and only so"
	checkLeft      = "I9 no process outlives its attempt"
	checkSlots     = "I10 never more commands than max_concurrent_runners"
	checkAnswers   = "commands do what they say, or say why not"
)

var checks = []string{
	checkDoctor, checkAcked, checkOnce, checkStarts, checkAlone, checkCompleted, checkRunning,
	checkLost, checkCancel, checkAsked, checkRemoved, checkEnds, checkLeft, checkSlots, checkAnswers,
}

// The kinds of process that are killed.
const (
	killManager  = "managers"
	killRunner   = "runners"
	killEnqueuer = "enqueuers"
	killCommand  = "commands"
	stopPeople   = "cancels" // only stopped
)

// report is what happened, and what should not have. Its methods may be called
// from several goroutines.
type report struct {
	mu     sync.Mutex
	kills  map[string]int
	stops  map[string]int
	tells  map[string]int
	facts  map[string]int
	broken map[string][]string // by check
}

func newReport() *report {
	return &report{kills: map[string]int{}, stops: map[string]int{}, tells: map[string]int{}, facts: map[string]int{}, broken: map[string][]string{}}
}

func (r *report) killed(kind string)  { r.count(r.kills, kind, 1) }
func (r *report) stopped(kind string) { r.count(r.stops, kind, 1) }
func (r *report) told(kind string)    { r.count(r.tells, kind, 1) }

// fact counts something that is worth knowing and breaks nothing.
func (r *report) fact(what string, n int) { r.count(r.facts, what, n) }

func (r *report) count(m map[string]int, key string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m[key] += n
}

// most keeps the greatest number of a fact that is not added up.
func (r *report) most(what string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.facts[what] = max(r.facts[what], n)
}

// breaks writes down that a check did not hold.
func (r *report) breaks(check, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken[check] = append(r.broken[check], fmt.Sprintf(format, args...))
}

func (r *report) held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.broken) == 0
}

// processKills is how many processes of air-executor were killed. Commands
// belong to users.
func (r *report) processKills() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kills[killManager] + r.kills[killRunner] + r.kills[killEnqueuer]
}

// add adds what happened in a round.
func (r *report) add(o *report) {
	for _, p := range []struct{ to, from map[string]int }{{r.kills, o.kills}, {r.stops, o.stops}, {r.tells, o.tells}, {r.facts, o.facts}} {
		for k, n := range p.from {
			if k == factLongest {
				r.most(k, n)
			} else {
				p.to[k] += n
			}
		}
	}
	for c, lines := range o.broken {
		r.broken[c] = append(r.broken[c], lines...)
	}
}

// printRound prints a line, and what broke.
func (r *report) printRound(seed uint64, c settings) {
	verdict := "ok"
	if !r.held() {
		verdict = "BROKEN"
	}
	fmt.Printf("seed %d: %s; %v; kills: %s; acknowledged %d, begun %d\n",
		seed, verdict, c, list(r.kills), r.facts[factAcked], r.facts[factBegun])
	r.printBroken()
}

func (r *report) printBroken() {
	const most = 10
	for _, c := range checks {
		for i, line := range r.broken[c] {
			if i == most {
				fmt.Printf("  BROKEN %s: and %d more\n", c, len(r.broken[c])-most)
				break
			}
			fmt.Printf("  BROKEN %s: %s\n", c, line)
		}
	}
}

// print prints the report of all rounds.
func (r *report) print(seed uint64, rounds int, took time.Duration) {
	fmt.Printf("\nseeds %d to %d, %d rounds, %s\n", seed, seed+uint64(max(rounds, 1))-1, rounds, took.Round(time.Second))
	fmt.Printf("killed (SIGKILL)           %s; managers, runners and enqueuers together %d\n", list(r.kills), r.processKills())
	fmt.Printf("stopped (SIGSTOP, SIGCONT) %s\n", list(r.stops))
	fmt.Printf("told to end (SIGTERM, ...) %s\n", list(r.tells))
	for _, f := range facts {
		fmt.Printf("%-38s %d\n", f, r.facts[f])
	}
	for _, c := range checks {
		fmt.Printf("%-6s %s\n", map[bool]string{true: "ok", false: "BROKEN"}[len(r.broken[c]) == 0], c)
	}
	r.printBroken()
}

// list is "managers 12, runners 34".
func list(m map[string]int) string {
	if len(m) == 0 {
		return "none"
	}
	var parts []string
	for k, n := range m {
		parts = append(parts, fmt.Sprintf("%s %d", k, n))
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}
