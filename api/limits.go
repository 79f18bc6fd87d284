package api

import (
	"mime"
	"net/http"
	"strings"
	"time"
)

// The limits of what a client may take of the server.
const (
	maxHeader    = 32 << 10 // bytes of the header
	headerLimit  = 5 * time.Second
	idleLimit    = 2 * time.Minute
	maxBody      = 1 << 20
	maxLines     = 64 << 20 // of a body with a task a line
	linesLimit   = 10 * time.Minute
	maxLongLived = 256 // requests that wait for something
)

// limits bounds bodies. One that is compressed is refused: it could become huge.
func (a *API) limits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := r.Header.Get("Content-Encoding"); c != "" && c != "identity" {
			a.refuse(w, r, wrongType.errorf("the body is compressed (%q); send it as it is", c))
			return
		}
		most, within := int64(maxBody), readLimit
		if isLines(r) {
			most, within = maxLines, linesLimit
		}
		if r.ContentLength > most {
			a.refuse(w, r, &http.MaxBytesError{Limit: most})
			return
		}
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(within))
			r.Body = http.MaxBytesReader(w, r.Body, most)
		}
		next.ServeHTTP(w, r)
	})
}

// wait takes one of the places for requests that last, and returns a function that
// gives it back. The request may then take as long as it likes.
func (c *call) wait() (done func(), err error) {
	select {
	case c.api.longLived <- struct{}{}:
	default:
		return nil, retry(tooOften.errorf("%d clients wait already", maxLongLived), 10*time.Second)
	}
	rc := http.NewResponseController(c.w)
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Time{})
	return func() { <-c.api.longLived }, nil
}

// isLines reports whether the body has a task a line.
func isLines(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-ndjson" && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/tasks")
}
