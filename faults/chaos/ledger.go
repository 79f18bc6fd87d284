//go:build linux

package main

import (
	"math/rand/v2"
	"sync"
)

// ledger is what the enqueuers tried to store, and what was acknowledged.
type ledger struct {
	mu    sync.Mutex
	tried map[name]bool // value: it was acknowledged
	order []name        // acknowledged

	removing map[name]bool // somebody has tried to remove it
	removed  map[name]bool // that was said to have worked
}

// name names a task.
type name struct{ job, task string }

func newLedger() *ledger {
	return &ledger{tried: map[name]bool{}, removing: map[name]bool{}, removed: map[name]bool{}}
}

func (l *ledger) try(n name) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.tried[n] {
		l.tried[n] = false
	}
}

// ack writes down an acknowledgement.
func (l *ledger) ack(n name) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.tried[n] {
		l.tried[n] = true
		l.order = append(l.order, n)
	}
}

// acked is how many there are.
func (l *ledger) acked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.order)
}

// some returns an acknowledged task of a job that may be there, or nothing.
func (l *ledger) some(rng *rand.Rand, job string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range min(5, len(l.order)) {
		if n := l.order[rng.IntN(len(l.order))]; n.job == job && !l.removing[n] {
			return n.task, true
		}
	}
	return "", false
}

// recent returns one of the last most acknowledged tasks, if it may be there.
func (l *ledger) recent(rng *rand.Rand, most int) (name, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.order) == 0 {
		return name{}, false
	}
	n := l.order[len(l.order)-1-rng.IntN(min(most, len(l.order)))]
	return n, !l.removing[n]
}

// remove writes down that a task is about to be removed.
func (l *ledger) remove(n name) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removing[n] = true
}

// gone writes down what came of it.
func (l *ledger) gone(n name, really bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if really {
		l.removed[n] = true
	} else {
		delete(l.removing, n)
	}
}

// mayBeGone reports whether somebody has removed the task, or tries to.
func (l *ledger) mayBeGone(n name) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.removing[n]
}
