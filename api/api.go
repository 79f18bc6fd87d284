// Package api is the HTTP API of a base path, and the server for it. It translates
// between HTTP and package queue: what can be done is there, and the SQL is in db.
//
// The document openapi.yaml is the source: Go types are generated from it (types.gen.go),
// the table of routes has its operations, and parameters are checked with it. There is
// one file for each resource. In between are, in the order in which a request passes
// them: headers.go, hosts.go, limits.go, origin.go, authenticate.go, routes.go, call.go.
package api

//go:generate go tool -modfile=../tools/go.mod oapi-codegen -config oapi-codegen.yaml openapi.yaml
//go:generate go test . -count=1 -run TestTheServedDocumentIsTheSource -update

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/air-executor/air-executor/queue"
)

// APIVersion is the version of the API.
const APIVersion = 1

// Options says how to serve.
type Options struct {
	Queue        *queue.Queue
	Log          *slog.Logger
	Version      string   // of the program
	Listen       string   // TCP address; empty: none
	Socket       string   // path of the unix socket; empty: none
	ReadOnly     bool     // changes are refused
	AllowedHosts []string // for the header Host, beside loopback and Listen
	BehindProxy  bool     // a proxy speaks TLS with the clients
	TLSCert      string   // file; empty: no TLS
	TLSKey       string   // file
	Clock        func() time.Time
}

// API answers requests.
type API struct {
	options   Options
	queue     *queue.Queue
	log       *slog.Logger
	tokens    *tokens
	sessions  *sessions
	serverID  string
	address   string // host:port that is listened on
	longLived chan struct{}
	meters    *meters
	started   time.Time
	feed      *queue.Feed // of events
	logs      *logWatch   // for those who follow logs over a socket
	sockets   sync.WaitGroup
	pace      pace
	lastHour  queue.LastHour
	searches  chan struct{} // one for each log that is searched
}

// newAPI reads what the API needs to know, and makes tokens if there are none.
func newAPI(ctx context.Context, o Options) (*API, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	t, err := openTokens(o.Queue.BasePath())
	if err != nil {
		return nil, err
	}
	id, err := o.Queue.DB.ServerID(ctx)
	if err != nil {
		return nil, err
	}
	return &API{
		options: o, queue: o.Queue, log: o.Log, tokens: t, sessions: newSessions(t, o.Clock), serverID: id,
		longLived: make(chan struct{}, maxLongLived), meters: newMeters(), started: time.Now(),
		feed: o.Queue.Feed(), logs: newLogWatch(o.Queue),
		pace:     pace{comment: commentEvery, ping: pingEvery, pong: pingEvery, write: writeLimit},
		searches: make(chan struct{}, atOnce),
	}, nil
}

// handler passes a request through everything that guards the endpoints. Trusted is the
// unix socket.
func (a *API) handler(trusted bool) http.Handler {
	h := a.authenticate(trusted, a.mux())
	h = a.origins(h)
	h = a.limits(h)
	if !trusted {
		h = a.hosts(h)
	}
	return a.measured(a.recovered(headers(h)))
}

// recovered keeps the fault of one request from others.
func (a *API) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				a.log.Error("request failed", "method", r.Method, "path", r.URL.EscapedPath(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				a.refuse(w, r, internal.errorf("%v", p))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// scheme is how clients reach the server.
func (a *API) scheme() string {
	if a.options.TLSCert != "" || a.options.BehindProxy {
		return "https"
	}
	return "http"
}

// origin is the beginning of the addresses of the server, as the caller reaches it.
func (a *API) origin(r *http.Request) string {
	host := a.address
	if a.serves(r.Host) {
		host = r.Host
	}
	if host == "" {
		return ""
	}
	return a.scheme() + "://" + host
}
