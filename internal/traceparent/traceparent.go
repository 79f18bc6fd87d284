// Package traceparent says which span of a trace an attempt is. Its command is told in
// TRACEPARENT, in the form of W3C Trace Context; the server that sends the span finds the
// same ids by itself, from the attempt's token and the environment that was stored with
// its task. So nothing of traces is stored.
package traceparent

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// The variables of a place in a trace.
const (
	Parent = "TRACEPARENT"
	State  = "TRACESTATE"
)

// Variables are all of them.
var Variables = []string{Parent, State}

// Span is the place of an attempt in a trace.
type Span struct {
	Trace  string // id, 32 hexadecimal digits
	ID     string // 16 hexadecimal digits
	Parent string // id of the span that has queued the task; empty: none is known
	Flags  byte   // of the trace
	State  string // of vendors, as it was given; empty without a parent
}

// The flags that are passed on: sampled, and random id.
const (
	sampled    = 1
	knownFlags = 3
)

// Of returns the span of the attempt with a token. Its parent is what TRACEPARENT says
// in the environment of its task, if that is well-formed; else a trace begins with it.
// The ids do not tell the token.
func Of(token string, env []string) Span {
	sum := sha256.Sum256([]byte("span of " + token))
	s := Span{Trace: hex.EncodeToString(sum[:16]), ID: hex.EncodeToString(sum[16:24]), Flags: sampled}
	trace, parent, flags, ok := parse(lookup(env, Parent))
	if ok {
		s.Trace, s.Parent, s.Flags, s.State = trace, parent, flags&knownFlags, lookup(env, State)
	}
	return s
}

// Sampled reports whether the span is to be sent: unless its parent says that it is not.
func (s Span) Sampled() bool { return s.Flags&sampled != 0 }

// Settings are the variables that the command of the attempt gets.
func (s Span) Settings() []string {
	out := []string{Parent + "=00-" + s.Trace + "-" + s.ID + "-" + hex.EncodeToString([]byte{s.Flags})}
	if s.State != "" {
		out = append(out, State+"="+s.State)
	}
	return out
}

// lookup returns the value of a variable. The last one counts: --env comes after the
// shell's.
func lookup(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// parse reads version-trace-parent-flags. A later version may have more behind that.
func parse(text string) (trace, parent string, flags byte, ok bool) {
	const length = 55
	if len(text) < length || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return "", "", 0, false
	}
	version, trace, parent, last := text[:2], text[3:35], text[36:52], text[53:length]
	switch {
	case !digits(version) || version == "ff" || !digits(trace) || !digits(parent) || !digits(last):
		return "", "", 0, false
	case strings.Trim(trace, "0") == "" || strings.Trim(parent, "0") == "":
		return "", "", 0, false
	case len(text) > length && (version == "00" || text[length] != '-'):
		return "", "", 0, false
	}
	b, err := hex.DecodeString(last)
	return trace, parent, b[0], err == nil
}

// digits reports whether a text is of hexadecimal digits in lower case.
func digits(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
