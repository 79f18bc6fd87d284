package api

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// hosts refuses requests for another host before anything else is looked at: a page of
// another site whose name was made to lead here (DNS rebinding) sends its own name.
func (a *API) hosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.serves(r.Host) {
			a.refuse(w, r, otherHost.errorf("this server is not %q", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serves reports whether a header Host, port included, names this server.
func (a *API) serves(host string) bool {
	return slices.ContainsFunc(a.names(), func(name string) bool { return strings.EqualFold(name, host) })
}

// names are the hosts that this server is asked for.
func (a *API) names() (names []string) {
	own, port, err := net.SplitHostPort(a.address)
	if err != nil {
		return nil
	}
	with := func(host string) {
		names = append(names, net.JoinHostPort(host, port))
		if port == "80" || port == "443" {
			names = append(names, host)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1", own} {
		with(host)
	}
	for _, h := range a.options.AllowedHosts {
		names = append(names, h)
		if _, _, err := net.SplitHostPort(h); err != nil {
			with(strings.Trim(h, "[]"))
		}
	}
	return names
}

// Loopback reports whether only this machine reaches an address to listen on.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
