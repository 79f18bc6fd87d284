//go:build failpoints

package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// httpWorld is a world with a server that is killed and started again.
type httpWorld struct {
	*world
	client *http.Client

	mu     sync.Mutex
	server *exec.Cmd
}

func newHTTPWorld(t *testing.T, config ...string) *httpWorld {
	w := &httpWorld{world: newWorld(t, config...)}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(w.base, "api.sock"))
	}
	w.client = &http.Client{Transport: &http.Transport{DialContext: dial}}
	t.Cleanup(w.client.CloseIdleConnections)
	t.Cleanup(func() { w.killServer() })
	return w
}

// serve starts a server, and waits until it answers.
func (w *httpWorld) serve() {
	w.Helper()
	c := w.command(nil, "serve", "--listen", "127.0.0.1:0")
	c.Stderr = os.Stderr
	w.must(c.Start())
	w.mu.Lock()
	w.server = c
	w.mu.Unlock()
	w.until("the server answers", func() bool {
		answer, err := w.client.Get("http://localhost/healthz")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
}

func (w *httpWorld) killServer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server != nil {
		_ = w.server.Process.Kill()
		_ = w.server.Wait()
		w.server = nil
	}
}

// get reads JSON, as often as the server is killed meanwhile.
func (w *httpWorld) get(path string, v any) {
	w.Helper()
	w.until(path+" is answered", func() bool {
		answer, err := w.client.Get("http://localhost/api/v1" + path)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err == nil && answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusServiceUnavailable {
			w.Fatalf("%s: %s: %s", path, answer.Status, text)
		}
		return err == nil && answer.StatusCode == http.StatusOK && json.Unmarshal(text, v) == nil
	})
}

// feedFollower is a client that has seen events up to the last cursor.
type feedFollower struct {
	w    *httpWorld
	kind string
	mu   sync.Mutex
	at   string // where it goes on
	seen []string
	rows map[string]json.RawMessage // jobs as they were told
	errs []error
}

// feedPage is an answer as JSON, or a message of the WebSocket.
type feedPage struct {
	Cursor string
	Events []struct{ Cursor, Type, Job string }
	Jobs   []json.RawMessage
}

func (f *feedFollower) take(p feedPage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range p.Events {
		f.seen = append(f.seen, e.Cursor)
		if e.Type == "job.removed" {
			delete(f.rows, e.Job)
		}
	}
	for _, row := range p.Jobs {
		var j struct{ Job string }
		if err := json.Unmarshal(row, &j); err != nil {
			f.errs = append(f.errs, err)
		}
		f.rows[j.Job] = row
	}
	f.at = p.Cursor
}

func (f *feedFollower) place() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// follow connects again and again until ctx ends.
func (f *feedFollower) follow(ctx context.Context) {
	forms := map[string]func(context.Context) error{"json": f.poll, "stream": f.stream, "socket": f.socket}
	for ctx.Err() == nil {
		if err := forms[f.kind](ctx); err != nil {
			f.mu.Lock()
			f.errs = append(f.errs, fmt.Errorf("%s: %w", f.kind, err))
			f.mu.Unlock()
			return
		}
		time.Sleep(10 * time.Millisecond) // before it connects again
	}
}

func (f *feedFollower) poll(ctx context.Context) error {
	answer, err := f.get(ctx, "?wait=5&limit=50&after="+url.QueryEscape(f.place()), "")
	if err != nil || answer == nil {
		return err
	}
	defer answer.Body.Close()
	var p feedPage
	if text, err := io.ReadAll(answer.Body); err != nil || json.Unmarshal(text, &p) != nil {
		return nil // it was cut off
	}
	f.take(p)
	return nil
}

// get asks for events; no answer: the server was killed, or stops.
func (f *feedFollower) get(ctx context.Context, query, last string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/v1/events"+query, nil)
	if err != nil {
		return nil, err
	}
	if last != "" {
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := f.w.client.Do(r)
	if err != nil {
		return nil, nil
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	answer.Body.Close()
	if answer.StatusCode == http.StatusServiceUnavailable {
		return nil, nil
	}
	return nil, errors.New(answer.Status)
}

func (f *feedFollower) stream(ctx context.Context) error {
	answer, err := f.get(ctx, "", f.place())
	if err != nil || answer == nil {
		return err
	}
	defer answer.Body.Close()
	block := map[string]string{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		if lines.Text() != "" {
			block[name] = value
			continue
		}
		if block["event"] != "" {
			return nil // too slow: connects again behind what it has seen
		}
		if p := (feedPage{Cursor: block["id"]}); block["data"] != "" {
			p.Events = make([]struct{ Cursor, Type, Job string }, 1)
			if err := json.Unmarshal([]byte(block["data"]), &p.Events[0]); err != nil {
				return err
			}
			f.take(p)
		}
		block = map[string]string{}
	}
	return nil
}

func (f *feedFollower) socket(ctx context.Context) error {
	conn, answer, err := websocket.Dial(ctx, "ws://localhost/api/v1/events", &websocket.DialOptions{HTTPClient: f.w.client})
	if err != nil {
		if answer != nil && answer.StatusCode != http.StatusServiceUnavailable && answer.StatusCode != http.StatusSwitchingProtocols {
			return errors.New(answer.Status)
		}
		return nil
	}
	defer conn.CloseNow()
	conn.SetReadLimit(-1)
	text, _ := json.Marshal(map[string]any{"subscribe": map[string]any{"after": f.place()}})
	if conn.Write(ctx, websocket.MessageText, text) != nil {
		return nil
	}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return nil
		}
		var m struct {
			Events        *feedPage
			Resync, Error json.RawMessage
		}
		switch err := json.Unmarshal(text, &m); {
		case err != nil:
			return err
		case m.Error != nil:
			return errors.New(string(m.Error))
		case m.Resync != nil:
			return nil
		case m.Events != nil:
			f.take(*m.Events)
		}
	}
}

// While ten processes write, and runners, manager and server are killed, clients of all forms
// resume by cursor. Each ends with exactly the sequence in the table, and one
// that has begun with a list ends with the list as it is then. AIR_EXECUTOR_FOLLOW, 10m
// say, makes it the long version, in which the server is killed every 5 seconds.
func TestClientsOfTheServerMissNoEvent(t *testing.T) {
	t.Parallel()
	lasts, every := 3*time.Second, 700*time.Millisecond
	if d, err := time.ParseDuration(os.Getenv("AIR_EXECUTOR_FOLLOW")); err == nil {
		lasts, every = d, 5*time.Second
	}
	w := newHTTPWorld(t, "max_concurrent_runners: 6", "tasks_per_runner: 3")
	w.enqueue("j0", "first", "true")
	w.start()
	w.serve()
	var first feedPage
	w.get("/events?limit=1", &first)
	ctx, end := context.WithCancel(t.Context())
	var following, writing sync.WaitGroup
	var list []*feedFollower
	for _, kind := range []string{"json", "stream", "socket", "json", "stream", "socket"} {
		f := &feedFollower{w: w, kind: kind, rows: map[string]json.RawMessage{}, at: first.Cursor}
		list = append(list, f)
		following.Go(func() { f.follow(ctx) })
	}
	until := time.Now().Add(lasts)
	w.busy(10, &writing, func() bool { return time.Now().After(until) })
	rows := &feedFollower{w: w, kind: "socket", rows: map[string]json.RawMessage{}}
	random := rand.New(rand.NewPCG(1, 4))
	for n, killed := 0, time.Now(); time.Now().Before(until); n++ {
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		w.killAnyRunner(random)
		if n == 2 {
			rows.at = w.list(rows.rows)
			following.Go(func() { rows.follow(ctx) })
		}
		if time.Since(killed) > every {
			w.killServer()
			w.serve()
			killed = time.Now()
		}
		if n%20 == 19 {
			w.manager.kill()
			w.start()
		}
	}
	writing.Wait()
	for i := range 5 { // what is left would take long
		w.run(0, "cancel", "--job", fmt.Sprint("j", i))
	}
	w.until("nothing is left to run", func() bool {
		return w.sql("SELECT count(*) FROM job WHERE state NOT IN ('completed', 'failed')") == "0"
	})
	w.run(0, "stop")
	<-w.manager.ended
	w.endAlike(list, rows, first.Cursor)
	end()
	following.Wait()
}

// list reads the jobs.
func (w *httpWorld) list(into map[string]json.RawMessage) (asOf string) {
	w.Helper()
	var page struct {
		Items []json.RawMessage
		AsOf  string `json:"as_of"`
	}
	w.get("/jobs?limit=1000", &page)
	for _, row := range page.Items {
		var j struct{ Job string }
		w.must(json.Unmarshal(row, &j))
		into[j.Job] = row
	}
	return page.AsOf
}

// endAlike waits until all clients have seen all, and compares.
func (w *httpWorld) endAlike(list []*feedFollower, rows *feedFollower, first string) {
	w.Helper()
	whole := &eventFollower{w: w.world, seen: []string{first}}
	whole.rest()
	want := whole.seen[1:]
	last := want[len(want)-1]
	for _, f := range append(list, rows) {
		w.until("a client of the form "+f.kind+" has seen all", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.at == last || len(f.errs) > 0
		})
		f.mu.Lock()
		for _, err := range f.errs {
			w.Error(err)
		}
		if f != rows && !slices.Equal(f.seen, want) {
			w.Errorf("a client of the form %s has seen %d events, not the %d in the table", f.kind, len(f.seen), len(want))
		}
		f.mu.Unlock()
	}
	now := map[string]json.RawMessage{}
	w.list(now)
	plain := func(m map[string]json.RawMessage) string {
		out := map[string]map[string]any{}
		for name, row := range m {
			var j map[string]any
			w.must(json.Unmarshal(row, &j))
			delete(j, "url") // has the port of the server at that time
			out[name] = j
		}
		text, err := json.Marshal(out)
		w.must(err)
		return string(text)
	}
	if got := plain(rows.rows); got != plain(now) {
		w.Errorf("the list that was followed:\n%s\nread anew:\n%s", got, plain(now))
	}
	w.Logf("%d events", len(want))
}
