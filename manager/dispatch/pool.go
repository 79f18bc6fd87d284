package dispatch

import (
	"cmp"
	"slices"
	"time"
)

// ID tells runners apart. It is the number of the runner's lock.
type ID int64

// place is the state of a runner of this manager.
type place int

const (
	absent   place = iota // not in the pool
	starting              // has not yet reported that it is ready
	idle                  // waits for its task
	going                 // a claim for it is in progress
	busy                  // has a task
	over                  // has recorded its result; is about to exit
	dead                  // holds no lock; has exited, or is told to
	places
)

// pool holds the runners of this manager and their states.
type pool struct {
	runners map[ID]member
	counts  [places]int
}

type member struct {
	place place
	since time.Time // when it was started
}

func newPool() pool { return pool{runners: map[ID]member{}} }

func (p *pool) count(where place) int { return p.counts[where] }
func (p *pool) place(id ID) place     { return p.runners[id].place }

func (p *pool) add(id ID, now time.Time) {
	p.runners[id] = member{starting, now}
	p.counts[starting]++
}

// move changes the state of a runner. It ignores runners that are not in the pool.
func (p *pool) move(id ID, to place) {
	m, ok := p.runners[id]
	if !ok {
		return
	}
	p.counts[m.place]--
	p.counts[to]++
	m.place = to
	p.runners[id] = m
}

// remove takes a runner out of the pool, and returns its state.
func (p *pool) remove(id ID) member {
	m, ok := p.runners[id]
	if ok {
		p.counts[m.place]--
		delete(p.runners, id)
	}
	return m
}

// long is a time in which any runner starts unless something is wrong.
const long = 5 * time.Second

// hanging counts the runners that have been starting for so long that others must be
// started instead, perhaps because they were stopped with SIGSTOP. It returns at most a
// few: if more than that hang, new ones would hang too.
func (p *pool) hanging(now time.Time) (n int) {
	const few = 3
	if p.count(starting) == 0 {
		return 0
	}
	for _, m := range p.runners {
		if m.place == starting && now.Sub(m.since) > long {
			n++
		}
	}
	return min(n, few)
}

// idle returns at most n runners that are waiting for a task, oldest first.
func (p *pool) idle(n int) []ID {
	if n <= 0 || p.count(idle) == 0 {
		return nil
	}
	var out []ID
	for id, m := range p.runners {
		if m.place == idle {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b ID) int {
		return cmp.Or(p.runners[a].since.Compare(p.runners[b].since), cmp.Compare(a, b))
	})
	return out[:min(n, len(out))]
}
