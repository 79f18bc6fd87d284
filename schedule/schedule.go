// Package schedule says when something fires: it reads cron lines, finds the next
// instant in a time zone, over nights on which clocks change, and decides what becomes
// of times that nobody was there for. It does no I/O and asks no clock.
//
// The parser is our own: those that there are run a time that comes twice in
// autumn twice, or drop one that does not come in spring, and their errors do not say
// where in the line the mistake is.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a container may have none; 0.4 MB of the file, read only then

	"github.com/air-executor/air-executor/job"
)

// MaxName is how many characters the name of a schedule may have. The names of
// its jobs are longer.
const MaxName = 80

// CheckName returns an error that says what is wrong with the name of a schedule, or
// nil. It is one for a job, and not too long for what a job name has besides.
func CheckName(name string) error {
	if err := job.CheckNewName(name); err != nil {
		return errors.New(strings.Replace(err.Error(), "job name", "schedule name", 1))
	}
	if n := len([]rune(name)); n > MaxName {
		return fmt.Errorf("schedule name %q has %d characters, at most %d are allowed", name, n, MaxName)
	}
	return nil
}

// LoadZone finds a time zone by its name, such as Europe/Berlin. The empty name is
// the zone of the machine.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not known, want one such as Europe/Berlin or UTC", name)
	}
	return zone, nil
}

// Times are the times at which a schedule fires.
type Times struct {
	Line *Line
	Zone *time.Location
	Base time.Time // from which on @every counts
}

// NewTimes reads a cron line and a time zone.
func NewTimes(cron, zone string, base time.Time) (Times, error) {
	line, err := Parse(cron)
	if err != nil {
		return Times{}, err
	}
	z, err := LoadZone(zone)
	return Times{line, z, base.Truncate(time.Second)}, err
}

// Next is the first time after the given one; zero: there is none.
func (t Times) Next(after time.Time) time.Time {
	switch {
	case t.Line.Reboot:
		return time.Time{}
	case t.Line.Every > 0:
		return t.nextEvery(after)
	}
	return t.Line.next(after, t.Zone)
}

func (t Times) nextEvery(after time.Time) time.Time {
	gone := after.Sub(t.Base)
	n := gone / t.Line.Every
	if gone < 0 && gone%t.Line.Every != 0 {
		n--
	}
	return t.Base.Add((n + 1) * t.Line.Every).In(t.Zone)
}

// Last is the last time in (after, until]; zero: there is none. Times are whole
// seconds.
func (t Times) Last(after, until time.Time) time.Time {
	first := t.Next(after)
	if first.IsZero() || first.After(until) {
		return time.Time{}
	}
	// There is a time in (low, until], and none in (high, until].
	low, high := after.Unix(), until.Unix()
	for low+1 < high {
		middle := low + (high-low)/2
		if next := t.Next(time.Unix(middle, 0)); !next.IsZero() && !next.After(until) {
			low = middle
		} else {
			high = middle
		}
	}
	return t.Next(laterOf(time.Unix(low, 0), after))
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// NextTimes are the next n times, or as many as there are.
func (t Times) NextTimes(after time.Time, n int) (list []time.Time) {
	for range n {
		if after = t.Next(after); after.IsZero() {
			break
		}
		list = append(list, after)
	}
	return list
}

// TaskID is the id of the task that a schedule stores when it fires at a time.
func TaskID(name string, at time.Time) string {
	return name + "@" + at.Format("2006-01-02T15:04"+seconds(at, ":05")+"-07:00")
}

// JobName is the name of the job that a schedule of a job file makes when it
// fires at a time. It has the local time; the second of two times that are the same is
// told by a number.
func JobName(name string, at time.Time) string {
	out := name + "-" + at.Format("20060102T1504"+seconds(at, "05"))
	if comesAgain(at) {
		out += "-2"
	}
	return out
}

func seconds(at time.Time, layout string) string {
	if at.Second() == 0 {
		return ""
	}
	return layout
}

// comesAgain reports whether the local time of an instant was there before, as clocks
// were set back.
func comesAgain(at time.Time) bool {
	start, _ := at.ZoneBounds()
	if start.IsZero() {
		return false
	}
	_, offset := at.Zone()
	_, before := start.Add(-1).Zone()
	return at.Sub(start) < time.Duration(before-offset)*time.Second
}
