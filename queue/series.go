package queue

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// SeriesQuery says which statistics are wanted.
type SeriesQuery struct {
	From, To time.Time     // zero: the last hour, or the last day with By; To: now
	Step     time.Duration // of each point; 0: one that gives few enough
	By       db.Scope      // OfAll, OfJob or OfCommand
	Limit    int           // series at most, the largest first; 0: 20
}

// What a call may ask for.
const (
	mostPoints    = 1500    // of a series
	mostRollups   = 200_000 // that are read
	usualPoints   = 120
	usualSeries   = 20
	longestSeries = 400 * 24 * time.Hour
)

// SpanError is about a span of time or a step that cannot be had.
type SpanError struct{ Key, What string } // from, to or step; what is wrong

// Error names the key.
func (e *SpanError) Error() string { return e.Key + " " + e.What }

// Series are statistics of a span of time, out of the roll-ups.
type Series struct {
	From       string      `json:"from"`
	To         string      `json:"to"`
	Step       int64       `json:"step"` // seconds
	By         *string     `json:"by"`   // job, command; null: all together
	LagSeconds float64     `json:"lag_seconds"`
	Series     []OneSeries `json:"series"`
	Total      RollupForm  `json:"total"` // of all, also those without a series here
}

// OneSeries is that of all, or of a job or command.
type OneSeries struct {
	Name   *string    `json:"name"` // null: all together
	Total  RollupForm `json:"total"`
	Points []Point    `json:"points"` // those in which something has happened, oldest first
}

// Point is one step of a series.
type Point struct {
	At string `json:"at"` // its beginning
	RollupForm
}

// RollupForm is the form of a roll-up.
type RollupForm struct {
	Added       int64            `json:"added"` // tasks; 0 by command
	Started     int64            `json:"started"`
	Attempts    int64            `json:"attempts"` // that have ended
	Failed      int64            `json:"failed"`
	Reasons     map[string]int64 `json:"reasons"` // of the failed ones
	WaitSeconds PercentilesForm  `json:"wait_seconds"`
	RunSeconds  PercentilesForm  `json:"run_seconds"`
	CPUSeconds  float64          `json:"cpu_seconds"`
}

func toRollupForm(r *db.Rollup) RollupForm {
	all := r.Completed
	for i, n := range r.Failed.Counts {
		all.Counts[i] += n
	}
	f := RollupForm{
		Added: r.Added, Started: r.Started, Attempts: r.Attempts(), Reasons: map[string]int64{},
		WaitSeconds: estimated(&r.Wait), RunSeconds: estimated(&all),
		CPUSeconds: (time.Duration(r.UserTime+r.SystemTime) * time.Microsecond).Seconds(),
	}
	for i, n := range r.Ended {
		if status, reason := db.Outcome(i); status == job.Failed && n > 0 {
			f.Failed += n
			f.Reasons[string(reason)] = n
		}
	}
	return f
}

// estimated are percentiles out of a histogram.
func estimated(h *db.Histogram) (out PercentilesForm) {
	at := func(share float64) *float64 {
		if v, any := h.Quantile(share); any {
			return &v
		}
		return nil
	}
	return PercentilesForm{at(0.5), at(0.95), at(0.99)}
}

// complete fills in what the query leaves out, and checks it.
func (s *SeriesQuery) complete(now time.Time) error {
	least, span := time.Minute, time.Hour
	if s.By != db.OfAll {
		least, span = time.Hour, 24*time.Hour
	}
	if s.To.IsZero() {
		s.To = now
	}
	if s.From.IsZero() {
		s.From = s.To.Add(-span)
	}
	span = s.To.Sub(s.From)
	if span <= 0 || span > longestSeries {
		return &SpanError{"from", "must be before to, by 400 days at most"}
	}
	if s.Step == 0 {
		s.Step = max((span / usualPoints).Truncate(least), least)
	}
	if s.Step < least || s.Step%least != 0 {
		return &SpanError{"step", fmt.Sprintf("must be a multiple of %d here", int(least.Seconds()))}
	}
	if span/s.Step > mostPoints {
		return &SpanError{"step", fmt.Sprintf("is too short: there would be more than %d points", mostPoints)}
	}
	if s.From = s.From.Truncate(s.Step); s.Limit == 0 {
		s.Limit = usualSeries
	}
	return nil
}

// summing is a series while it is read.
type summing struct {
	name   string
	total  db.Rollup
	at     []int64 // beginnings of the points, Unix seconds
	points []*db.Rollup
}

func (s *summing) add(at int64, r *db.Rollup) {
	s.total.Add(r)
	if n := len(s.at); n == 0 || s.at[n-1] != at {
		s.at, s.points = append(s.at, at), append(s.points, &db.Rollup{})
	}
	s.points[len(s.points)-1].Add(r)
}

func (s *summing) form(named bool) OneSeries {
	out := OneSeries{Total: toRollupForm(&s.total), Points: []Point{}}
	if named {
		out.Name = &s.name
	}
	for i, at := range s.at {
		out.Points = append(out.Points, Point{job.FormatTime(time.Unix(at, 0)), toRollupForm(s.points[i])})
	}
	return out
}

// Series reads statistics. Errors: [*SpanError], [db.ErrTooMuch], [db.ErrOlder].
func (q *Queue) Series(ctx context.Context, query SeriesQuery) (*Series, error) {
	if err := query.complete(time.Now()); err != nil {
		return nil, err
	}
	var total db.Rollup
	step := int64(query.Step.Seconds())
	by := map[string]*summing{}
	err := q.DB.Rollups(ctx, query.By, query.From, query.To, mostRollups, func(s *db.Span) {
		if by[s.Name] == nil {
			by[s.Name] = &summing{name: s.Name}
		}
		at := s.At.Unix() - query.From.Unix()
		by[s.Name].add(query.From.Unix()+at-at%step, &s.Rollup)
		total.Add(&s.Rollup)
	})
	if err != nil {
		return nil, err
	}
	lag, err := q.DB.StatsLag(ctx)
	if err != nil {
		return nil, err
	}
	out := &Series{
		From: job.FormatTime(query.From), To: job.FormatTime(query.To), Step: step, LagSeconds: lag.Seconds(),
		Series: []OneSeries{}, Total: toRollupForm(&total),
	}
	if query.By != db.OfAll {
		out.By = new(string(query.By))
	} else if len(by) == 0 {
		by[""] = &summing{}
	}
	all := slices.SortedFunc(maps.Values(by), func(a, b *summing) int {
		return cmp.Or(cmp.Compare(b.total.Attempts(), a.total.Attempts()), cmp.Compare(a.name, b.name))
	})
	for _, one := range all[:min(len(all), query.Limit)] {
		out.Series = append(out.Series, one.form(query.By != db.OfAll))
	}
	return out, nil
}
