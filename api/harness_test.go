package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
)

// served is a server of a test, on a TCP port and a unix socket.
type served struct {
	t      *testing.T
	base   string
	queue  *queue.Queue
	server *Server
	stop   func() error
	unix   *http.Client
	logged *bytes.Buffer
}

// serve starts a server for a new base path, with what the options say beside that.
func serve(t *testing.T, o Options) *served {
	t.Helper()
	s := &served{t: t, base: shortFolder(t), logged: &bytes.Buffer{}}
	s.open(o)
	return s
}

// shortFolder is a folder whose sockets have short paths.
func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ae")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, ".air-executor")
}

func (s *served) open(o Options) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.queue = s.openQueue()
	var err error
	o.Queue, o.Version = s.queue, "test"
	o.Log = slog.New(slog.NewTextHandler(&locked{w: s.logged}, nil))
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Socket = filepath.Join(s.base, SocketName)
	if s.server, err = New(ctx, o); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.server.Run(ctx) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		s.server.Close()
		s.queue.Close()
		return err
	})
	s.t.Cleanup(func() { _ = s.stop() })
	s.unix = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", o.Socket)
	}}}
	s.t.Cleanup(s.unix.CloseIdleConnections)
}

// openQueue opens the queue of the base path.
func (s *served) openQueue() *queue.Queue {
	s.t.Helper()
	conf, err := config.Load(config.Overrides{WorkDir: filepath.Dir(s.base), BasePath: config.Override{Value: s.base, Source: config.FromFlag}})
	if err != nil {
		s.t.Fatal(err)
	}
	q, err := queue.Open(context.Background(), conf, false)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { q.Close() })
	return q
}

