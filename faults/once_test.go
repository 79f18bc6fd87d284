//go:build failpoints

package faults

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// poster sends a request again until it is answered, as a client does that gets no
// answer.
type poster struct {
	w      *world
	client *http.Client
}

func (w *world) poster() *poster {
	socket := filepath.Join(w.base, "api.sock")
	return &poster{w, &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// post returns the answer, and whether there was one.
func (p *poster) post(path, key, body string) (answer string, answered bool) {
	r, err := http.NewRequest("POST", "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		p.w.Error(err)
		return "", true
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	got, err := p.client.Do(r)
	if err != nil {
		return "", false
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode == http.StatusServiceUnavailable {
		return "", false
	}
	if got.StatusCode != http.StatusCreated {
		p.w.Errorf("status %d: %s", got.StatusCode, text)
	}
	return string(text), true
}

// serveAPI starts the server, and returns how it is killed.
func (w *world) serveAPI() (kill func()) {
	c := w.command(nil, "serve", "--listen", "127.0.0.1:0")
	w.must(c.Start())
	return func() {
		_ = c.Process.Signal(syscall.SIGKILL)
		if err := c.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			w.Error(err)
		}
	}
}

func TestFiftyClientsWithOneKeyAddOneJobAlthoughTheServerIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.poster()
	const clients = 50
	for round, key := range []string{"first", "second", "third"} {
		body := `{"name": "j", "if_exists": "number", "tasks": [{"id": "a", "command": "true"}, {"id": "b", "command": "true", "dependencies": ["a"]}]}`
		answers := make([]string, clients)
		var left atomic.Int64
		left.Store(clients)
		var all sync.WaitGroup
		for i := range clients {
			all.Go(func() {
				defer left.Add(-1)
				w.until("an answer", func() (answered bool) {
					answers[i], answered = p.post("/api/v1/jobs", key, body)
					return answered
				})
			})
		}
		for left.Load() > 0 { // killed at random, and started again
			kill := w.serveAPI()
			end := time.Now().Add(time.Duration(20+rand.IntN(400)) * time.Millisecond)
			w.until("the server is to be killed", func() bool { return time.Now().After(end) || left.Load() == 0 })
			kill()
		}
		all.Wait()
		for _, a := range answers {
			if a != answers[0] || a == "" {
				t.Fatalf("round %d: answers differ:\n%s\n%s", round, answers[0], a)
			}
		}
		var list struct{ Jobs []struct{ Job string } }
		w.must(json.Unmarshal([]byte(w.run(0, "status", "--json").out), &list))
		if len(list.Jobs) != round+1 {
			t.Fatalf("%d jobs after %d keys", len(list.Jobs), round+1)
		}
	}
}
