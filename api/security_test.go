package api

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/internal/testkit"
)

// changing are the routes that change something, with paths of things that exist.
func changing() (out []route) {
	for _, r := range routes() {
		if r.access == changes {
			r.path = strings.NewReplacer("{job}", "j", "{key}", "1", "{n}", "1").Replace(r.path)
			out = append(out, r)
		}
	}
	return out
}

func TestWithoutATokenNothingIsSaidOrDone(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b")...)
	for _, r := range routes() {
		if r.access == anyone {
			continue
		}
		path := strings.NewReplacer("{job}", "j", "{key}", "1", "{n}", "1").Replace(r.path)
		for _, w := range []with{
			func(*http.Request) {},
			header("Cookie", s.server.api.cookieName()+"=full.99999999999.x.y"),
			header("Cookie", s.server.api.cookieName()+"=full"),
		} {
			g := s.request(r.method, path, w).problem(unauthorized)
			if g.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s: no WWW-Authenticate", r.method, path)
			}
		}
	}
	s.request("GET", "/healthz").want(200)
	s.request("GET", "/").want(200)
}

func TestAWrongTokenIsRefused(t *testing.T) {
	clock := time.Now()
	s := serve(t, Options{Clock: func() time.Time { return clock }})
	for range maxFailures {
		s.request("GET", "/api/v1/jobs", header("Authorization", "Bearer wrong")).problem(unauthorized)
	}
	g := s.request("GET", "/api/v1/jobs", header("Authorization", "Bearer wrong")).problem(tooOften)
	if g.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.full("GET", "/api/v1/jobs").want(200) // the right one is right all the same
	clock = clock.Add(2 * time.Minute)
	s.request("GET", "/api/v1/jobs", header("Authorization", "Bearer wrong")).problem(unauthorized)
	s.request("GET", "/api/v1/jobs", header("Authorization", "Basic "+s.token(owner))).problem(unauthorized)
	s.request("GET", "/api/v1/jobs?token="+s.token(owner)).problem(unauthorized)
}

func TestTheReadTokenChangesNothing(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b")...)
	for _, r := range changing() {
		s.request(r.method, r.path, s.bearer(reader)).problem(forbidden)
	}
	s.request("POST", "/api/v1/session/code", s.bearer(reader)).problem(forbidden)
	if v := read[Version](s.get("/api/v1/version")); v.Role != Read {
		t.Errorf("%+v", v)
	}
}

func TestAReadOnlyServerChangesNothing(t *testing.T) {
	s := serve(t, Options{ReadOnly: true})
	s.enqueue("j", command("a", "b")...)
	for _, r := range changing() {
		s.full(r.method, r.path).problem(readOnly)
		s.send(s.unix, "http://localhost", r.method, r.path, nil).problem(readOnly)
	}
	s.full("POST", "/api/v1/session/code").want(201)
	if j := read[JobAt](s.get("/api/v1/jobs/j")); j.Counts.Pending != 2 {
		t.Errorf("%+v", j)
	}
}

// A page of another site, whose name was made to lead to this machine, sends its name.
func TestAnotherHostIsRefusedBeforeAnythingElse(t *testing.T) {
	s := serve(t, Options{AllowedHosts: []string{"jobs.example.org", "other.example.org:81"}})
	_, port, _ := net.SplitHostPort(s.server.api.address)
	for _, h := range []string{"evil.example.org", "evil.example.org:" + port, "127.0.0.1", "127.0.0.1:1", "localhost", "127.0.0.1.evil.org:" + port, "other.example.org", "@localhost:" + port} {
		for _, path := range []string{"/", "/healthz", "/api/v1/jobs", "/api/v1/session", "/problems/not-found", "/none"} {
			s.full("GET", path, host(h)).problem(otherHost)
		}
		s.full("POST", "/api/v1/jobs/j/cancel", host(h)).problem(otherHost)
	}
	for _, h := range []string{"localhost:" + port, "LOCALHOST:" + port, "[::1]:" + port, "jobs.example.org", "jobs.example.org:" + port, "other.example.org:81"} {
		s.full("GET", "/api/v1/jobs", host(h)).want(200)
	}
}

