package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

func listenFrom(cursor string) queue.ListenOptions {
	return queue.ListenOptions{After: db.Cursor(cursor)}
}

// upgrade asks for a WebSocket.
func upgrade(r *http.Request) {
	for name, value := range map[string]string{
		"Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		r.Header.Set(name, value)
	}
}

// patience bounds waits. It is no measure of speed.
const patience = 20 * time.Second

// webSocket is a client of the WebSocket.
type webSocket struct {
	t     *testing.T
	conn  *websocket.Conn
	hello helloMessage
}

// message is what the server says.
type message struct {
	Hello  *helloMessage
	Events *struct {
		Cursor string
		Events []struct {
			told
			Task     *queue.TaskRef
			Attempt  int
			Size     int64
			Complete bool
		}
		Jobs []queue.JobForm
	}
	Resync *resyncMessage
	Error  *Problem
}

func (s *served) socket(query string, changes ...with) *webSocket {
	s.t.Helper()
	r := &http.Request{Header: http.Header{}}
	for _, change := range append([]with{s.bearer(reader)}, changes...) {
		change(r)
	}
	return s.dial("ws://"+s.server.api.address+"/api/v1/events"+query, &websocket.DialOptions{HTTPHeader: r.Header})
}

func (s *served) dial(address string, o *websocket.DialOptions) *webSocket {
	s.t.Helper()
	conn, answer, err := websocket.Dial(s.t.Context(), address, o)
	if err != nil {
		s.t.Fatalf("%v: %v", err, answer)
	}
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(-1)
	c := &webSocket{t: s.t, conn: conn}
	m := c.next()
	if m.Hello == nil || m.Hello.ServerID != s.server.api.serverID || m.Hello.Cursor == "" {
		s.t.Fatalf("it begins with %+v", m)
	}
	c.hello = *m.Hello
	return c
}

