package queue

import (
	"context"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// KeyedEnded is an entry of the history with the key of its task.
type KeyedEnded struct {
	Key int64 `json:"key"`
	EndedForm
	RunSeconds *float64 `json:"run_seconds"` // null: it has not run
}

// HistoryPage is a page of the history, newest first.
type HistoryPage struct {
	Items      []KeyedEnded
	Next, Prev *db.HistoryCursor // nil: there is no such page
	AsOf       string            // cursor of the events
}

// HistoryPage reads a page of the history. Errors: *BadQuery, db.ErrNoJob.
func (q *Queue) HistoryPage(ctx context.Context, query db.HistoryPageQuery) (HistoryPage, error) {
	if !query.Since.IsZero() && !query.Until.IsZero() && !query.Since.Before(query.Until) {
		return HistoryPage{}, badQuery("there is no time between %s and %s", job.FormatTime(query.Since), job.FormatTime(query.Until))
	}
	p, err := q.DB.HistoryPage(ctx, query)
	if err != nil {
		return HistoryPage{}, err
	}
	out := HistoryPage{Items: []KeyedEnded{}, Next: p.Next, Prev: p.Prev, AsOf: string(p.AsOf)}
	for _, e := range p.Items {
		k := KeyedEnded{Key: e.Key, EndedForm: q.EndedForm(e)}
		if e.Number > 0 {
			k.RunSeconds = new(max(e.EndedAt.Sub(e.StartedAt), time.Duration(0)).Seconds())
		}
		out.Items = append(out.Items, k)
	}
	return out, nil
}
