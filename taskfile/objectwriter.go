package taskfile

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/air-executor/air-executor/job"
)

// objectWriter writes one JSON object, one member per line, indented by two spaces per
// level.
type objectWriter struct {
	b     []byte
	depth int // of the members
	count int
}

func (w *objectWriter) key(name string) {
	w.member()
	w.b = appendString(w.b, name)
	w.b = append(w.b, ": "...)
}

// member begins a line for the next member.
func (w *objectWriter) member() {
	if w.count == 0 {
		w.b = append(w.b, '{')
	} else {
		w.b = append(w.b, ',')
	}
	w.count++
	w.newLine(w.depth)
}

// end closes the object, which has at least one member.
func (w *objectWriter) end() {
	w.newLine(w.depth - 1)
	w.b = append(w.b, '}')
}

func (w *objectWriter) newLine(depth int) {
	w.b = append(w.b, '\n')
	for range depth {
		w.b = append(w.b, "  "...)
	}
}

func (w *objectWriter) text(name, s string) {
	w.key(name)
	w.b = appendString(w.b, s)
}

func (w *objectWriter) texts(name string, list []string) {
	w.key(name)
	w.b = append(w.b, '[')
	for i, s := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.newLine(w.depth + 1)
		w.b = appendString(w.b, s)
	}
	if len(list) > 0 {
		w.newLine(w.depth)
	}
	w.b = append(w.b, ']')
}

// pairs writes "KEY=VALUE" pairs as an object.
func (w *objectWriter) pairs(name string, list []string) {
	w.key(name)
	in := objectWriter{b: w.b, depth: w.depth + 1}
	for _, pair := range list {
		key, value, _ := strings.Cut(pair, "=")
		in.text(key, value)
	}
	in.end()
	w.b = in.b
}

func (w *objectWriter) whole(name string, n int) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

// instant writes null for the zero time.
func (w *objectWriter) instant(name string, t time.Time) {
	if t.IsZero() {
		w.null(name)
		return
	}
	w.text(name, job.FormatTime(t))
}

// seconds writes a positive duration, exact to the nanosecond.
func (w *objectWriter) seconds(name string, d time.Duration) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, int64(d/time.Second), 10)
	if rest := d % time.Second; rest > 0 {
		w.b = append(w.b, strings.TrimRight(fmt.Sprintf(".%09d", rest), "0")...)
	}
}

func (w *objectWriter) null(name string) {
	w.key(name)
	w.b = append(w.b, "null"...)
}

// extra copies the members of a JSON object, except those whose key the written object
// has itself.
func (w *objectWriter) extra(raw []byte, own func(key string) bool) error {
	if len(raw) == 0 {
		return nil
	}
	in := newStream("keys of other tools: JSON", bytes.NewReader(raw), inSequence, "an object")
	if err := in.object(); err != nil {
		return err
	}
	o := &in.o
	for i := range o.list {
		m := &o.list[i]
		if own(string(m.key)) {
			continue
		}
		w.member()
		w.b = append(w.b, o.raw[m.keyFrom:m.keyTo]...)
		w.b = append(w.b, ": "...)
		w.b = append(w.b, o.raw[m.from:m.to]...)
	}
	return nil
}

// appendString writes a JSON string. It escapes only what it must: <, > and & stay
// readable. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error only reports U+FFFD
	return b
}
