package api

import (
	"cmp"
	"context"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// meters count what the server does.
type meters struct {
	mu       sync.Mutex
	requests map[requestKey]*requestSums
	clients  map[string]int // that follow the events, by kind
	resyncs  int64
}

// requestKey is what requests are counted by. There are as many as there are routes,
// methods and codes, whatever clients ask for.
type requestKey struct {
	route, method string
	code          int
}

type requestSums struct {
	count   int64
	seconds float64
	timed   [requestBuckets + 1]int64 // those that are no streams, by how long they took
}

// How long requests take is told in buckets from 1 ms on, each four times the one before.
const requestBuckets = 9

func requestBound(i int) float64 {
	if i == requestBuckets {
		return math.Inf(1)
	}
	return math.Pow(4, float64(i)) / 1000
}

// Kinds of clients that follow the events.
const (
	pollClient   = "poll"
	streamClient = "stream"
	socketClient = "websocket"
)

func newMeters() *meters {
	return &meters{
		requests: map[requestKey]*requestSums{},
		clients:  map[string]int{pollClient: 0, streamClient: 0, socketClient: 0},
	}
}

// eventClient counts a client that follows the events, until done is called.
func (m *meters) eventClient(kind string) (done func()) {
	add := func(n int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.clients[kind] += n
	}
	add(1)
	return func() { add(-1) }
}

// eventResync counts a client that was told to begin anew.
func (m *meters) eventResync() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resyncs++
}

// observed is what is noted of a request on its way.
type observed struct {
	http.ResponseWriter
	status int
	route  string
}

// Unwrap is for http.ResponseController.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// WriteHeader notes the status.
func (o *observed) WriteHeader(status int) {
	if o.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write notes that the status is 200 if nothing else was said.
func (o *observed) Write(b []byte) (int, error) {
	o.status = cmp.Or(o.status, http.StatusOK)
	return o.ResponseWriter.Write(b)
}

// ReadFrom lets the system copy a file into the connection.
func (o *observed) ReadFrom(r io.Reader) (int64, error) {
	o.status = cmp.Or(o.status, http.StatusOK)
	return io.Copy(o.ResponseWriter, r)
}

type observedKey struct{}

// routed notes the route of a request.
func routed(r *http.Request, path string) {
	if o, ok := r.Context().Value(observedKey{}).(*observed); ok {
		o.route = path
	}
}

// measured counts requests, also those that are refused on their way.
func (a *API) measured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		o := &observed{ResponseWriter: w, route: "other"}
		defer func() { a.meters.request(o, r.Method, time.Since(began)) }()
		next.ServeHTTP(o, r.WithContext(context.WithValue(r.Context(), observedKey{}, o)))
	})
}

// request counts a request that has ended.
func (m *meters) request(o *observed, method string, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	key := requestKey{o.route, method, cmp.Or(o.status, http.StatusOK)}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.requests[key]
	if s == nil {
		s = &requestSums{}
		m.requests[key] = s
	}
	s.count++
	if key.code == http.StatusSwitchingProtocols || strings.HasPrefix(o.Header().Get("Content-Type"), "text/event-stream") {
		return // it lasts as long as the client likes
	}
	i := 0
	for i < requestBuckets && took.Seconds() > requestBound(i) {
		i++
	}
	s.timed[i]++
	s.seconds += took.Seconds()
}

// write writes what was counted.
func (m *meters) write(e *exposition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(m.requests), func(a, b requestKey) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.method, b.method), cmp.Compare(a.code, b.code))
	})
	labels := func(k requestKey) []label {
		return []label{{"route", k.route}, {"method", k.method}, {"code", strconv.Itoa(k.code)}}
	}
	e.family("air_executor_http_requests_total", "counter", "Requests that were answered.")
	for _, k := range keys {
		e.sample(float64(m.requests[k].count), labels(k)...)
	}
	e.family("air_executor_http_request_duration_seconds", "histogram", "How long they took, but for streams of events.")
	for _, k := range keys {
		s := m.requests[k]
		var buckets []bucket
		var n int64
		for i, timed := range s.timed {
			n += timed
			buckets = append(buckets, bucket{requestBound(i), n})
		}
		e.histogram(buckets, s.seconds, labels(k)...)
	}
	e.family("air_executor_event_clients", "gauge", "Clients that follow the events now.")
	for _, kind := range slices.Sorted(maps.Keys(m.clients)) {
		e.sample(float64(m.clients[kind]), label{"kind", kind})
	}
	e.one("air_executor_event_resyncs_total", "counter", "Clients that fell behind and were told to begin anew.", float64(m.resyncs))
}
