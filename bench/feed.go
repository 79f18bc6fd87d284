package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Size of the measurement of the feed.
const (
	feedClients = 200
	feedTasks   = 3000
	feedJobs    = 20
)

// feed drains tasks with and without clients that follow all events over WebSockets.
func feed(b *bench) (*table, error) {
	t := &table{unit: "figure"}
	for range b.rounds {
		for _, clients := range []int{0, feedClients} {
			if err := b.feedRound(t, clients); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (b *bench) feedRound(t *table, clients int) error {
	s, err := b.newBase("max_concurrent_runners: 10")
	if err != nil {
		return err
	}
	for j := range feedJobs {
		if err := s.fill(fmt.Sprint("job-", j), feedTasks/feedJobs); err != nil {
			return err
		}
	}
	server, err := s.startServer()
	if err != nil {
		return err
	}
	defer server.end()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	first, err := server.events(ctx, "")
	if err != nil {
		return err
	}
	start := first[len(first)-1]
	all := make([]*feedClient, clients)
	var following sync.WaitGroup
	for i := range all {
		if all[i], err = server.follow(ctx, start); err != nil {
			return err
		}
		following.Go(func() { all[i].read(ctx) })
	}
	took, err := timed(func() error {
		if err := s.ae("start"); err != nil {
			return err
		}
		return s.waitAll(feedJobs)
	})
	if err == nil {
		err = s.stop()
	}
	if err != nil {
		return err
	}
	t.add(fmt.Sprintf("tasks per second, %d clients", clients), feedTasks/took.Seconds())
	if clients == 0 {
		return nil
	}
	return server.compare(ctx, t, start, all, end, &following)
}

// compare waits until all clients have seen all, and adds what they have met.
func (s *feedServer) compare(ctx context.Context, t *table, start string, all []*feedClient, end func(), following *sync.WaitGroup) error {
	want, err := s.events(ctx, start)
	if err != nil {
		return err
	}
	for late := time.Now().Add(time.Minute); slices.ContainsFunc(all, func(c *feedClient) bool { return c.behind(want[len(want)-1]) }); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			break
		}
	}
	resident, err := residentMiB(s.Process.Pid)
	if err != nil {
		return err
	}
	own, err := memoryMiB(s.Process.Pid, "RssAnon:")
	if err != nil {
		return err
	}
	used, err := cpuTime(s.Process.Pid)
	if err != nil {
		return err
	}
	end()
	following.Wait()
	var delays []float64
	gaps, resyncs := 0, 0
	for _, c := range all {
		delays = append(delays, c.delays...)
		resyncs += c.resyncs
		if c.resyncs == 0 && !slices.Equal(c.seen, want) {
			gaps++
		}
	}
	slices.Sort(delays)
	share := func(p float64) float64 { return delays[int(p*float64(len(delays)-1))] }
	t.add("commit to client, p50, ms", share(0.5))
	t.add("commit to client, p99, ms", share(0.99))
	t.add("clients that missed something and were not told", float64(gaps))
	t.add("told to begin anew", float64(resyncs))
	t.add("processor of serve, s", used.Seconds())
	t.add("resident memory of serve, MiB", resident)
	t.add("own memory of serve, MiB", own)
	t.remark("commit to client, p50, ms", "%d events to each of %d clients", len(want), len(all))
	return nil
}

// feedServer is a server that is asked over its unix socket.
type feedServer struct {
	*exec.Cmd
	client *http.Client
}

func (s *base) startServer() (*feedServer, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.path, "api.sock"))
	}
	out := &feedServer{
		exec.Command(s.exe, "--base-path", s.path, "serve", "--listen", "127.0.0.1:0"),
		&http.Client{Transport: &http.Transport{DialContext: dial}},
	}
	if err := out.Start(); err != nil {
		return nil, err
	}
	const patience = 10 * time.Second
	for late := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := out.get(context.Background(), "/healthz"); err == nil {
			return out, nil
		} else if time.Now().After(late) {
			out.end()
			return nil, err
		}
	}
}

func (s *feedServer) end() {
	s.client.CloseIdleConnections()
	_ = s.Process.Kill()
	_ = s.Wait()
}

func (s *feedServer) get(ctx context.Context, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, answer.Status)
	}
	return text, err
}

// events returns the cursors of all events behind one.
func (s *feedServer) events(ctx context.Context, after string) (cursors []string, err error) {
	for {
		path := "/api/v1/events?limit=1000"
		if after != "" {
			path += "&after=" + url.QueryEscape(after)
		}
		text, err := s.get(ctx, path)
		if err != nil {
			return nil, err
		}
		var page struct {
			Cursor string
			Events []struct{ Cursor string }
			More   bool
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			cursors = append(cursors, e.Cursor)
		}
		if after = page.Cursor; !page.More {
			return cursors, nil
		}
	}
}

// feedClient is a client of the WebSocket.
type feedClient struct {
	conn    *websocket.Conn
	mu      sync.Mutex
	seen    []string  // cursors
	delays  []float64 // from each commit, in ms
	resyncs int
}

func (s *feedServer) follow(ctx context.Context, after string) (*feedClient, error) {
	conn, _, err := websocket.Dial(ctx, "ws://localhost/api/v1/events?after="+url.QueryEscape(after), &websocket.DialOptions{HTTPClient: s.client})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(-1)
	return &feedClient{conn: conn}, nil
}

// read reads until ctx ends. It only looks for what it needs: the clients are not what is
// measured.
func (c *feedClient) read(ctx context.Context) {
	defer func() { _ = c.conn.CloseNow() }()
	for {
		_, text, err := c.conn.Read(ctx)
		if err != nil {
			return
		}
		now := time.Now()
		c.mu.Lock()
		if bytes.HasPrefix(text, []byte(`{"resync"`)) {
			c.resyncs++
		}
		_, rest, _ := bytes.Cut(text, []byte(`"events":[`))
		for {
			_, after, found := bytes.Cut(rest, []byte(`{"cursor":"`))
			if !found {
				break
			}
			cursor, after, _ := bytes.Cut(after, []byte(`","at":"`))
			at, after, _ := bytes.Cut(after, []byte(`"`))
			rest = after
			if t, err := time.Parse(time.RFC3339, string(at)); err == nil {
				c.seen = append(c.seen, string(cursor))
				c.delays = append(c.delays, float64(now.Sub(t).Microseconds())/1000)
			}
		}
		c.mu.Unlock()
	}
}

// behind reports whether the client has not seen the event with a cursor yet.
func (c *feedClient) behind(cursor string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen) == 0 || c.seen[len(c.seen)-1] != cursor
}
