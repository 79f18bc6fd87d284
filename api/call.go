package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/plainjson"
)

// How long reading a body and writing an answer may take.
const (
	readLimit  = 30 * time.Second
	writeLimit = 30 * time.Second
)

// call is one request, as an endpoint sees it.
type call struct {
	*http.Request
	w     http.ResponseWriter
	api   *API
	route *route
	role  role
}

// answer is what an endpoint answers.
type answer struct {
	status  int
	body    any
	text    []byte // the body, if it was written before
	written bool   // the endpoint has written it itself
}

// ok answers with an object or a list.
func ok(v any, err error) (answer, error) { return answer{status: http.StatusOK, body: v}, err }

// empty answers with nothing: it is done.
func empty() (answer, error) { return answer{status: http.StatusNoContent}, nil }

// serve answers a request with an endpoint.
func (c *call) serve() {
	if err := c.permit(); err != nil {
		c.api.refuse(c.w, c.Request, err)
		return
	}
	if !c.accepted() {
		c.api.refuse(c.w, c.Request, notAcceptable.errorf("the answer is %s, which Accept does not allow", strings.Join(c.route.doc().produces(), " or ")))
		return
	}
	out, err := c.route.handle(c)
	switch {
	case err != nil:
		c.api.refuse(c.w, c.Request, err)
	case out.written:
	case out.text != nil:
		c.api.send(c.w, out.status, "application/json", out.text)
	case out.body == nil:
		c.w.WriteHeader(out.status)
	default:
		c.api.write(c.w, out.status, "application/json", out.body)
	}
}

// write answers with JSON. Whatever was read for it was read before.
func (a *API) write(w http.ResponseWriter, status int, kind string, v any) {
	text, err := plainjson.Marshal(v, "", "  ")
	if err != nil {
		a.log.Error("cannot write an answer", "error", err)
		status, text = http.StatusInternalServerError, nil
	}
	a.send(w, status, kind, append(text, '\n'))
}

// send answers with a text.
func (a *API) send(w http.ResponseWriter, status int, kind string, text []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeLimit))
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// accepted reports whether the header Accept allows one of the answers.
func (c *call) accepted() bool {
	wants := c.Header.Values("Accept")
	makes := c.route.doc().produces()
	if len(wants) == 0 || len(makes) == 0 {
		return true
	}
	for want := range strings.SplitSeq(strings.Join(wants, ","), ",") {
		kind, values, err := mime.ParseMediaType(want)
		if err != nil {
			continue
		}
		if q, err := strconv.ParseFloat(values["q"], 64); err == nil && q == 0 {
			continue
		}
		main, _, _ := strings.Cut(kind, "/")
		for _, m := range makes {
			if kind == "*/*" || kind == m || kind == main+"/*" && strings.HasPrefix(m, main+"/") {
				return true
			}
		}
	}
	return false
}

// read reads the body, which is JSON, into v. Unknown keys are faults.
func (c *call) read(v any) error {
	text, err := c.text()
	if err != nil {
		return err
	}
	return decode(text, v)
}

// decode reads JSON. Unknown keys are faults.
func decode(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	var kindOf *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kindOf):
		p := invalid.errorf("the body is wrong")
		p.faults = []Fault{{Pointer: "/" + strings.ReplaceAll(kindOf.Field, ".", "/"), Message: "must not be a " + kindOf.Value}}
		return p
	case err != nil && strings.HasPrefix(err.Error(), "json: unknown field "):
		p := invalid.errorf("the body is wrong")
		name, _ := strconv.Unquote(strings.TrimPrefix(err.Error(), "json: unknown field "))
		p.faults = []Fault{{Pointer: "/" + name, Message: "there is no such key"}}
		return p
	case err != nil:
		return badBody.errorf("the body is not JSON: %v", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return badBody.errorf("there is more than one JSON value in the body")
	}
	return nil
}

// text reads the body, which is JSON.
func (c *call) text() ([]byte, error) {
	kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, wrongType.errorf("the body is %q, want application/json", c.Header.Get("Content-Type"))
	}
	text, err := io.ReadAll(c.Body)
	if err != nil {
		return nil, unreadable(err)
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	return text, nil
}

// unreadable is the error about a body that did not come.
func unreadable(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return err
	}
	return badBody.errorf("the body was not sent: %v", err)
}

// address is the absolute address of a page, as the caller reaches the server.
func (c *call) address(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return c.api.origin(c.Request) + "/" + strings.Join(parts, "/")
}

// key returns the path parameter that is a number.
func (c *call) number(name string, none kindOfProblem) (int64, error) {
	n, err := strconv.ParseInt(c.PathValue(name), 10, 64)
	if err != nil || n < 1 {
		return 0, none.errorf("%s: %q", strings.ToLower(none.title), c.PathValue(name))
	}
	return n, nil
}