// locked is a writer for several goroutines.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// token returns the token of a role.
func (s *served) token(r role) string {
	s.t.Helper()
	text, err := s.server.api.tokens.text(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// got is an answer that fits to the document.
type got struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// with changes a request.
type with func(*http.Request)

func header(name, value string) with { return func(r *http.Request) { r.Header.Set(name, value) } }

func host(h string) with { return func(r *http.Request) { r.Host = h } }

// body is a body of JSON.
func body(text string) with {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		r.Header.Set("Content-Type", "application/json")
	}
}

func (s *served) bearer(r role) with { return header("Authorization", "Bearer "+s.token(r)) }

// request sends a request over TCP, without a token.
func (s *served) request(method, path string, changes ...with) *got {
	s.t.Helper()
	return s.send(http.DefaultClient, "http://"+s.server.api.address, method, path, changes)
}

// full sends a request with the token that may do everything.
func (s *served) full(method, path string, changes ...with) *got {
	s.t.Helper()
	return s.request(method, path, append([]with{s.bearer(owner)}, changes...)...)
}

// get reads with the read token, and wants 200.
func (s *served) get(path string) *got {
	s.t.Helper()
	return s.request("GET", path, s.bearer(reader)).want(200)
}

func (s *served) send(c *http.Client, origin, method, path string, changes []with) *got {
	s.t.Helper()
	r, err := http.NewRequest(method, origin+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, change := range changes {
		change(r)
	}
	answer, err := c.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	g := &got{s.t, answer.StatusCode, answer.Header, text}
	g.fits(method, r.URL.EscapedPath())
	return g
}

// want checks the status.
func (g *got) want(status int) *got {
	g.t.Helper()
	if g.status != status {
		g.t.Fatalf("status %d, want %d: %s", g.status, status, g.body)
	}
	return g
}

// problem checks that the answer is a problem of this kind.
func (g *got) problem(k kindOfProblem) *got {
	g.t.Helper()
	g.want(k.status)
	if p := read[Problem](g); p.Type != "/problems/"+k.name || p.Status != k.status || p.Title != k.title || p.Detail == "" {
		g.t.Fatalf("problem %+v, want %s", p, k.name)
	}
	return g
}

// read reads an answer.
func read[T any](g *got) (v T) {
	g.t.Helper()
	if err := json.Unmarshal(g.body, &v); err != nil {
		g.t.Fatalf("%v: %s", err, g.body)
	}
	return v
}

// fits checks an answer with the document: its status, its type, and the body, in which
// no key may be that the document does not have.
func (g *got) fits(method, path string) {
	g.t.Helper()
	kind, _, _ := mime.ParseMediaType(g.header.Get("Content-Type"))
	if method == "HEAD" {
		return
	}
	if g.status >= 400 && kind == "application/problem+json" {
		g.valid("#/components/schemas/Problem")
		return
	}
	item, template := documented(path)
	if item == nil {
		return // a page
	}
	op, _ := item[strings.ToLower(method)].(map[string]any)
	answers, _ := op["responses"].(map[string]any)
	code := jsonText(g.status)
	at := "#/paths/" + pointer(template) + "/" + strings.ToLower(method) + "/responses/" + code
	one, _ := answers[code].(map[string]any)
	if one == nil {
		g.t.Fatalf("%s %s: the document does not have the status %d: %s", method, template, g.status, g.body)
	}
	if ref, is := one["$ref"].(string); is {
		at = ref
		one = components("responses")[ref[strings.LastIndexByte(ref, '/')+1:]].(map[string]any)
	}
	content, _ := one["content"].(map[string]any)
	if len(content) == 0 {
		if len(g.body) > 0 {
			g.t.Fatalf("%s %s: a body, of which the document knows nothing: %s", method, template, g.body)
		}
		return
	}
	if content[kind] == nil {
		g.t.Fatalf("%s %s: the document does not have the type %s", method, template, kind)
	}
	if kind == "application/json" {
		g.valid(at + "/content/" + pointer(kind) + "/schema")
	}
}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func pointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
}

// strict is the document, in which no object has other keys than it names.
var strict = sync.OnceValue(func() map[string]any {
	var doc map[string]any
	if err := json.Unmarshal([]byte(documentJSON), &doc); err != nil {
		panic(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["type"] == "object" && v["properties"] != nil {
				v["additionalProperties"] = false
			}
			for inner := range maps.Values(v) {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(doc)
	return doc
})

func components(kind string) map[string]any {
	return strict()["components"].(map[string]any)[kind].(map[string]any)
}

// documented finds the path of the document that a path is one of.
func documented(path string) (item map[string]any, template string) {
	parts := strings.Split(path, "/")
	for t, item := range strict()["paths"].(map[string]any) {
		want := strings.Split(t, "/")
		same := len(want) == len(parts)
		for i := 0; same && i < len(want); i++ {
			same = want[i] == parts[i] || strings.HasPrefix(want[i], "{")
		}
		if same {
			return item.(map[string]any), t
		}
	}
	return nil, ""
}

// valid checks the body with a schema of the document.
func (g *got) valid(at string) {
	g.t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("mem:///api", strict()); err != nil {
		g.t.Fatal(err)
	}
	s, err := c.Compile("mem:///api" + at)
	if err != nil {
		g.t.Fatalf("%s: %v", at, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(g.body))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		g.t.Fatalf("%s: %v\n%s", at, err, g.body)
	}
}

// enqueue queues tasks.
func (s *served) enqueue(name string, tasks ...job.Spec) {
	s.t.Helper()
	_, err := s.queue.DB.Enqueue(context.Background(), db.Batch{Job: name, Tasks: func(yield func(job.Spec, error) bool) {
		for _, spec := range tasks {
			if !yield(spec, nil) {
				return
			}
		}
	}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// claim gives the next task of a job to a runner that does not exist.
func (s *served) claim(name string) *db.Assignment {
	s.t.Helper()
	a, err := s.queue.DB.Claim(context.Background(), db.Runner{}, 50, name)
	if err != nil || a == nil {
		s.t.Fatalf("nothing to claim: %v", err)
	}
	return a
}

// ran claims the next task of a job, lets it print something, and ends it.
func (s *served) ran(name, printed string, r job.Result) {
	s.t.Helper()
	a := s.claim(name)
	s.print(name, a.Task, printed)
	s.finish(a, r)
}

func (s *served) finish(a *db.Assignment, r job.Result) {
	s.t.Helper()
	if _, err := s.queue.DB.Finish(context.Background(), a, r, false); err != nil {
		s.t.Fatal(err)
	}
}

// print writes to the log of the newest attempt of a task.
func (s *served) print(name, id, text string) {
	s.t.Helper()
	path := runner.LogPath(s.base, name, id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	f.Close()
}

func command(ids ...string) (out []job.Spec) {
	for _, id := range ids {
		out = append(out, job.Spec{ID: id, Command: "true"})
	}
	return out
}
