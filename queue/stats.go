package queue

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// Stats are figures of the attempts that have ended in a span of time.
type Stats struct {
	Since, Until time.Time // the span; Since is zero if nothing has ended
	Total        Figures
	Groups       []Figures     // by job or command, the largest first
	Size         time.Duration // of each period
	Periods      []Period      // of the span, oldest first
}

// Figures sum up attempts.
type Figures struct {
	Name   string // of the job, or the command; empty: all
	Count  int
	Failed int           // part of Count
	CPU    time.Duration // sum
	MaxRSS int64         // the largest, bytes

	waited, took []time.Duration
}

// Waited tells of how long tasks waited from when they could have run to their first start: that most of them,
// these percents, did not wait longer. It is zero without any.
func (f *Figures) Waited() Percentiles { return percentiles(f.waited) }

// Took tells so of how long attempts ran.
func (f *Figures) Took() Percentiles { return percentiles(f.took) }

// Percentiles are durations that 50, 95 and 99 of 100 did not exceed.
type Percentiles struct {
	Of            int // how many there are
	P50, P95, P99 time.Duration
}

// percentiles finds them among values that are sorted.
func percentiles(d []time.Duration) (p Percentiles) {
	if p.Of = len(d); p.Of == 0 {
		return p
	}
	at := func(percent int) time.Duration { return d[(len(d)*percent+99)/100-1] }
	p.P50, p.P95, p.P99 = at(50), at(95), at(99)
	return p
}

// Period is a part of a span of time.
type Period struct {
	From  time.Time
	Count int // of attempts that have ended in it
}

// PerHour is how many those would be in an hour.
func (s *Stats) PerHour(count int, of time.Duration) float64 {
	if of <= 0 {
		return 0
	}
	return float64(count) / of.Hours()
}

// Span is how long the whole span of time is.
func (s *Stats) Span() time.Duration {
	if s.Since.IsZero() {
		return 0
	}
	return s.Until.Sub(s.Since)
}

// Stats reads figures by job, or by command. Without a Since, the span begins with the
// first that has ended. The query's Limit is not for it. Errors: those of History.
func (q *Queue) Stats(ctx context.Context, query HistoryQuery, byCommand bool) (*Stats, error) {
	wanted, err := query.forDB(ctx, q.DB)
	if err != nil {
		return nil, err
	}
	s := &Stats{Since: query.Since, Until: query.Until}
	if now := time.Now(); s.Until.IsZero() || s.Until.After(now) {
		s.Until = now
	}
	groups := map[string]*Figures{}
	err = q.DB.Figures(ctx, wanted, func(f db.Figure) {
		name := f.Job
		if byCommand {
			name = db.CommandName(f.Command)
		}
		if groups[name] == nil {
			groups[name] = &Figures{Name: name}
		}
		groups[name].add(f)
		s.Total.add(f)
		s.count(f.EndedAt)
	})
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		g.sort()
		s.Groups = append(s.Groups, *g)
	}
	s.Total.sort()
	slices.SortFunc(s.Groups, func(a, b Figures) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
	if !s.Since.IsZero() {
		s.periods(s.Since)
	}
	return s, nil
}

func (f *Figures) add(a db.Figure) {
	f.Count++
	if a.Status == job.Failed {
		f.Failed++
	}
	if a.First {
		f.waited = append(f.waited, a.Waited)
	}
	f.took = append(f.took, a.Took)
	f.CPU += a.CPU
	f.MaxRSS = max(f.MaxRSS, a.MaxRSS)
}

func (f *Figures) sort() {
	slices.Sort(f.waited)
	slices.Sort(f.took)
}

// periodSizes are those that a span of time is divided in.
var periodSizes = []time.Duration{
	5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour,
}

// mostPeriods fit on a screen.
const mostPeriods = 26

// periods divides the span, which begins with since. A period begins at a full hour
// or day of local time.
func (s *Stats) periods(since time.Time) {
	if s.Size > 0 {
		return
	}
	s.Since = since
	for _, s.Size = range periodSizes {
		if s.Until.Sub(since) < (mostPeriods-1)*s.Size {
			break
		}
	}
	_, offset := s.Until.Local().Zone()
	shift := time.Duration(offset) * time.Second
	for at := since.Add(shift).Truncate(s.Size).Add(-shift); at.Before(s.Until); at = at.Add(s.Size) {
		s.Periods = append(s.Periods, Period{From: at})
	}
}

// count counts an attempt in its period. They come oldest first.
func (s *Stats) count(ended time.Time) {
	since := s.Since
	if since.IsZero() {
		since = ended
	}
	if s.periods(since); len(s.Periods) == 0 {
		return
	}
	i := int(ended.Sub(s.Periods[0].From) / s.Size)
	s.Periods[max(0, min(i, len(s.Periods)-1))].Count++
}
