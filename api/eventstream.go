package api

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/plainjson"
	"github.com/air-executor/air-executor/queue"
)

// Events as text/event-stream (Server-Sent Events), as browsers and curl read them.

// How long clients wait before they connect again, in milliseconds.
const (
	retrySoon  = 1000
	retryLater = 3000 // the server has stopped
)

// eventStream sends what happens, until the client goes or the server stops. The id of each
// event is its cursor, which a browser sends back in Last-Event-ID.
func (c *call) eventStream(after db.Cursor, query db.EventQuery) (answer, error) {
	if last := c.Header.Get("Last-Event-ID"); last != "" {
		after = db.Cursor(last)
	}
	if after == "" {
		var err error
		if after, err = c.api.queue.AsOf(c.Context(), nil); err != nil {
			return answer{}, err
		}
	}
	done, err := c.wait()
	if err != nil {
		return answer{}, err
	}
	defer done()
	defer c.api.meters.eventClient(streamClient)()
	l, err := c.api.feed.Listen(c.Context(), queue.ListenOptions{After: after, Query: query, Resync: true})
	if err != nil {
		return answer{}, err
	}
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.Header().Set("X-Accel-Buffering", "no") // for proxies that collect what they pass on
	c.w.WriteHeader(http.StatusOK)
	err = c.stream(fmt.Sprintf("retry: %d\nid: %s\n\n", retrySoon, after))
	for checked := time.Now(); err == nil; {
		if time.Since(checked) >= c.api.pace.comment {
			if !c.stillPermitted() {
				break
			}
			checked = time.Now()
		}
		err = c.streamNext(l, query)
	}
	return answer{written: true}, nil
}

// streamNext sends what happens next. An error ends the stream.
func (c *call) streamNext(l *queue.Listener, query db.EventQuery) error {
	frame, err := nextWithin(c.Context(), l, c.api.pace.comment)
	switch {
	case c.Context().Err() != nil: // if the client has gone, it does not get this
		_ = c.stream(fmt.Sprintf(": the server stops\nretry: %d\n\n", retryLater))
		return c.Context().Err()
	case err != nil:
		text, _ := plainjson.Marshal(toProblem(err).form(c.Request), "", "")
		_ = c.stream(fmt.Sprintf("event: error\ndata: %s\n\n", text))
		return err
	case frame == nil: // the id is for those who want little of what happens
		return c.stream(fmt.Sprintf(": nothing new\nid: %s\n\n", l.Cursor()))
	case frame.Resync:
		c.api.meters.eventResync()
		return c.stream(fmt.Sprintf("event: resync\nid: %s\ndata: {\"cursor\":\"%[1]s\"}\n\n", frame.Cursor))
	}
	text, err := frame.Text("stream\n"+wanted(query), func() ([]byte, error) { return streamText(frame) })
	if err != nil {
		return err
	}
	return c.stream(string(text))
}

// streamText is a frame as a client gets it. The id that comes last is that of the frame:
// there may be events behind the last one that the client does not want.
func streamText(frame *queue.Frame) ([]byte, error) {
	var out bytes.Buffer
	for _, e := range frame.Events {
		text, err := plainjson.Marshal(queue.EventForm(e), "", "")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "id: %s\ndata: %s\n\n", e.Cursor, text)
	}
	if last := frame.Events[len(frame.Events)-1].Cursor; last != frame.Cursor {
		fmt.Fprintf(&out, "id: %s\n\n", frame.Cursor)
	}
	return out.Bytes(), nil
}

// stream writes to the client, which has some time to take it.
func (c *call) stream(text string) error {
	rc := http.NewResponseController(c.w)
	_ = rc.SetWriteDeadline(time.Now().Add(c.api.pace.write))
	if _, err := c.w.Write([]byte(text)); err != nil {
		return err
	}
	return rc.Flush()
}