// say sends a message.
func (c *webSocket) say(text string) {
	c.t.Helper()
	if err := c.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// next reads a message, which is as the document says.
func (c *webSocket) next() message {
	c.t.Helper()
	limit, end := context.WithTimeout(c.t.Context(), patience)
	defer end()
	_, text, err := c.conn.Read(limit)
	if err != nil {
		c.t.Fatal(err)
	}
	g := &got{t: c.t, body: text}
	if len(text) < 10_000 { // it takes its time
		g.valid("#/components/schemas/EventMessage")
	}
	return read[message](g)
}

// until reads events until one is of a type and about a job.
func (c *webSocket) until(kind, job string) (last message) {
	c.t.Helper()
	for {
		m := c.next()
		if m.Events == nil {
			c.t.Fatalf("waits for %s of %s, got %+v", kind, job, m)
		}
		for _, e := range m.Events.Events {
			if e.Type == kind && e.Job == job {
				return m
			}
		}
	}
}

// refuses wants an error.
func (c *webSocket) refuses(k kindOfProblem) *Problem {
	c.t.Helper()
	m := c.next()
	if m.Error == nil || m.Error.Type != "/problems/"+k.name {
		c.t.Fatalf("%+v, want the error %s", m, k.name)
	}
	return m.Error
}

// closes wants the end of the connection.
func (c *webSocket) closes(code websocket.StatusCode) {
	c.t.Helper()
	limit, end := context.WithTimeout(c.t.Context(), patience)
	defer end()
	for {
		_, text, err := c.conn.Read(limit)
		if err == nil {
			c.t.Logf("before the end: %.100s", text)
			continue
		}
		if websocket.CloseStatus(err) != code {
			c.t.Fatalf("it ends with %v, want %d", err, code)
		}
		return
	}
}

func TestEventsOverAWebSocket(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b")...)
	c := s.socket("")
	c.say(`{"subscribe":{}}`)
	s.enqueue("j", command("c")...)
	m := c.until("tasks.added", "j")
	if len(m.Events.Jobs) != 1 || m.Events.Jobs[0].Job != "j" || m.Events.Jobs[0].Counts.Pending != 3 || m.Events.Cursor == "" {
		t.Errorf("%+v", m.Events)
	}
	s.enqueue("m", command("x")...)
	c.until("tasks.added", "m")
	c.say(`{"subscribe":{"jobs":["k"],"types":["tasks."]}}`)
	c.say(`{"subscribe":{"jobs":["m","k"],"types":["job.created"]}}`)
	for _, name := range []string{"j", "i", "k"} {
		s.enqueue(name, command("x")...)
	}
	if m := c.next(); m.Events == nil || len(m.Events.Events) != 1 || m.Events.Events[0].Job != "k" || len(m.Events.Jobs) != 1 {
		t.Errorf("after another subscription: %+v", m)
	}
	c.say(fmt.Sprintf(`{"subscribe":{"after":%q}}`, c.hello.Cursor))
	if m := c.next(); m.Events == nil || m.Events.Events[0].Type != "tasks.added" || m.Events.Events[0].Job != "j" {
		t.Errorf("again from the beginning: %+v", m)
	}
	given := s.socket("?job=k&after=" + string(c.hello.Cursor))
	if m := given.until("tasks.added", "k"); len(m.Events.Events) != 2 {
		t.Errorf("by parameters: %+v", m)
	}
}

// A list, with the events behind its cursor, is the list that is read at the end.
func TestAListAndTheFeedBehindItAreTheListAtTheEnd(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j0", command("first")...)
	rows := map[string]queue.JobForm{}
	list := read[JobPage](s.get("/api/v1/jobs?limit=1000"))
	for _, j := range list.Items {
		rows[j.Job] = j.JobForm
	}
	c := s.socket("")
	c.say(fmt.Sprintf(`{"subscribe":{"after":%q}}`, *list.AsOf))
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		for i := range 40 {
			name := fmt.Sprint("j", i%7)
			s.enqueue(name, command(fmt.Sprint(i))...)
			switch i % 4 {
			case 1:
				s.ran(name, "", failed)
			case 2:
				_, _ = s.queue.CancelWithin(context.Background(), name, "", 0)
			case 3:
				_, _ = s.queue.Reset(context.Background(), name, db.Which{Cancelled: true})
			}
		}
		s.enqueue("last", command("x")...)
	}()
	for end := false; !end; {
		m := c.next()
		if m.Events == nil {
			t.Fatalf("%+v", m)
		}
		for _, j := range m.Events.Jobs {
			rows[j.Job] = j
			end = end || j.Job == "last"
		}
	}
	<-wrote
	for _, j := range read[JobPage](s.get("/api/v1/jobs?limit=1000")).Items {
		if got, want := jsonText(rows[j.Job]), jsonText(j.JobForm); got != want {
			t.Errorf("followed:  %s\nat the end: %s", got, want)
		}
	}
}

// Whatever a client says, it gets one clear error, and is told events as before.
func TestAClientThatTalksNonsense(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	s.ran("j", "hello\n", failed)
	c := s.socket("")
	c.say(`{"subscribe":{"types":["tasks.added"]}}`)
	jobs, logs := make([]string, 10_000), make([]logRef, 10_000)
	for i := range jobs {
		jobs[i], logs[i] = fmt.Sprint("job-", i), logRef{int64(i + 1), 1}
	}
	for text, k := range map[string]kindOfProblem{
		"":                                 badBody,
		"hello":                            badBody,
		`{"subscribe":{}}{}`:               badBody,
		`{"subscribe":`:                    badBody,
		strings.Repeat("[", 100_000):       badBody,
		`[]`:                               invalid,
		`null`:                             invalid,
		`{}`:                               invalid,
		`{"subscribe":null}`:               invalid,
		`{"subscribe":{"after":1}}`:        invalid,
		`{"subscribe":{"job":["j"]}}`:      invalid,
		`{"subscribe":{},"x":1}`:           invalid,
		`{"subscribe":{"jobs":[""]}}`:      invalid,
		`{"subscribe":{"types":["none"]}}`: invalid,
		`{"subscribe":{"after":"none"}}`:   badParameter,
		`{"subscribe":{"after":"x.1.0"}}`:  cursorGone,
		`{"subscribe":{"logs":[{}]}}`:      invalid,
		`{"subscribe":{"logs":[{"task":1,"attempt":1},{"task":1,"attempt":1}]}}`: invalid,
		`{"subscribe":{"logs":[{"task":1,"attempt":2}]}}`:                        noSuchAttempt,
		`{"subscribe":{"logs":[{"task":99,"attempt":1}]}}`:                       noSuchTask,
		`{"subscribe":{"jobs":` + jsonText(jobs) + `}}`:                          invalid,
		`{"subscribe":{"logs":` + jsonText(logs) + `}}`:                          invalid,
	} {
		c.say(text)
		if p := c.refuses(k); k.name == invalid.name && (p.Errors == nil || (*p.Errors)[0].Message == "") {
			t.Errorf("%.100s: %+v", text, p)
		}
	}
	s.enqueue("j", command("b")...)
	c.until("tasks.added", "j")
	if err := c.conn.Write(t.Context(), websocket.MessageBinary, []byte{1}); err != nil {
		t.Fatal(err)
	}
	c.closes(websocket.StatusUnsupportedData)
	large := s.socket("")
	_ = large.conn.Write(t.Context(), websocket.MessageText, make([]byte, maxBody+1))
	large.closes(websocket.StatusMessageTooBig)
}

