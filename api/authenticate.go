package api

import (
	"context"
	"net/http"
	"strings"
)

// roleKey is the key of the role in the context of a request, and trustedKey that of
// whether it came over the unix socket.
type (
	roleKey    struct{}
	trustedKey struct{}
)

// authenticate finds out what the caller may do, by token or session. The unix socket
// needs neither: nobody but the owner of the base path can open it. A wrong token is an
// error even where none is needed.
func (a *API) authenticate(trusted bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		is := owner
		if !trusted {
			var err error
			if is, err = a.identify(r); err != nil {
				a.refuse(w, r, err)
				return
			}
		}
		ctx := context.WithValue(context.WithValue(r.Context(), trustedKey{}, trusted), roleKey{}, is)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// identify returns the role of the caller. A right token always is right: an address
// from which wrong ones come may be that of others, too.
func (a *API) identify(r *http.Request) (role, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		kind, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(kind, "bearer") {
			return nobody, unauthorized.errorf("Authorization is not Bearer TOKEN")
		}
		is, err := a.tokens.role(strings.TrimSpace(token))
		if err == nil && is == nobody {
			err = a.wrong(r, "the token is wrong")
		}
		return is, err
	}
	if c, err := r.Cookie(a.cookieName()); err == nil {
		return a.sessions.role(c.Value)
	}
	return nobody, nil
}

// wrong is the error about a wrong login.
func (a *API) wrong(r *http.Request, what string) error {
	if err := a.sessions.failed(r); err != nil {
		return err
	}
	return unauthorized.errorf("%s", what)
}

// permit returns an error if the caller may not do what the route does.
func (c *call) permit() error {
	c.role, _ = c.Context().Value(roleKey{}).(role)
	switch {
	case c.route.access == anyone:
		return nil
	case c.role == nobody:
		return unauthorized.errorf("this needs a token")
	case c.route.access == reads:
		return nil
	case c.role != owner:
		return forbidden.errorf("the token may only read")
	case c.route.access == changes && c.api.options.ReadOnly:
		return readOnly.errorf("the server changes nothing: it was started with --read-only")
	}
	return nil
}

// stillPermitted reports whether a request that lasts would be answered if it came now: a
// new token ends what was begun with the one before.
func (c *call) stillPermitted() bool {
	if trusted, _ := c.Context().Value(trustedKey{}).(bool); trusted {
		return true
	}
	is, err := c.api.identify(c.Request)
	return err == nil && is != nobody
}

// cookieName has the id of the server: two of one host share cookies across ports.
func (a *API) cookieName() string { return "air_executor_" + a.serverID }
