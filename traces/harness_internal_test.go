package traces

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/internal/traceparent"
	"github.com/air-executor/air-executor/job"
)

// seen is a request as a collector reads it.
type seen struct {
	ResourceSpans []struct {
		Resource   struct{ Attributes facts }
		ScopeSpans []struct {
			Scope struct{ Name, Version string }
			Spans []seenSpan
		}
	}
}

type seenSpan struct {
	TraceID, SpanID, ParentSpanID, TraceState, Name string
	Flags                                           uint32
	Kind                                            int
	Start                                           string `json:"startTimeUnixNano"`
	End                                             string `json:"endTimeUnixNano"`
	Attributes                                      facts
	Links                                           []struct {
		TraceID, SpanID, TraceState string
		Flags                       uint32
		Attributes                  facts
	}
	Status struct {
		Code    int
		Message string
	}
}

// facts are attributes.
type facts map[string]string

func (f *facts) UnmarshalJSON(b []byte) error {
	var list []struct {
		Key   string
		Value struct{ StringValue, IntValue *string }
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(&list)
	*f = facts{}
	for _, one := range list {
		if n := one.Value.IntValue; n != nil {
			_, err = strconv.ParseInt(*n, 10, 64)
			(*f)[one.Key] = "#" + *n
		} else if s := one.Value.StringValue; s != nil {
			(*f)[one.Key] = *s
		}
	}
	return err
}

// collector takes requests, and answers what it is told to.
type collector struct {
	*testing.T
	*httptest.Server

	mu      sync.Mutex
	answers []func(http.ResponseWriter, *http.Request) bool // of the next requests: whether it has kept the spans
	bodies  [][]byte
	headers []http.Header
	taken   []seenSpan
}

func collect(t *testing.T) *collector {
	t.Helper()
	c := &collector{T: t}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// ServeHTTP takes a request.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	var got seen
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		err = d.Decode(&got)
	}
	if err != nil || r.Header.Get("Content-Type") != "application/json" || r.Method != http.MethodPost {
		c.Errorf("%s %v: %v in %s", r.Method, r.Header, err, body)
	}
	c.mu.Lock()
	c.bodies, c.headers = append(c.bodies, body), append(c.headers, r.Header)
	answer := take
	if len(c.answers) > 0 {
		answer, c.answers = c.answers[0], c.answers[1:]
	}
	c.mu.Unlock()
	if !answer(w, r) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range got.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			c.taken = append(c.taken, ss.Spans...)
		}
	}
}

func take(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"partialSuccess":{}}`)
	return true
}

// refuse answers with a status.
func refuse(status int, after string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", after)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		return false
	}
}

// next says how the next requests are answered.
func (c *collector) next(answers ...func(http.ResponseWriter, *http.Request) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = answers
}

// spans are those that it has taken, by the id of their attempt.
func (c *collector) spans() (all []seenSpan, runs []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.taken {
		runs = append(runs, s.Attributes["cicd.pipeline.task.name"]+s.Attributes["air_executor.attempt"])
	}
	return slices.Clone(c.taken), runs
}

// wantRuns waits until these spans were taken, in this order.
func (c *collector) wantRuns(want ...string) []seenSpan {
	c.Helper()
	testkit.Eventually(c.T, "the collector has the spans", func() bool {
		_, runs := c.spans()
		return len(runs) >= len(want)
	})
	all, runs := c.spans()
	if !slices.Equal(runs, want) {
		c.Fatalf("spans of %q, want %q", runs, want)
	}
	return all
}

// work is a database with an exporter.
type work struct {
	*testing.T
	*db.DB
	logged bytes.Buffer
	mu     sync.Mutex
	waits  []time.Duration
	end    func()
}

// Write is the log.
func (w *work) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logged.Write(b)
}

func (w *work) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logged.String()
}

func begin(t *testing.T, o db.Options) *work {
	t.Helper()
	o.Durability = "normal"
	d, err := db.Open(t.Context(), t.TempDir()+"/base", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	w := &work{T: t, DB: d, end: func() {}}
	// From here on, what ends is sent.
	if err := New(Options{Config: &Config{}, DB: d}).begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// export starts an exporter with variables, which takes all pauses for over at once.
func (w *work) export(address string, variables ...string) {
	w.Helper()
	c, warnings, err := Find(func(name string) string {
		for _, kv := range append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + address}, variables...) {
			if n := len(name) + 1; len(kv) >= n && kv[:n] == name+"=" {
				return kv[n:]
			}
		}
		return ""
	})
	if err != nil || len(warnings) > 0 {
		w.Fatal(err, warnings)
	}
	e := New(Options{Config: c, DB: w.DB, Log: slog.New(slog.NewTextHandler(w, nil)), Version: "v1",
		TaskURL: func(key int64) string { return "http://x/" + strconv.FormatInt(key, 10) }})
	e.every = time.Millisecond
	e.sender.pause = func(ctx context.Context, d time.Duration) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.waits = append(w.waits, d)
		return ctx.Err()
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.Run(ctx)
	}()
	w.end = func() {
		stop()
		<-ended
	}
	w.Cleanup(w.end)
}

// add queues a task.
func (w *work) add(s job.Spec) {
	w.Helper()
	if s.Command == "" {
		s.Command = "true"
	}
	if _, err := w.Enqueue(w.Context(), db.Batch{Job: "j", Tasks: dbtest.Specs(s)}); err != nil {
		w.Fatal(err)
	}
}

// claim claims the next task.
func (w *work) claim() *db.Assignment {
	w.Helper()
	a, err := w.Claim(w.Context(), dbtest.Runner1, 100, "")
	if err != nil || a == nil {
		w.Fatal(a, err)
	}
	return a
}

// finish ends an attempt.
func (w *work) finish(a *db.Assignment, r job.Result) {
	w.Helper()
	if _, err := w.Finish(w.Context(), a, r, false); err != nil {
		w.Fatal(err)
	}
}

// runs queues tasks and runs them to their end.
func (w *work) runs(ids ...string) {
	w.Helper()
	for _, id := range ids {
		w.add(job.Spec{ID: id})
		w.finish(w.claim(), dbtest.Success)
	}
}

// told is what the command of an attempt finds in its environment.
func told(a *db.Assignment) []string { return traceparent.Of(a.Token, a.Env).Settings() }
