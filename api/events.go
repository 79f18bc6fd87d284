package api

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// Events, in three forms: here as JSON, in eventstream.go as text/event-stream, and in
// eventsocket.go as a WebSocket.

// EventPage is what has happened behind a cursor.
type EventPage struct {
	Cursor db.Cursor `json:"cursor"` // behind what was looked at
	Events []any     `json:"events"`
	More   bool      `json:"more"` // there is more behind it already
}

// pace is how often those are told something to whom nothing happens, and how long a
// client may take to answer, and for what is sent to it.
type pace struct{ comment, ping, pong, write time.Duration }

const (
	commentEvery = 15 * time.Second
	pingEvery    = 20 * time.Second
)

func getEvents(c *call) (answer, error) {
	var p GetEventsParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	query := db.EventQuery{Jobs: or(p.Job, nil), Types: or(p.Type, nil)}
	if t := query.UnknownType(); t != "" {
		return answer{}, wrongParameter("type", "has "+t+", and there is no such type of events")
	}
	page := p.Limit == nil && p.Wait == nil
	after := db.Cursor(or(p.After, ""))
	switch {
	case upgrades(c.Request) && page:
		return c.eventSocket(after, query)
	case c.prefersStream() && page:
		return c.eventStream(after, query)
	case upgrades(c.Request) || c.prefersStream():
		return answer{}, badParameter.errorf("limit and wait are for JSON; this form sends what happens as long as it is open")
	}
	query.Limit = or(p.Limit, defaultLimit)
	return ok(c.eventPage(after, query, time.Duration(or(p.Wait, 0))*time.Second))
}

// prefersStream reports whether Accept names text/event-stream before anything that JSON is.
func (c *call) prefersStream() bool {
	if c.Method != http.MethodGet {
		return false
	}
	for want := range strings.SplitSeq(strings.Join(c.Header.Values("Accept"), ","), ",") {
		switch kind, _, _ := mime.ParseMediaType(want); kind {
		case "text/event-stream":
			return true
		case "application/json", "application/*", "*/*":
			return false
		}
	}
	return false
}

// eventPage reads events behind a cursor, and waits for some if there are none.
func (c *call) eventPage(after db.Cursor, query db.EventQuery, wait time.Duration) (EventPage, error) {
	page, err := c.api.queue.Events(c.Context(), after, query)
	if err != nil || len(page.Events) > 0 || page.More || wait == 0 || c.Method == http.MethodHead {
		return toEventPage(page), err
	}
	done, err := c.wait()
	if err != nil {
		return EventPage{}, err
	}
	defer done()
	defer c.api.meters.eventClient(pollClient)()
	l, err := c.api.feed.Listen(c.Context(), queue.ListenOptions{After: page.Cursor, Query: query})
	if err != nil {
		return EventPage{}, err
	}
	frame, err := nextWithin(c.Context(), l, wait)
	switch {
	case err != nil:
		return EventPage{}, err
	case frame == nil:
		page.Cursor = l.Cursor()
	default:
		page.Cursor, page.Events = frame.Cursor, frame.Events
	}
	if n := query.Limit; len(page.Events) > n {
		page.Events, page.Cursor, page.More = page.Events[:n], page.Events[n-1].Cursor, true
	}
	return toEventPage(page), nil
}

// nextWithin waits for a frame. It returns nil if nothing has happened within a time.
func nextWithin(ctx context.Context, l *queue.Listener, most time.Duration) (*queue.Frame, error) {
	limit, end := context.WithTimeout(ctx, most)
	defer end()
	frame, err := l.Next(limit)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, nil
	}
	return frame, err
}

func toEventPage(p db.EventPage) EventPage {
	return EventPage{Cursor: p.Cursor, Events: eventForms(p.Events), More: p.More}
}

func eventForms(events []db.Event) []any {
	out := make([]any, len(events)) // never null
	for i, e := range events {
		out[i] = queue.EventForm(e)
	}
	return out
}
