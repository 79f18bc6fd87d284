package schedule

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Missed says what becomes of times at which nobody was there to fire.
type Missed string

// The policies for times that were missed.
const (
	One  Missed = "one"  // the last of them fires
	None Missed = "none" // none of them fires
	All  Missed = "all"  // each of them fires, the oldest first
)

// Misseds lists every policy for times that were missed.
var Misseds = []Missed{One, None, All}

// Overlap says what becomes of a time at which what the schedule has stored before has not ended.
type Overlap string

// The policies for times at which the run before has not ended.
const (
	Skip  Overlap = "skip"  // it does not fire
	Queue Overlap = "queue" // it fires
)

// Overlaps lists every policy for runs that would overlap.
var Overlaps = []Overlap{Skip, Queue}

// Late is how long after its time a schedule may fire without having missed it.
// A manager may sleep for up to a minute.
const Late = 2 * time.Minute

// DefaultCatchUp is how old a missed time may be that still fires.
const DefaultCatchUp = 24 * time.Hour

// Decision is what is to happen in one commit.
type Decision struct {
	Fire time.Time // the time that fires; zero: none
	Next time.Time // the time after it; zero: none
	Lost time.Time // the last of the times that pass without firing; zero: none
}

// Decide says what is to happen at an instant to a schedule whose next time was to be due.
// Times older than catchUp are lost. If Next is not after now, more is to be decided.
func (t Times) Decide(due, now time.Time, missed Missed, catchUp time.Duration) Decision {
	oldest := now.Add(-max(catchUp, Late))
	if missed == All {
		d := Decision{Fire: due}
		if due.Before(oldest) {
			d.Fire = t.Next(oldest.Add(-1))
			d.Lost = t.Last(due.Add(-time.Second), oldest.Add(-1))
			if d.Fire.IsZero() || d.Fire.After(now) {
				return Decision{Next: d.Fire, Lost: d.Lost}
			}
		}
		d.Next = t.Next(d.Fire)
		return d
	}
	if missed == None {
		oldest = now.Add(-Late)
	}
	last := t.Last(due.Add(-time.Second), now)
	if last.IsZero() { // the line was another when due was found
		last = due
	}
	d := Decision{Next: t.Next(now)}
	if last.Before(oldest) {
		d.Lost = last
		return d
	}
	d.Fire = last
	d.Lost = t.Last(due.Add(-time.Second), last.Add(-time.Second))
	return d
}

// Rules are what a person says of a schedule, beside its name and what it stores.
type Rules struct {
	Cron     string
	TimeZone string  // empty: that of the machine
	Overlap  Overlap // empty: Skip, or Queue with All
	Missed   Missed  // empty: One
	CatchUp  time.Duration
}

// Fill gives the rules their defaults where nothing was said.
func (r *Rules) Fill() {
	if r.Missed == "" {
		r.Missed = One
	}
	if r.Overlap == "" {
		r.Overlap = Skip
		if r.Missed == All {
			r.Overlap = Queue
		}
	}
	if r.CatchUp == 0 {
		r.CatchUp = DefaultCatchUp
	}
}

// Check returns what is wrong with the rules, or nil.
func (r *Rules) Check() error {
	if r.Missed == All && r.Overlap == Skip {
		return errors.New("missed all and overlap skip contradict each other: of what was missed, the second would be skipped; want overlap queue")
	}
	_, err := NewTimes(r.Cron, r.TimeZone, time.Time{})
	return err
}

// Set sets the policies from their words; empty ones stay as they are. An error names the
// word that is none.
func (r *Rules) Set(overlap, missed string) error {
	if overlap != "" {
		if r.Overlap = Overlap(overlap); !slices.Contains(Overlaps, r.Overlap) {
			return fmt.Errorf("unknown overlap %q, want skip or queue", overlap)
		}
	}
	if missed != "" {
		if r.Missed = Missed(missed); !slices.Contains(Misseds, r.Missed) {
			return fmt.Errorf("unknown missed %q, want one, none or all", missed)
		}
	}
	return nil
}
