// Package traces sends a span for each attempt to a collector of OpenTelemetry: OTLP over
// HTTP, as JSON. It reads what has ended from the events, behind a place that it notes in
// the database, and sends some at a time. Which span an attempt is, its command knows,
// too: see package traceparent.
package traces

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config says where spans go. The variables that it comes from are those of the
// OpenTelemetry specification.
type Config struct {
	URL      string // of the collector
	Headers  http.Header
	Timeout  time.Duration // of one request
	Gzip     bool
	Resource []Attribute // what all spans share
}

// The variables for all signals; those for traces have TRACES_ in the middle.
const (
	prefix   = "OTEL_EXPORTER_OTLP_"
	endpoint = "ENDPOINT"
)

const defaultTimeout = 10 * time.Second

// Find reads the configuration from the environment, such as with os.Getenv. Nil:
// no spans are wanted. Warnings are about values that are passed over, as the specification
// says. An error names the variable.
func Find(getenv func(string) string) (c *Config, warnings []string, err error) {
	e := environment{getenv: getenv}
	if !e.wanted() {
		return nil, e.warnings, nil
	}
	c = &Config{Headers: http.Header{}, Timeout: defaultTimeout}
	if c.URL, err = e.url(); err != nil {
		return nil, nil, err
	}
	if name, protocol := e.signal("PROTOCOL"); protocol != "" && protocol != "http/json" {
		return nil, nil, fmt.Errorf("%s: %q is not spoken here: only http/json is", name, protocol)
	}
	if name, text := e.signal("TIMEOUT"); text != "" {
		ms, err := strconv.ParseInt(text, 10, 32)
		if err == nil && ms > 0 {
			c.Timeout = time.Duration(ms) * time.Millisecond
		} else {
			e.pass(name, "%q is not a number of milliseconds", text)
		}
	}
	switch name, text := e.signal("COMPRESSION"); text {
	case "", "none":
	case "gzip":
		c.Gzip = true
	default:
		e.pass(name, "%q is neither gzip nor none", text)
	}
	name, text := e.signal("HEADERS")
	for _, kv := range e.pairs(name, text) {
		c.Headers.Set(kv[0], kv[1])
	}
	c.Resource = e.resource()
	return c, e.warnings, nil
}

// environment reads variables. One that is empty is as if it were not set.
type environment struct {
	getenv   func(string) string
	warnings []string
}

// wanted reports whether the environment asks for spans.
func (e *environment) wanted() bool {
	if strings.EqualFold(e.get("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	if _, text := e.signal(endpoint); text == "" {
		return false
	}
	exporter := e.get("OTEL_TRACES_EXPORTER")
	if exporter != "" && exporter != "none" && exporter != "otlp" {
		e.pass("OTEL_TRACES_EXPORTER", "%q is neither otlp nor none", exporter)
	}
	return exporter != "none"
}

func (e *environment) get(name string) string { return strings.TrimSpace(e.getenv(name)) }

// signal returns the variable of traces, or else of all signals, without their prefix.
func (e *environment) signal(what string) (name, text string) {
	name = prefix + "TRACES_" + what
	if text = e.get(name); text == "" {
		name = prefix + what
		text = e.get(name)
	}
	return name, text
}

func (e *environment) pass(name, format string, args ...any) {
	e.warnings = append(e.warnings, name+" is passed over: "+fmt.Sprintf(format, args...))
}

// url returns where spans go: the address of traces as it is, or below that of all
// signals.
func (e *environment) url() (string, error) {
	name, text := e.signal(endpoint)
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" { // the text may hold a password
		return "", fmt.Errorf("%s is not an address of a collector; an example: http://127.0.0.1:4318", name)
	}
	if name == prefix+endpoint {
		return u.JoinPath("v1", "traces").String(), nil
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// pairs reads a list of name=value with a comma between. Values may have %-escapes. The
// whole of a list with a fault is passed over; it is not shown, as it may hold secrets.
func (e *environment) pairs(name, text string) (out [][2]string) {
	if text == "" {
		return nil
	}
	for i, one := range strings.Split(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		key, value, ok := strings.Cut(one, "=")
		key = strings.TrimSpace(key)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || key == "" || err != nil || strings.ContainsAny(key+value, "\r\n\x00") {
			e.pass(name, "its entry %d is not name=value", i+1)
			return nil
		}
		out = append(out, [2]string{key, value})
	}
	return out
}

// resource returns the attributes that all spans share. OTEL_SERVICE_NAME wins.
func (e *environment) resource() []Attribute {
	const name, service = "OTEL_RESOURCE_ATTRIBUTES", "service.name"
	called := e.get("OTEL_SERVICE_NAME")
	var rest []Attribute
	for _, kv := range e.pairs(name, e.get(name)) {
		switch {
		case kv[0] != service:
			rest = append(rest, Text(kv[0], kv[1]))
		case called == "":
			called = kv[1]
		}
	}
	if called == "" {
		called = "air-executor"
	}
	return append([]Attribute{Text(service, called)}, rest...)
}
