package traces

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The messages of OTLP that are needed (opentelemetry/proto/trace/v1), in the JSON form of
// OTLP: ids are hexadecimal, 64-bit numbers are strings, enumerations are numbers.

type request struct {
	ResourceSpans []resourceSpans `json:"resourceSpans"`
}

type resourceSpans struct {
	Resource   resource     `json:"resource"`
	ScopeSpans []scopeSpans `json:"scopeSpans"`
}

type resource struct {
	Attributes []Attribute `json:"attributes"`
}

type scopeSpans struct {
	Scope scope  `json:"scope"`
	Spans []span `json:"spans"`
}

type scope struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

type span struct {
	TraceID    string      `json:"traceId"`
	SpanID     string      `json:"spanId"`
	TraceState string      `json:"traceState,omitempty"`
	Parent     string      `json:"parentSpanId,omitempty"`
	Flags      uint32      `json:"flags"`
	Name       string      `json:"name"`
	Kind       int         `json:"kind"`
	Start      nanoseconds `json:"startTimeUnixNano"`
	End        nanoseconds `json:"endTimeUnixNano"`
	Attributes []Attribute `json:"attributes"`
	Links      []link      `json:"links,omitempty"`
	Status     status      `json:"status"`
}

type link struct {
	TraceID    string      `json:"traceId"`
	SpanID     string      `json:"spanId"`
	TraceState string      `json:"traceState,omitempty"`
	Attributes []Attribute `json:"attributes"`
	Flags      uint32      `json:"flags"`
}

type status struct {
	Code    int    `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// The values of enumerations and bits that are used.
const (
	kindInternal = 1
	statusError  = 2
	knowsRemote  = 0x100 // whether the parent is of another process is known
	remote       = 0x200 // it is
)

// nanoseconds is a Unix time.
type nanoseconds int64

// MarshalJSON writes a string.
func (n nanoseconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatInt(int64(n), 10)), nil
}

// Attribute is a fact about a span or a resource.
type Attribute struct {
	key    string
	text   string
	number int64
	is     bool // it is a number
}

// maxText is the most bytes of a text.
const maxText = 4096

// Text is an attribute with a text. A long one is cut.
func Text(key, value string) Attribute {
	if len(value) > maxText {
		end := maxText
		for end > 0 && !utf8.RuneStart(value[end]) {
			end--
		}
		value = value[:end]
	}
	return Attribute{key: key, text: strings.ToValidUTF8(value, "\ufffd")}
}

// Number is an attribute with a number.
func Number(key string, value int64) Attribute { return Attribute{key: key, number: value, is: true} }

// MarshalJSON writes a KeyValue.
func (a Attribute) MarshalJSON() ([]byte, error) {
	value := map[string]string{"stringValue": a.text}
	if a.is {
		value = map[string]string{"intValue": strconv.FormatInt(a.number, 10)}
	}
	return json.Marshal(struct {
		Key   string            `json:"key"`
		Value map[string]string `json:"value"`
	}{a.key, value})
}

// response is what a collector answers.
type response struct {
	PartialSuccess struct {
		Rejected json.Number `json:"rejectedSpans"` // a string in the JSON of OTLP; some write a number
		Message  string      `json:"errorMessage"`
	} `json:"partialSuccess"`
}