// Bytes that are no frames end the connection, and so does silence: some of these begin
// a frame that does not come.
func TestGarbageInsteadOfFrames(t *testing.T) {
	s := serve(t, Options{})
	s.server.api.pace.ping, s.server.api.pace.pong = 10*time.Millisecond, 50*time.Millisecond
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\xff\xff\xff\xff", "\x81\x05hello", "\x83\x80\x00\x00\x00\x00", "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"} {
		conn, err := net.Dial("tcp", s.server.api.address)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := http.NewRequest("GET", "http://"+s.server.api.address+"/api/v1/events", nil)
		upgrade(r)
		s.bearer(reader)(r)
		if err := r.Write(conn); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(garbage)); err != nil {
			t.Fatal(err)
		}
		for b := make([]byte, 1000); err == nil; {
			_, err = conn.Read(b)
		}
		conn.Close()
	}
	for len(s.server.api.longLived) > 0 {
		time.Sleep(time.Millisecond)
	}
}

// A page of another site cannot open a socket, nor can one without a token.
func TestWhoMayOpenASocket(t *testing.T) {
	s := serve(t, Options{})
	_, port, _ := net.SplitHostPort(s.server.api.address)
	for _, origin := range []string{"https://evil.example.org", "null", "http://127.0.0.1:1", "http://localhost:" + port, "http://127.0.0.1.evil.org:" + port, "file://"} {
		s.full("GET", "/api/v1/events", upgrade, header("Origin", origin)).problem(crossOrigin)
		s.send(s.unix, "http://localhost", "GET", "/api/v1/events", []with{upgrade, header("Origin", origin)}).problem(crossOrigin)
	}
	s.full("GET", "/api/v1/events", upgrade, header("Sec-Fetch-Site", "cross-site")).problem(crossOrigin)
	s.full("GET", "/api/v1/events", upgrade, header("Origin", "http://evil.org:"+port), host("evil.org:"+port)).problem(otherHost)
	s.request("GET", "/api/v1/events", upgrade).problem(unauthorized)
	s.request("GET", "/api/v1/events", upgrade, header("Authorization", "Bearer wrong")).problem(unauthorized)
	s.request("GET", "/api/v1/events?token="+s.token(owner), upgrade).problem(unauthorized)
	for _, w := range []with{
		header("Sec-WebSocket-Version", "12"), header("Sec-WebSocket-Key", "x"), header("Connection", "close"),
		func(r *http.Request) { r.Header.Add("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==") },
	} {
		s.full("GET", "/api/v1/events", upgrade, w).problem(badUpgrade)
	}
	value, _, err := s.server.api.sessions.sign(reader)
	if err != nil {
		t.Fatal(err)
	}
	cookie := header("Cookie", s.server.api.cookieName()+"="+value)
	s.socket("", header("Origin", s.server.Address()), header("Sec-Fetch-Site", "same-origin"), cookie, func(r *http.Request) { r.Header.Del("Authorization") })
	s.dial("ws://localhost/api/v1/events", &websocket.DialOptions{HTTPClient: s.unix})
}

