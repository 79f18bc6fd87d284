package api

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db"
)

// told is an event, as far as most tests look at it.
type told struct{ Cursor, Type, Job string }

// page is an EventPage as a client reads it.
type page struct {
	Cursor string
	Events []told
	More   bool
}

func types(events []told) (out []string) {
	for _, e := range events {
		out = append(out, e.Type)
	}
	return out
}

// asOf is the cursor of a list.
func (s *served) asOf() string {
	s.t.Helper()
	return *read[JobPage](s.get("/api/v1/jobs")).AsOf
}

func (s *served) events(query string) page {
	s.t.Helper()
	return read[page](s.get("/api/v1/events" + query))
}

func TestEventsAsJSON(t *testing.T) {
	s := serve(t, Options{})
	start := s.asOf()
	s.enqueue("j", command("a", "b")...)
	s.enqueue("k", command("a")...)
	s.ran("j", "hello\n", failed)

	all := s.events("?after=" + start)
	want := []string{"job.created", "tasks.added", "job.created", "tasks.added", "task.started", "job.changed", "task.ended"}
	if got := types(all.Events); !slices.Equal(got, want) || all.More || all.Cursor != all.Events[len(want)-1].Cursor {
		t.Errorf("%v, want %v", all, want)
	}
	if got := s.events(""); !slices.Equal(got.Events, all.Events) {
		t.Errorf("from the oldest: %v", got)
	}
	var paged []told
	for at := start; ; {
		p := s.events("?limit=3&after=" + at)
		if len(p.Events) > 3 || p.More != (len(paged)+len(p.Events) < len(want)) {
			t.Errorf("a page: %+v", p)
		}
		paged, at = append(paged, p.Events...), p.Cursor
		if !p.More {
			break
		}
	}
	if !slices.Equal(paged, all.Events) {
		t.Errorf("in pages: %v, want %v", paged, all.Events)
	}
	if got := s.events("?job=k"); !slices.Equal(types(got.Events), want[2:4]) || got.Cursor != all.Cursor {
		t.Errorf("of a job: %v", got)
	}
	if got := s.events("?type=task.&type=job.created&job=j"); !slices.Equal(types(got.Events), []string{"job.created", "task.started", "task.ended"}) {
		t.Errorf("of types: %v", got)
	}
	if got := s.events("?wait=1&type=pool.&after=" + all.Cursor); len(got.Events) > 0 || got.Cursor != all.Cursor {
		t.Errorf("nothing happens: %v", got)
	}
	s.full("HEAD", "/api/v1/events?wait=60&after="+all.Cursor).want(200)
}

// The end of one long poll is the beginning of the next.
func TestEventsByLongPoll(t *testing.T) {
	s := serve(t, Options{})
	at := s.asOf()
	const tasks = 20
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		for i := range tasks {
			s.enqueue("j", command(fmt.Sprint(i))...)
		}
	}()
	var got []told
	for len(got) < tasks {
		p := s.events("?wait=60&limit=2&type=tasks.added&after=" + at)
		if len(p.Events) == 0 || len(p.Events) > 2 {
			t.Fatalf("%v", p)
		}
		got, at = append(got, p.Events...), p.Cursor
	}
	<-wrote
	if want := s.events("?type=tasks.added").Events; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// oldCursors are requests with a cursor, in all forms.
func (s *served) oldCursors(cursor string, k kindOfProblem) {
	s.t.Helper()
	at := "/api/v1/events?after=" + url.QueryEscape(cursor)
	s.full("GET", at).problem(k)
	s.full("GET", at, header("Accept", "text/event-stream")).problem(k)
	s.full("GET", "/api/v1/events", header("Accept", "text/event-stream"), header("Last-Event-ID", cursor)).problem(k)
	s.full("GET", at, upgrade).problem(k)
}

