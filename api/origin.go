package api

import (
	"net/http"
	"strings"
)

// origins refuses changes that a page of another site makes a browser send, and sockets
// that it opens: a browser lets it read what comes from them.
func (a *API) origins(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r
		if upgrades(r) {
			asked = &http.Request{Method: http.MethodPost, Host: r.Host, URL: r.URL, Header: r.Header}
		}
		if err := guard.Check(asked); err != nil {
			a.refuse(w, r, crossOrigin.of(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// upgrades reports whether a request asks for a WebSocket.
func upgrades(r *http.Request) bool {
	return strings.EqualFold(strings.TrimSpace(r.Header.Get("Upgrade")), "websocket")
}