// A new token ends what was opened with the one before.
func TestANewTokenEndsFollowers(t *testing.T) {
	s := serve(t, Options{})
	s.server.api.pace = pace{comment: time.Millisecond, ping: time.Millisecond, pong: pingEvery, write: writeLimit}
	socket, waits := s.socket(""), s.stream("")
	if err := os.Remove(s.base + "/" + ReadTokenName); err != nil {
		t.Fatal(err)
	}
	socket.closes(websocket.StatusPolicyViolation)
	for waits.next() {
	}
}

// toldOverUnix is a client over the unix socket, whose buffers are small. It has been told all
// that there is.
func (s *served) toldOverUnix() *webSocket {
	s.t.Helper()
	c := s.dial("ws://localhost/api/v1/events", &websocket.DialOptions{HTTPClient: s.unix})
	c.say(`{"subscribe":{}}`)
	dbtest.ManyEvents(s.t, s.database(), 1, 1)
	c.next()
	return c
}

// A client that does not read costs no memory and keeps no transaction open. When it reads
// again, it is told to begin anew.
func TestAClientThatStopsReading(t *testing.T) {
	s := serve(t, Options{})
	slow := s.toldOverUnix()
	start := s.asOf()
	const events, size = 30_000, 400
	dbtest.ManyEvents(t, s.database(), events, size)
	s.caughtUp(start)
	if dbtest.HasReader(t, s.database()) {
		t.Error("the log of the database cannot be made smaller")
	}
	got := 0
	m := slow.next()
	for ; m.Resync == nil; m = slow.next() {
		got += len(m.Events.Events)
	}
	if now := s.asOf(); got == 0 || got >= events || string(m.Resync.Cursor) != now {
		t.Errorf("%d events, and then %+v, want the cursor %s", got, m.Resync, now)
	}
	s.enqueue("j", command("a")...)
	if m := slow.until("tasks.added", "j"); len(m.Events.Events) > 2 {
		t.Errorf("after that: %+v", m)
	}
}

// If it does not read at all, its connection ends.
func TestAClientThatNeverReads(t *testing.T) {
	s := serve(t, Options{})
	s.server.api.pace.write = 10 * time.Millisecond
	s.toldOverUnix()
	dbtest.ManyEvents(t, s.database(), 5000, 400)
	testkit.Eventually(t, "the connection ends", func() bool { return len(s.server.api.longLived) == 0 })
}

// Who has subscribed to logs is told how they grow, and no more once they are complete.
func TestLogsThatGrow(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b")...)
	s.ran("j", "hello\n", failed)
	a := s.claim("j")
	s.print("j", "b", "one\n")
	c := s.socket("?type=pool.")
	c.say(`{"subscribe":{"types":["pool."],"logs":[{"task":1,"attempt":1},{"task":2,"attempt":1}]}}`)
	m := c.next()
	want := []string{"1 6 true", "2 4 false"}
	var got []string
	for _, e := range m.Events.Events {
		if e.Type != "log.grown" || e.Job != "j" || e.Attempt != 1 || e.Cursor != m.Events.Cursor {
			t.Errorf("%+v", e)
		}
		got = append(got, fmt.Sprint(e.Task.Key, e.Size, e.Complete))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	other := s.socket("")
	other.say(`{"subscribe":{"logs":[{"task":2,"attempt":1}]}}`)
	other.next()
	s.print("j", "b", "two\n")
	for _, one := range []*webSocket{c, other} {
		if e := one.until("log.grown", "j").Events.Events[0]; e.Task.Key != 2 || e.Size != 8 || e.Complete {
			t.Errorf("%+v", e)
		}
	}
	s.finish(a, job.Result{Status: job.Completed})
	if e := c.until("log.grown", "j").Events.Events[0]; e.Task.Key != 2 || e.Size != 8 || !e.Complete {
		t.Errorf("%+v", e)
	}
	c.conn.CloseNow()
	other.conn.CloseNow()
	w := s.server.api.logs
	w.all.Wait()
	if len(w.logs) > 0 {
		t.Errorf("%d logs are watched for nobody", len(w.logs))
	}
}
