package api

import (
	"bufio"
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/plainjson"
	"github.com/air-executor/air-executor/queue"
)

// Events over a WebSocket. The messages are EventRequest and EventMessage in the document.

// closeLimit is how long a client may take to answer when it is told that the server
// stops.
const closeLimit = 2 * time.Second

// eventMessage is what the server sends: one of these.
type eventMessage struct {
	Hello  *helloMessage  `json:"hello,omitempty"`
	Events *eventsMessage `json:"events,omitempty"`
	Resync *resyncMessage `json:"resync,omitempty"`
	Error  *Problem       `json:"error,omitempty"`
}

type helloMessage struct {
	ServerID string    `json:"server_id"`
	Cursor   db.Cursor `json:"cursor"`
}

type eventsMessage struct {
	Cursor db.Cursor `json:"cursor"`
	Events []any     `json:"events"`
	Jobs   []Job     `json:"jobs"` // the newest rows of those that the events are about
}

type resyncMessage struct {
	Cursor db.Cursor `json:"cursor"`
}

// socket is one client. One goroutine reads what it sends, one follows the events for it,
// one the logs, and one asks whether it is still there.
type socket struct {
	call *call
	conn *websocket.Conn
	all  sync.WaitGroup // of the goroutines of the subscription
	end  func()         // ends the subscription

	mu sync.Mutex // is held while something is sent that has a cursor
	at db.Cursor  // behind what was sent
}

// eventSocket serves a client until it goes or the server stops.
func (c *call) eventSocket(after db.Cursor, query db.EventQuery) (answer, error) {
	if !wellFormed(c.Request) {
		return answer{}, badUpgrade.errorf("the headers are not those of a WebSocket of version 13")
	}
	at, err := c.api.queue.AsOf(c.Context(), nil)
	if err != nil {
		return answer{}, err
	}
	first := subscription{After: after, Jobs: query.Jobs, Types: query.Types}
	if after != "" { // as long as it can be refused with a status
		if _, err := c.api.feed.Listen(c.Context(), queue.ListenOptions{After: after}); err != nil {
			return answer{}, err
		}
	}
	done, err := c.wait()
	if err != nil {
		return answer{}, err
	}
	defer done()
	c.api.sockets.Add(1)
	defer c.api.sockets.Done()
	defer c.api.meters.eventClient(socketClient)()
	hijacked := &hijacker{ResponseWriter: c.w}
	conn, err := websocket.Accept(hijacked, c.Request, nil)
	if err != nil {
		return answer{written: true}, nil
	}
	s := &socket{call: c, conn: conn, at: at, end: func() {}}
	stopping := context.AfterFunc(c.Context(), func() {
		_ = hijacked.conn.SetDeadline(time.Now().Add(closeLimit))
		_ = conn.Close(websocket.StatusGoingAway, "the server stops")
	})
	s.serve(first)
	stopping()
	return answer{written: true}, nil
}

// hijacker keeps the connection, as only that can be told to hurry.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack takes the connection over.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = conn
	return conn, rw, err
}

// wellFormed reports whether a request that asks for a WebSocket is one as it must be.
func wellFormed(r *http.Request) bool {
	connection := strings.ToLower(strings.Join(r.Header.Values("Connection"), ","))
	tokens := strings.FieldsFunc(connection, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
	upgrade := false
	for _, t := range tokens {
		upgrade = upgrade || t == "upgrade"
	}
	keys := r.Header.Values("Sec-WebSocket-Key")
	if !upgrade || !r.ProtoAtLeast(1, 1) || r.Method != http.MethodGet || r.Header.Get("Sec-WebSocket-Version") != "13" || len(keys) != 1 {
		return false
	}
	const size = 16
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(key) == size
}

// serve greets the client, and does what it asks for.
func (s *socket) serve(first subscription) {
	ctx, end := context.WithCancel(s.call.Context())
	defer func() {
		end()
		s.all.Wait()
		_ = s.conn.CloseNow()
	}()
	s.conn.SetReadLimit(maxBody)
	if s.send(eventMessage{Hello: &helloMessage{s.call.api.serverID, s.at}}) != nil {
		return
	}
	if first.After != "" || len(first.Jobs)+len(first.Types) > 0 {
		if err := s.subscribe(ctx, first); err != nil && s.refuse(err) != nil {
			return
		}
	}
	var pings sync.WaitGroup
	pings.Go(func() { s.ping(ctx) })
	defer pings.Wait()
	defer end()
	reading := context.WithoutCancel(ctx) // when the server stops, the client is told so first
	for {
		kind, text, err := s.conn.Read(reading)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			_ = s.conn.Close(websocket.StatusUnsupportedData, "messages are JSON")
			return
		}
		wants, err := readSubscription(text)
		if err == nil {
			err = s.subscribe(ctx, wants)
		}
		if err != nil && s.refuse(err) != nil {
			return
		}
	}
}

