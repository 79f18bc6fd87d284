package api

import (
	"strconv"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// The history: attempts that have ended, and tasks that have ended without one.

// EndedAttempt is an entry of the history.
type EndedAttempt struct {
	queue.KeyedEnded
	URL    string  `json:"url"`     // of the page of the task
	LogURL *string `json:"log_url"` // null without an attempt
}

// AttemptPage is a page of the history.
type AttemptPage struct {
	Items []EndedAttempt `json:"items"`
	Next  *string        `json:"next"`
	Prev  *string        `json:"prev"`
	Total *int           `json:"total"` // null: counting would take long
	AsOf  *string        `json:"as_of"`
}

func listAttempts(c *call) (answer, error) {
	var p ListAttemptsParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	q := db.HistoryPageQuery{Name: or(p.Job, ""), Command: or(p.Command, "")}
	q.Limit, q.Reason = or(p.Limit, defaultLimit), job.Reason(or(p.Reason, ""))
	q.Completed = or(p.Status, "") == ListAttemptsParamsStatusCompleted
	q.Failed = or(p.Status, "") == ListAttemptsParamsStatusFailed || q.Reason != ""
	var err error
	if q.Since, err = instant("since", p.Since); err != nil {
		return answer{}, err
	}
	if q.Until, err = instant("until", p.Until); err != nil {
		return answer{}, err
	}
	if q.Labels, err = queue.LabelFilters(or(p.Label, nil)); err != nil {
		return answer{}, wrongParameter("label", err.Error())
	}
	if p.Cursor != nil {
		at, err := readCursor(*p.Cursor, "ended")
		if err != nil {
			return answer{}, err
		}
		q.From, q.Back = db.HistoryPlace{Ended: at.Rank, Unstarted: at.Name != "", Row: at.Key}.At(), at.Back
	}
	found, err := c.api.queue.HistoryPage(c.Context(), q)
	if queue.IsBadQuery(err) {
		return answer{}, wrongParameter("until", err.Error())
	}
	return ok(c.attemptPage(found), err)
}

// instant reads a time.
func instant(name string, text *string) (t time.Time, err error) {
	if text == nil {
		return t, nil
	}
	t, err = time.Parse(time.RFC3339, *text)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return t, wrongParameter(name, "must be a time such as 2026-01-31T09:00:00Z")
	}
	return t, nil
}

func (c *call) attemptPage(p queue.HistoryPage) AttemptPage {
	out := AttemptPage{Items: []EndedAttempt{}, AsOf: orNull(p.AsOf)}
	for _, e := range p.Items {
		a := EndedAttempt{KeyedEnded: e, URL: c.taskAddress(e.Key)}
		if e.Attempt != nil {
			a.LogURL = new(c.address("api", "v1", "tasks", strconv.FormatInt(e.Key, 10), "attempts", strconv.Itoa(*e.Attempt), "log"))
		}
		out.Items = append(out.Items, a)
	}
	cursor := func(at *db.HistoryCursor, back bool) *string {
		if at == nil {
			return nil
		}
		to := place{Sort: "ended", Rank: at.Place().Ended, Key: at.Place().Row, Back: back}
		if at.Place().Unstarted {
			to.Name = "unstarted"
		}
		return to.cursor()
	}
	out.Next, out.Prev = cursor(p.Next, false), cursor(p.Prev, true)
	return out
}
