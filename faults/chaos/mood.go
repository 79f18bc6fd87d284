//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// mood is how likely each act is for a while.
type mood struct {
	name    string
	every   time.Duration // between two faults, at most
	faults  []chance      // of nemesis
	wishes  []chance      // of the operator
	cancels int           // how often the canceller cancels, in parts of 100
}

// chance is how likely an act is, in parts of 100. What is left to 100 is nothing.
type chance struct {
	of int
	do act
}

// act is something that is done to a round.
type act func(w *world, rng *rand.Rand)

type moods []mood

var allMoods = moods{
	{
		name: "mixed", every: 100 * time.Millisecond, cancels: 40,
		faults: []chance{
			{12, strike(killManager)}, {28, strike(killRunner)}, {5, strike(killCommand)}, {6, (*world).fell}, {3, (*world).crash},
			{4, (*world).shutDown}, {4, rest(killManager)}, {8, rest(killRunner)}, {6, rest(killCommand)},
		},
		wishes: []chance{
			{20, (*world).reset}, {10, (*world).stop}, {5, (*world).startMany}, {15, (*world).stopAtStart}, {15, (*world).dismiss}, {15, (*world).remove},
		},
	},
	{name: "runners", every: 40 * time.Millisecond, faults: []chance{{90, strike(killRunner)}}, wishes: []chance{{50, (*world).reset}}},
	{
		name: "managers", every: 80 * time.Millisecond,
		faults: []chance{{90, strike(killManager)}, {5, rest(killManager)}},
		wishes: []chance{{30, (*world).reset}, {20, (*world).startMany}},
	},
	{name: "crashes", every: 600 * time.Millisecond, faults: []chance{{70, (*world).crash}}, wishes: []chance{{40, (*world).reset}}},
	{name: "trees", every: 200 * time.Millisecond, cancels: 20, faults: []chance{{80, (*world).fell}}, wishes: []chance{{50, (*world).reset}}},
	{
		name: "shutdowns", every: 900 * time.Millisecond, cancels: 20,
		faults: []chance{{80, (*world).shutDown}},
		wishes: []chance{{50, (*world).stopAtStart}, {30, (*world).reset}},
	},
	{
		name: "stops", every: 150 * time.Millisecond, cancels: 40,
		faults: []chance{{25, rest(killManager)}, {40, rest(killRunner)}, {25, rest(killCommand)}},
		wishes: []chance{{30, (*world).reset}, {20, (*world).stop}},
	},
	{
		name: "people", every: 100 * time.Millisecond, cancels: 90,
		faults: []chance{{10, strike(killCommand)}},
		wishes: []chance{{25, (*world).reset}, {10, (*world).stop}, {5, (*world).startMany}, {30, (*world).dismiss}, {30, (*world).remove}},
	},
	{name: "calm", every: time.Second, cancels: 30},
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

// gentle are those in which runners live long.
func (m moods) gentle() moods {
	out := slices.DeleteFunc(slices.Clone(m), func(m mood) bool {
		return m.name == "runners" || m.name == "crashes" || m.name == "trees"
	})
	if len(out) == 0 {
		return m
	}
	return out
}

// moodAt is the mood that prevails now, for all actors together. Each has its
// turn, in an order that the seed decides.
func (w *world) moodAt(begin time.Time) mood {
	const spell = 2 * time.Second
	n := int(time.Since(begin) / spell)
	order := w.random("moods").Perm(len(w.moods))
	return w.moods[order[n%len(order)]]
}

// draw returns one of the acts, or nil.
func draw(rng *rand.Rand, chances []chance) act {
	p := rng.IntN(100)
	for _, c := range chances {
		if p -= c.of; p < 0 {
			return c.do
		}
	}
	return nil
}