// ping asks whether the client is still there, and looks whether it still may be.
func (s *socket) ping(ctx context.Context) {
	tick := time.NewTicker(s.call.api.pace.ping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.call.stillPermitted() {
			_ = s.conn.Close(websocket.StatusPolicyViolation, "the token is not good any more")
			return
		}
		if !s.mu.TryLock() {
			continue // what is sent has a limit of its own
		}
		s.mu.Unlock()
		limit, end := context.WithTimeout(ctx, s.call.api.pace.pong)
		err := s.conn.Ping(limit)
		end()
		if err != nil && ctx.Err() == nil {
			_ = s.conn.CloseNow()
			return
		}
	}
}

// subscribe replaces what the client is told. On errors, that stays as it was.
func (s *socket) subscribe(ctx context.Context, wants subscription) error {
	query := db.EventQuery{Jobs: wants.Jobs, Types: wants.Types}
	after := wants.After
	if after == "" {
		s.mu.Lock()
		after = s.at
		s.mu.Unlock()
	}
	following, end := context.WithCancel(ctx)
	l, err := s.call.api.feed.Listen(ctx, queue.ListenOptions{After: after, Query: query, Resync: true})
	if err == nil {
		err = s.call.api.logs.watch(following, wants.Logs)
	}
	if err != nil {
		end()
		return err
	}
	s.end()
	s.all.Wait()
	s.end = end
	if wants.After == "" { // what was sent meanwhile is not sent again
		if l, err = s.call.api.feed.Listen(ctx, queue.ListenOptions{After: s.at, Query: query, Resync: true}); err != nil {
			end()
			return err
		}
	}
	s.at = l.Cursor()
	s.all.Go(func() { s.follow(following, l, query) })
	if len(wants.Logs) > 0 {
		s.all.Go(func() { s.followLogs(following, wants.Logs) })
	}
	return nil
}

// follow sends events until ctx ends. If they cannot be read, the client is told so, and
// may subscribe anew.
func (s *socket) follow(ctx context.Context, l *queue.Listener, query db.EventQuery) {
	for {
		frame, err := nextWithin(ctx, l, s.call.api.pace.ping)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = s.sendFrame(l, frame, query)
		}
		if err != nil {
			_ = s.refuse(err)
			return
		}
	}
}

// sendFrame sends what has happened; nil: nothing of what is wanted.
func (s *socket) sendFrame(l *queue.Listener, frame *queue.Frame, query db.EventQuery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case frame == nil && s.at == l.Cursor():
		return nil
	case frame == nil: // so that its cursor does not become too old
		s.at = l.Cursor()
		return s.send(eventMessage{Events: &eventsMessage{s.at, []any{}, []Job{}}})
	case frame.Resync:
		s.call.api.meters.eventResync()
		s.at = frame.Cursor
		return s.send(eventMessage{Resync: &resyncMessage{s.at}})
	}
	text, err := frame.Text(s.call.api.origin(s.call.Request)+"\n"+wanted(query), func() ([]byte, error) {
		forms, err := frame.Jobs(s.call.Context())
		if err != nil {
			return nil, err
		}
		jobs := make([]Job, len(forms))
		for i, f := range forms {
			jobs[i] = s.call.job(f)
		}
		return plainjson.Marshal(eventMessage{Events: &eventsMessage{frame.Cursor, eventForms(frame.Events), jobs}}, "", "")
	})
	if err != nil {
		return err
	}
	s.at = frame.Cursor
	return s.write(text)
}

// followLogs says how logs grow, until all are complete.
func (s *socket) followLogs(ctx context.Context, refs []logRef) {
	told := map[logRef]logState{}
	for open := true; open; {
		changed, news := s.call.api.logs.changed(refs, told)
		if len(changed) > 0 && s.sendLogs(refs, changed) != nil {
			return
		}
		open = false
		for _, ref := range refs {
			if now, is := changed[ref]; is {
				told[ref] = now
			}
			open = open || !told[ref].complete
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		}
	}
}

func (s *socket) sendLogs(refs []logRef, changed map[logRef]logState) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	message := &eventsMessage{s.at, []any{}, []Job{}}
	for _, ref := range refs {
		if now, is := changed[ref]; is {
			message.Events = append(message.Events, now.event(ref, s.at))
		}
	}
	return s.send(eventMessage{Events: message})
}

// refuse tells the client what is wrong.
func (s *socket) refuse(err error) error {
	p := toProblem(err)
	if p.kind.name == internal.name {
		s.call.api.log.Error("request failed", "path", s.call.URL.EscapedPath(), "error", err)
	}
	return s.send(eventMessage{Error: new(p.form(s.call.Request))})
}

func (s *socket) send(m eventMessage) error {
	text, err := plainjson.Marshal(m, "", "")
	if err != nil {
		return err
	}
	return s.write(text)
}

// write sends a message. If the client does not take it in time, the connection is
// closed.
func (s *socket) write(text []byte) error {
	limit, end := context.WithTimeout(context.WithoutCancel(s.call.Context()), s.call.api.pace.write)
	defer end()
	return s.conn.Write(limit, websocket.MessageText, text)
}

// wanted tells queries apart.
func wanted(q db.EventQuery) string {
	return strings.Join(q.Jobs, "\x00") + "\n" + strings.Join(q.Types, "\x00")
}