func TestCursorsFromWhichNothingCanBeRead(t *testing.T) {
	s := serve(t, Options{})
	old := s.asOf()
	s.enqueue("j", command("a")...)
	newer := s.events("").Events[1].Cursor
	s.oldCursors("nonsense", badParameter)
	s.oldCursors(strings.Replace(newer, newer[:8], "00000000", 1), cursorGone)
	s.oldCursors(newer+"0", cursorGone)
	s.enqueue("k", command("a")...)
	for more := true; more; { // what statistics have not counted is kept
		var err error
		if more, err = s.queue.DB.Fold(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.queue.DB.PruneEvents(context.Background(), time.Now().Add(time.Hour), 1, 100); err != nil {
		t.Fatal(err)
	}
	s.oldCursors(old, cursorGone)
	p := read[Problem](s.full("GET", "/api/v1/events?after="+old).problem(cursorGone))
	if p.Oldest == nil || len(s.events("?after="+*p.Oldest).Events) != 0 || s.events("").Events[0].Cursor != *p.Oldest {
		t.Errorf("%+v", p)
	}
}

func TestParametersOfEvents(t *testing.T) {
	s := serve(t, Options{})
	for _, q := range []string{
		"after=", "limit=0", "limit=1001", "wait=61", "wait=-1", "type=task.none", "type=none", "typ=task.", "job=",
		"after=a&after=b", strings.Repeat("job=j&", 201), strings.Repeat("type=task.&", 51),
	} {
		s.full("GET", "/api/v1/events?"+q).problem(badParameter)
	}
	for _, q := range []string{"wait=1", "limit=1"} {
		s.full("GET", "/api/v1/events?"+q, header("Accept", "text/event-stream")).problem(badParameter)
		s.full("GET", "/api/v1/events?"+q, upgrade).problem(badParameter)
	}
	s.full("GET", "/api/v1/events", header("Accept", "text/html")).problem(notAcceptable)
	s.full("GET", "/api/v1/events", header("Accept", "application/json, text/event-stream")).want(200)
}

// stream is a client of text/event-stream.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	body  interface{ Close() error }
	seen  map[string]string // fields of the block that was read last
}

func (s *served) stream(query string, changes ...with) *stream {
	s.t.Helper()
	limit, end := context.WithTimeout(s.t.Context(), patience)
	s.t.Cleanup(end)
	r, err := http.NewRequestWithContext(limit, "GET", "http://"+s.server.api.address+"/api/v1/events"+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, change := range append([]with{s.bearer(reader), header("Accept", "text/event-stream")}, changes...) {
		change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		s.t.Fatalf("status %d, %s", answer.StatusCode, kind)
	}
	c := &stream{t: s.t, lines: bufio.NewScanner(answer.Body), body: answer.Body}
	c.lines.Buffer(nil, 1<<20)
	if !c.next() || c.seen["retry"] == "" || c.seen["id"] == "" {
		s.t.Fatalf("the beginning is %v", c.seen)
	}
	return c
}

// next reads a block; false: the stream has ended.
func (c *stream) next() bool {
	c.t.Helper()
	c.seen = map[string]string{}
	for c.lines.Scan() {
		name, value, _ := strings.Cut(c.lines.Text(), ":")
		if c.lines.Text() == "" {
			return true
		}
		c.seen[name] = strings.TrimPrefix(value, " ")
	}
	return false
}

// event reads up to the next event.
func (c *stream) event() told {
	c.t.Helper()
	for c.next() {
		if data := c.seen["data"]; data != "" {
			g := &got{t: c.t, body: []byte(data)}
			g.valid("#/components/schemas/Event")
			e := read[told](g)
			if e.Cursor != c.seen["id"] {
				c.t.Errorf("the id of %s is %s", data, c.seen["id"])
			}
			return e
		}
	}
	c.t.Fatal("the stream has ended")
	return told{}
}

func TestEventsAsAStream(t *testing.T) {
	s := serve(t, Options{})
	s.server.api.pace.comment = time.Millisecond
	s.enqueue("before", command("a")...)
	now, all := s.stream(""), s.stream("?type=tasks.&after="+s.events("?limit=1").Cursor)
	if e := all.event(); e.Job != "before" {
		t.Errorf("behind a cursor: %v", e)
	}
	s.enqueue("j", command("a")...)
	s.enqueue("k", command("a")...)
	var last told
	for _, want := range []string{"job.created", "tasks.added", "job.created"} {
		if last = now.event(); last.Type != want {
			t.Errorf("%v, want %s", last, want)
		}
	}
	now.body.Close()
	again := s.stream("?after="+s.asOf(), header("Last-Event-ID", last.Cursor))
	if e := again.event(); e.Type != "tasks.added" || e.Job != "k" {
		t.Errorf("behind Last-Event-ID: %v", e)
	}
	for _, want := range []string{"j", "k"} {
		if e := all.event(); e.Job != want || e.Type != "tasks.added" {
			t.Errorf("of a type: %v", e)
		}
	}
	quiet := s.stream("?job=none")
	s.enqueue("l", command("a")...)
	for want := s.asOf(); quiet.seen["id"] != want; quiet.next() {
		if quiet.seen["data"] != "" {
			t.Fatalf("an event that is not wanted: %v", quiet.seen)
		}
	}
}

// When the server stops, each client is told so.
func TestClientsAreToldThatTheServerStops(t *testing.T) {
	s := serve(t, Options{})
	waits, socket := s.stream(""), s.socket("")
	poll := make(chan *got)
	go func() { poll <- s.full("GET", "/api/v1/events?wait=60&after="+s.asOf()) }()
	for len(s.server.api.longLived) < 3 {
		time.Sleep(time.Millisecond)
	}
	go func() { _ = s.stop() }()
	if g := (<-poll).problem(unavailable); g.header.Get("Retry-After") == "" {
		t.Error("the long poll has no Retry-After")
	}
	told := false
	for waits.next() {
		told = told || waits.seen["retry"] == fmt.Sprint(retryLater)
	}
	if !told {
		t.Error("the stream has ended without retry:")
	}
	socket.closes(1001)
}

// The places for requests that last are bounded, for all forms together.
func TestThereAreOnlySoManyFollowers(t *testing.T) {
	s := serve(t, Options{})
	at := s.asOf()
	for range maxLongLived {
		s.server.api.longLived <- struct{}{}
	}
	limit, end := context.WithTimeout(t.Context(), patience) // a stream has no end
	defer end()
	within := func(r *http.Request) { *r = *r.WithContext(limit) }
	s.full("GET", "/api/v1/events?wait=1&after="+at).problem(tooOften)
	s.full("GET", "/api/v1/events", header("Accept", "text/event-stream"), within).problem(tooOften)
	s.full("GET", "/api/v1/events", upgrade).problem(tooOften)
	s.full("GET", "/api/v1/events?after="+at).want(200)
	<-s.server.api.longLived
	c := s.socket("")
	s.full("GET", "/api/v1/events", upgrade).problem(tooOften)
	c.conn.CloseNow()
	for len(s.server.api.longLived) == maxLongLived {
		time.Sleep(time.Millisecond)
	}
}

// database is the file of the database.
func (s *served) database() string { return filepath.Join(s.base, "air-executor.db") }

// caughtUp waits until the feed has read what there is.
func (s *served) caughtUp(from string) {
	s.t.Helper()
	l, err := s.server.api.feed.Listen(context.Background(), listenFrom(from))
	for want := db.Cursor(s.asOf()); err == nil && l.Cursor() != want; {
		_, err = l.Next(context.Background())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