func TestOtherSitesCannotSendChanges(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b")...)
	for _, w := range []with{
		header("Origin", "https://evil.example.org"), header("Origin", "null"), header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Site", "same-site"),
	} {
		for _, r := range changing() {
			s.full(r.method, r.path, w).problem(crossOrigin)
		}
		s.full("POST", "/api/v1/session", body(`{"code":"x"}`), w).problem(crossOrigin)
	}
	s.full("POST", "/api/v1/jobs/j/cancel", header("Content-Type", "application/x-www-form-urlencoded"), header("Sec-Fetch-Site", "cross-site")).problem(crossOrigin)
	s.full("POST", "/api/v1/jobs/j/cancel", header("Origin", s.server.Address()), header("Sec-Fetch-Site", "same-origin")).want(200)
	for _, path := range []string{"/", "/api/v1/jobs"} {
		g := s.full("GET", path, header("Origin", "https://evil.example.org"))
		for name := range g.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s", path, name)
			}
		}
	}
	s.full("OPTIONS", "/api/v1/jobs", header("Origin", "https://evil.example.org"), header("Access-Control-Request-Method", "POST")).problem(wrongMethod)
}

func TestABrowserIsLoggedInOnce(t *testing.T) {
	clock := time.Now()
	s := serve(t, Options{Clock: func() time.Time { return clock }})
	code := read[Code](s.full("POST", "/api/v1/session/code").want(201))
	if *code.URL != s.server.Address()+"/#login="+code.Code {
		t.Errorf("%+v", code)
	}
	logIn := func(text string) *got { return s.request("POST", "/api/v1/session", body(text)) }
	g := logIn(`{"code":"` + code.Code + `"}`).want(204)
	logIn(`{"code":"` + code.Code + `"}`).problem(unauthorized)
	set := g.header.Get("Set-Cookie")
	for _, part := range []string{s.server.api.cookieName() + "=", "; HttpOnly", "; SameSite=Strict", "; Path=/"} {
		if !strings.Contains(set, part) {
			t.Errorf("%s is not in %s", part, set)
		}
	}
	cookie := header("Cookie", strings.Split(set, ";")[0])
	if v := read[Version](s.request("GET", "/api/v1/version", cookie).want(200)); v.Role != Full {
		t.Errorf("%+v", v)
	}
	s.request("GET", "/api/v1/version", header("Cookie", strings.Replace(strings.Split(set, ";")[0], "=full.", "=read.", 1))).problem(unauthorized)

	late := read[Code](s.full("POST", "/api/v1/session/code").want(201))
	clock = clock.Add(codeLife + time.Second)
	logIn(`{"code":"` + late.Code + `"}`).problem(unauthorized)
	clock = clock.Add(sessionLife)
	s.request("GET", "/api/v1/version", cookie).problem(unauthorized)

	g = logIn(`{"token":"` + s.token(reader) + `"}`).want(204)
	cookie = header("Cookie", strings.Split(g.header.Get("Set-Cookie"), ";")[0])
	if v := read[Version](s.request("GET", "/api/v1/version", cookie).want(200)); v.Role != Read {
		t.Errorf("%+v", v)
	}
	// A new token ends the sessions.
	for _, name := range []string{TokenName, ReadTokenName} {
		if err := os.Remove(filepath.Join(s.base, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.request("GET", "/api/v1/version", cookie).problem(unauthorized)
	s.get("/api/v1/version") // with the new one

	for _, wrong := range []string{`{}`, `{"code":"x","token":"y"}`, `{"password":"x"}`, `{"code":1}`} {
		logIn(wrong).problem(invalid)
	}
	for _, wrong := range []string{``, `{`, `{"code":"x"} {}`} {
		logIn(wrong).problem(badBody)
	}
	s.request("POST", "/api/v1/session", body(`{}`), header("Content-Type", "text/plain")).problem(wrongType)
	if g := s.request("DELETE", "/api/v1/session", cookie).want(204); !strings.Contains(g.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("%v", g.header)
	}
}

func TestCookiesAreForTLSWhereThereIsSome(t *testing.T) {
	s := serve(t, Options{BehindProxy: true, AllowedHosts: []string{"jobs.example.org"}})
	g := s.request("POST", "/api/v1/session", host("jobs.example.org"), body(`{"token":"`+s.token(owner)+`"}`)).want(204)
	if !strings.Contains(g.header.Get("Set-Cookie"), "; Secure") {
		t.Errorf("%v", g.header)
	}
}

func TestTokensAreOnlyForTheirOwner(t *testing.T) {
	s := serve(t, Options{})
	for _, name := range []string{TokenName, ReadTokenName, SocketName} {
		info, err := os.Lstat(filepath.Join(s.base, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if s.token(owner) == s.token(reader) || len(s.token(owner)) < 43 {
		t.Error("a token has 256 random bits")
	}
	path := filepath.Join(s.base, TokenName)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := openTokens(s.base); err == nil || !strings.Contains(err.Error(), "can be read by others: chmod 600") {
		t.Error(err)
	}
}

// The socket is that of the owner of the base path; who can open it needs no token.
func TestTheUnixSocketNeedsNoToken(t *testing.T) {
	s := serve(t, Options{})
	g := s.send(s.unix, "http://whatever", "GET", "/api/v1/version", nil).want(200)
	if v := read[Version](g); v.Role != Full {
		t.Errorf("%+v", v)
	}
}

func TestEveryAnswerTellsBrowsersWhatItMayDo(t *testing.T) {
	s := serve(t, Options{})
	for _, path := range []string{"/", "/api/v1/jobs", "/none", "/problems/not-found", "/healthz"} {
		g := s.full("GET", path)
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if got := g.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestPathsAreTakenAsTheyAre(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b")...)
	for _, path := range []string{
		"/api/v1/jobs/x/../j", "/api/v1//jobs", "/api/v1/jobs/", "/api/v1/jobs/j/tasks/../cancel", "/api/v2/jobs", "/../../etc/passwd", "/none", "/problems/none", "/index.html",
	} {
		for _, method := range []string{"GET", "POST"} {
			if g := s.full(method, path); g.status != 404 && g.status != 405 {
				t.Errorf("%s %s: %d", method, path, g.status)
			}
		}
	}
	for _, path := range []string{"/api/v1/jobs/%2e%2e", "/api/v1/jobs/j%2fcancel", "/api/v1/jobs/%2e%2e%2f%2e%2e", "/api/v1/jobs/j%00", "/api/v1/jobs/%ff"} {
		s.full("GET", path).problem(noSuchJob)
	}
	if j := read[JobAt](s.get("/api/v1/jobs/j")); j.Counts.Pending != 2 {
		t.Errorf("%+v", j)
	}
	if g := s.full("PUT", "/api/v1/jobs/j").problem(wrongMethod); g.header.Get("Allow") != "DELETE, GET, HEAD, PATCH" {
		t.Errorf("Allow: %s", g.header.Get("Allow"))
	}
	s.full("GET", "/api/v1/jobs", header("Accept", "text/html")).problem(notAcceptable)
	s.full("GET", "/api/v1/jobs", header("Accept", "text/html, */*;q=0.1")).want(200)
	s.full("HEAD", "/api/v1/jobs").want(200)
}

func TestBodiesAreBounded(t *testing.T) {
	s := serve(t, Options{})
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, `{"code":"x"}`)
	z.Close()
	s.request("POST", "/api/v1/session", body(packed.String()), header("Content-Encoding", "gzip")).problem(wrongType)
	large := `{"code":"` + strings.Repeat("x", maxBody) + `"}`
	s.request("POST", "/api/v1/session", body(large)).problem(tooLarge)
	s.request("POST", "/api/v1/session", body(large), func(r *http.Request) { r.ContentLength = -1 }).problem(tooLarge)
}

// raw sends bytes, and returns the first line that comes back.
func (s *served) raw(text string) string {
	s.t.Helper()
	c, err := net.Dial("tcp", s.server.api.address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	go func() { _, _ = io.WriteString(c, text) }()
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line)
}

func TestHeadersAreBounded(t *testing.T) {
	s := serve(t, Options{})
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, "X-%d: y\r\n", i)
	}
	if got := s.raw("GET /healthz HTTP/1.1\r\nHost: " + s.server.api.address + "\r\n" + many.String() + "\r\n"); !strings.Contains(got, " 431 ") {
		t.Error(got)
	}
	if got := s.raw("GET /healthz HTTP/1.1\r\n\r\n"); !strings.Contains(got, " 400 ") {
		t.Error("without Host:", got)
	}
	// Sockets that say nothing keep nobody else out.
	for range 300 {
		c, err := net.Dial("tcp", s.server.api.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	s.request("GET", "/healthz").want(200)
}

func TestOnlySoManyWait(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	a := s.claim("j")
	for range maxLongLived {
		s.server.api.longLived <- struct{}{}
	}
	at := "/api/v1/tasks/1/attempts/1/log?format=json&wait=60"
	if g := s.full("GET", at).problem(tooOften); g.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.full("GET", "/api/v1/jobs").want(200)
	<-s.server.api.longLived
	s.finish(a, failed)
	s.full("GET", at).want(200)
}

// Who waits is told when the server stops, and the server does not wait for them.
func TestTheServerStopsUnderThoseWhoWait(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	s.claim("j")
	got := make(chan *got)
	go func() { got <- s.full("GET", "/api/v1/tasks/1/attempts/1/log?format=json&wait=60") }()
	testkit.Eventually(t, "somebody waits", func() bool { return len(s.server.api.longLived) > 0 })
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	(<-got).problem(unavailable)
	if _, err := os.Lstat(filepath.Join(s.base, SocketName)); err == nil {
		t.Error("the socket is still there")
	}
}

func TestOneServerForABasePath(t *testing.T) {
	s := serve(t, Options{})
	_, err := New(context.Background(), Options{Queue: s.queue, Log: slog.New(slog.DiscardHandler), Listen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%v (PID %d)", ErrServing, os.Getpid())) {
		t.Error(err)
	}
	if pid, at, err := Serving(s.base); pid != os.Getpid() || at != s.server.Address() || err != nil {
		t.Error(pid, at, err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if pid, _, err := Serving(s.base); pid != 0 || err != nil {
		t.Error(pid, err)
	}
}

func TestABasePathThatIsRemovedEndsTheServer(t *testing.T) {
	s := serve(t, Options{})
	if err := os.Rename(s.base, s.base+".moved"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the server ends", func() bool { return !s.lives() })
	if err := s.stop(); err == nil || !strings.Contains(err.Error(), "has been removed") {
		t.Error(err)
	}
}

func (s *served) lives() bool {
	c, err := net.Dial("tcp", s.server.api.address)
	if err == nil {
		c.Close()
	}
	return err == nil
}

func TestOpenAddressesNeedTLS(t *testing.T) {
	for _, at := range []string{"0.0.0.0:7711", "[::]:7711", "192.0.2.1:7711", ":7711"} {
		if _, err := New(context.Background(), Options{Listen: at}); err == nil || !strings.Contains(err.Error(), "is not a loopback address") {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestATakenPortIsNamed(t *testing.T) {
	s, other := serve(t, Options{}), serve(t, Options{})
	if err := other.stop(); err != nil {
		t.Fatal(err)
	}
	q := other.openQueue()
	_, err := New(context.Background(), Options{Queue: q, Log: slog.New(slog.DiscardHandler), Listen: s.server.api.address})
	if err == nil || !strings.HasPrefix(err.Error(), "listen on "+s.server.api.address+": ") || !strings.HasSuffix(err.Error(), "address already in use") {
		t.Error(err)
	}
	if pid, _, err := Serving(other.base); pid != 0 || err != nil {
		t.Error("the base path is still taken:", pid, err)
	}
}
