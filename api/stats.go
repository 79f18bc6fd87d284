package api

import (
	"errors"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

func getStats(c *call) (answer, error) {
	var p GetStatsParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	q := queue.SeriesQuery{
		Step: time.Duration(or(p.Step, 0)) * time.Second, By: db.OfAll, Limit: or(p.Limit, 0),
	}
	if p.By != nil {
		q.By = db.Scope(*p.By)
	}
	for _, at := range []struct {
		name string
		text *string
		to   *time.Time
	}{{"from", p.From, &q.From}, {"to", p.To, &q.To}} {
		if at.text == nil {
			continue
		}
		var err error
		if *at.to, err = time.Parse(time.RFC3339, *at.text); err != nil {
			return answer{}, wrongParameter(at.name, "must be a time as in 2026-01-02T03:04:05Z")
		}
	}
	found, err := c.api.queue.Series(c.Context(), q)
	var span *queue.SpanError
	switch {
	case errors.As(err, &span):
		return answer{}, wrongParameter(span.Key, span.What)
	case errors.Is(err, db.ErrTooMuch):
		return answer{}, wrongParameter("from", "is too early: there is too much to read up to the end")
	}
	return ok(found, err)
}
