//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// mood is how likely each fault is for a while, in parts of 100. What is left
// to 100 is nothing.
type mood struct {
	name                       string
	manager, runner, command   int // killed
	everything                 int // all of them killed at once
	stopManager, stopRunner    int // stopped for a while
	every                      time.Duration
	cancel, reset, stop, start int // by the operator
}

type moods []mood

var allMoods = moods{
	{name: "mixed", manager: 20, runner: 40, command: 5, everything: 3, stopManager: 4, stopRunner: 8, every: 100 * time.Millisecond, cancel: 15, reset: 30, stop: 10, start: 5},
	{name: "runners", runner: 90, every: 40 * time.Millisecond, reset: 50},
	{name: "managers", manager: 90, stopManager: 5, every: 80 * time.Millisecond, reset: 30, start: 20},
	{name: "crashes", everything: 70, every: 600 * time.Millisecond, reset: 40},
	{name: "stops", stopManager: 30, stopRunner: 50, every: 150 * time.Millisecond, cancel: 20, reset: 30, stop: 20},
	{name: "people", command: 15, every: 100 * time.Millisecond, cancel: 40, reset: 40, stop: 15, start: 5},
	{name: "calm", every: time.Second},
}

func moodNames() string {
	var names []string
	for _, m := range allMoods {
		names = append(names, m.name)
	}
	return strings.Join(names, ", ")
}

// pickMoods reads the names of moods; none means all.
func pickMoods(only string) (moods, error) {
	if only == "" {
		return allMoods, nil
	}
	var out moods
	for n := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(allMoods, func(m mood) bool { return m.name == n })
		if i < 0 {
			return nil, fmt.Errorf("-mood %s: there are %s", n, moodNames())
		}
		out = append(out, allMoods[i])
	}
	return out, nil
}

// moodAt is the mood that prevails now. It changes every few seconds, for all
// actors together.
func (w *world) moodAt(begin time.Time) mood {
	const spell = 3 * time.Second
	n := uint64(time.Since(begin) / spell)
	return w.moods[rand.New(rand.NewPCG(w.seed, n)).IntN(len(w.moods))]
}

// nemesis kills and stops processes.
func (w *world) nemesis(ctx context.Context) {
	rng := w.random("nemesis")
	var resting sync.WaitGroup
	defer resting.Wait()
	for begin := time.Now(); ; {
		m := w.moodAt(begin)
		if !pause(ctx, rng, m.every) {
			return
		}
		p := rng.IntN(100)
		for _, f := range []struct {
			chance int
			do     func()
		}{
			{m.manager, func() { w.strike(rng, killManager) }},
			{m.runner, func() { w.strike(rng, killRunner) }},
			{m.command, func() { w.strike(rng, killCommand) }},
			{m.everything, w.crash},
			{m.stopManager, func() { w.rest(rng, killManager, &resting) }},
			{m.stopRunner, func() { w.rest(rng, killRunner, &resting) }},
		} {
			if p -= f.chance; p < 0 {
				f.do()
				break
			}
		}
	}
}

// victim picks a process of a kind. Of the runners it mostly takes one at work,
// as long as there is one.
func (w *world) victim(rng *rand.Rand, kind string) (process, bool) {
	all := w.processes()
	if kind == killRunner && rng.IntN(10) < 7 {
		if p, ok := w.employer(rng, all); ok {
			return p, true
		}
	}
	return one(rng, all, kind)
}

// employer picks a runner with a command.
func (w *world) employer(rng *rand.Rand, all []process) (process, bool) {
	command, ok := one(rng, all, killCommand)
	if !ok {
		return process{}, false
	}
	p, ours := w.identify(parent(command.pid))
	return p, ours && p.kind == killRunner
}

// one picks any process of a kind.
func one(rng *rand.Rand, all []process, kind string) (process, bool) {
	all = slices.DeleteFunc(slices.Clone(all), func(p process) bool { return p.kind != kind })
	if len(all) == 0 {
		return process{}, false
	}
	return all[rng.IntN(len(all))], true
}

func (w *world) strike(rng *rand.Rand, kind string) {
	if p, ok := w.victim(rng, kind); ok {
		w.kill(p)
	}
}

// crash kills every manager and runner, as fast as it can.
func (w *world) crash() {
	w.report.fact(factCrashes, 1)
	for _, p := range w.processes() {
		if p.kind != killCommand {
			w.kill(p)
		}
	}
}

// rest stops a process for a while.
func (w *world) rest(rng *rand.Rand, kind string, resting *sync.WaitGroup) {
	p, ok := w.victim(rng, kind)
	if !ok || !w.signal(p, unix.SIGSTOP) {
		return
	}
	w.report.stopped(kind)
	long := time.Duration(rng.IntN(1500)) * time.Millisecond
	resting.Go(func() {
		time.Sleep(long)
		w.signal(p, unix.SIGCONT)
	})
}
