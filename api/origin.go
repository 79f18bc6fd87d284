package api

import "net/http"

// origins refuses changes that a page of another site makes a browser send.
func (a *API) origins(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := guard.Check(r); err != nil {
			a.refuse(w, r, crossOrigin.of(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}
