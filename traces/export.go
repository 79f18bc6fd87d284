package traces

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/traceparent"
)

// Options say what an exporter works with.
type Options struct {
	Config  *Config
	DB      *db.DB
	Log     *slog.Logger
	Version string                 // of the program
	TaskURL func(key int64) string // where a task is shown; nil: nowhere
}

// reader is the name under which the database notes how far spans were sent.
const reader = "traces"

// maxSpans are sent in one request.
const maxSpans = 512

// Exporter sends the spans of attempts that have ended.
type Exporter struct {
	options Options
	sender  *sender
	at      db.Cursor // what is behind it was not sent yet
	noted   time.Time // when the place was noted last
	failed  bool      // the database could not be read or written the last time

	every, seldom time.Duration // how often it looks for what has ended, and notes its place without spans
}

// New returns an exporter, which does nothing before Run.
func New(o Options) *Exporter {
	return &Exporter{options: o, sender: newSender(o.Config, o.Log), every: time.Second, seldom: time.Minute}
}

// Run sends what has ended since it was noted last, and what ends from then on, until ctx
// ends. The first time of a database, it begins with what ends from then on. It holds no more than one
// request in memory; what ends meanwhile waits in the database.
//
// Its place is noted when the collector has answered. So a span is sent again if the answer
// was lost, or if this process was killed before it has noted it.
func (e *Exporter) Run(ctx context.Context) {
	tick := time.NewTicker(e.every)
	defer tick.Stop()
	for ctx.Err() == nil {
		more, err := e.step(ctx)
		if err != nil && ctx.Err() == nil && !e.failed {
			e.options.Log.Warn("spans are not sent: the database cannot be used", "error", err)
		}
		e.failed = err != nil
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// step sends the spans of the next events, and reports whether there is more to do now.
func (e *Exporter) step(ctx context.Context) (more bool, err error) {
	if e.at == "" {
		if err := e.begin(ctx); err != nil {
			return false, err
		}
	}
	page, err := e.options.DB.Events(ctx, e.at, db.EventQuery{Types: []string{db.TaskEnded}, Limit: maxSpans})
	var gone *db.CursorError
	if errors.As(err, &gone) {
		e.options.Log.Warn("some spans were not sent: their events are deleted", "after", string(e.at), "oldest", string(gone.Oldest))
		page, err = e.options.DB.Events(ctx, "", db.EventQuery{Types: []string{db.TaskEnded}, Limit: maxSpans})
	}
	if err != nil {
		return false, err
	}
	sent, err := e.send(ctx, page.Events)
	if err != nil {
		return false, err
	}
	moved := page.Cursor != e.at
	e.at = page.Cursor
	if moved && (sent || time.Since(e.noted) > e.seldom) {
		e.noted = time.Now()
		err = e.options.DB.SetPlace(ctx, reader, e.at)
	}
	return page.More, err
}

// begin finds out where to go on.
func (e *Exporter) begin(ctx context.Context) (err error) {
	if e.at, err = e.options.DB.Place(ctx, reader); err != nil || e.at != "" {
		return err
	}
	at, err := e.options.DB.AsOf(ctx, nil)
	if err == nil {
		err = e.options.DB.SetPlace(ctx, reader, at)
	}
	if err == nil {
		e.at = at
	}
	return err
}

// send sends the spans of what the events are about, and reports whether there were any.
// It returns when the collector has taken or refused them.
func (e *Exporter) send(ctx context.Context, events []db.Event) (bool, error) {
	var keys []db.AttemptKey
	for _, one := range events {
		if one.Attempt > 0 { // else it was skipped
			keys = append(keys, db.AttemptKey{Task: one.TaskKey, Number: one.Attempt})
		}
	}
	if len(keys) == 0 {
		return false, nil
	}
	ended, err := e.options.DB.EndedAttempts(ctx, keys, traceparent.Variables...)
	if err != nil {
		return false, err
	}
	if removed := len(keys) - len(ended); removed > 0 {
		e.options.Log.Warn("some spans are not sent: their tasks were removed", "spans", removed)
	}
	var spans []span
	for i := range ended {
		if s, sampled := e.spanOf(&ended[i]); sampled {
			spans = append(spans, s)
		}
	}
	if len(spans) == 0 {
		return true, nil
	}
	body, err := e.encode(spans)
	if err != nil {
		return false, err
	}
	return true, e.sender.deliver(ctx, body, len(spans))
}

// encode writes a request.
func (e *Exporter) encode(spans []span) ([]byte, error) {
	o := &e.options
	body, err := json.Marshal(request{[]resourceSpans{{
		Resource:   resource{append([]Attribute{Text("service.version", o.Version)}, o.Config.Resource...)},
		ScopeSpans: []scopeSpans{{Scope: scope{"air-executor", o.Version}, Spans: spans}},
	}}})
	if err != nil || !o.Config.Gzip {
		return body, err
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}
