//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Facts about what nemesis does.
const (
	factCrashes   = "everything killed at once"
	factTrees     = "trees killed whole"
	factShutdowns = "shutdowns (SIGTERM to all)"
)

// nemesis kills and stops processes.
func (w *world) nemesis(ctx context.Context) {
	rng := w.random("nemesis")
	for begin := time.Now(); ; {
		m := w.moodAt(begin)
		if !pause(ctx, rng, m.every) {
			return
		}
		if do := draw(rng, m.faults); do != nil {
			do(w, rng)
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

// strike kills a process of a kind.
func strike(kind string) act {
	return func(w *world, rng *rand.Rand) {
		if p, ok := w.victim(rng, kind); ok {
			w.kill(p)
		}
	}
}

// crash kills every manager and runner, as fast as it can.
func (w *world) crash(*rand.Rand) {
	w.report.fact(factCrashes, 1)
	for _, p := range w.processes() {
		if p.kind != killCommand {
			w.kill(p)
		}
	}
}

// fell kills a runner, and sometimes a manager, with all its descendants.
func (w *world) fell(rng *rand.Rand) {
	kind := killRunner
	if rng.IntN(5) == 0 {
		kind = killManager
	}
	root, ok := w.victim(rng, kind)
	if !ok {
		return
	}
	w.report.fact(factTrees, 1)
	all := w.processes()
	in := map[int]bool{root.pid: true}
	for before := 0; before != len(in); {
		before = len(in)
		for _, p := range all {
			if in[parent(p.pid)] {
				in[p.pid] = true
			}
		}
	}
	w.kill(root)
	for _, p := range all {
		if in[p.pid] && p != root {
			w.kill(p)
		}
	}
}

// shutDown tells every manager and runner to end, as a machine does that is
// going down.
func (w *world) shutDown(*rand.Rand) {
	w.report.fact(factShutdowns, 1)
	for _, p := range w.processes() {
		if p.kind != killCommand {
			w.tell(p, unix.SIGTERM)
		}
	}
}

// rest stops a process for a while.
func rest(kind string) act {
	return func(w *world, rng *rand.Rand) {
		p, ok := w.victim(rng, kind)
		if !ok || !w.signal(p, unix.SIGSTOP) {
			return
		}
		w.report.stopped(kind)
		long := time.Duration(rng.IntN(1500)) * time.Millisecond
		w.later.Go(func() {
			time.Sleep(long)
			w.signal(p, unix.SIGCONT)
		})
	}
}
