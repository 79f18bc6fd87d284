package api

import (
	"fmt"
	"html"
	"net/http"
	"strings"
)

// pages are what a browser is shown, by path. They need no token, and say nothing about
// jobs.
func pages() map[string]func(*API, http.ResponseWriter, *http.Request) {
	return map[string]func(*API, http.ResponseWriter, *http.Request){
		"/":                front,
		"/problems/{name}": problemPage,
	}
}

// front is the page at /, until there is one to work with.
func front(a *API, w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		a.refuse(w, r, notFound.errorf("nothing is at %s", r.URL.EscapedPath()))
		return
	}
	writePage(w, http.StatusOK, "air-executor", `<p>The page to work with is still to come. The HTTP API is here: its document is
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>. It needs a token: <code>Authorization: Bearer TOKEN</code>, with the text of
<code>api.token</code> in the base path.</p>`)
}

// problemPage explains an error that was answered.
func problemPage(a *API, w http.ResponseWriter, r *http.Request) {
	for _, p := range problems() {
		if p.name == r.PathValue("name") {
			writePage(w, http.StatusOK, p.title, fmt.Sprintf("<p>Status %d. %s</p>", p.status, html.EscapeString(p.help)))
			return
		}
	}
	a.refuse(w, r, notFound.errorf("there is no such problem"))
}

func writePage(w http.ResponseWriter, status int, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	title = html.EscapeString(title)
	_, _ = fmt.Fprint(w, strings.ReplaceAll(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>TITLE</title>
<h1>TITLE</h1>
`, "TITLE", title)+body+"\n</html>\n")
}
