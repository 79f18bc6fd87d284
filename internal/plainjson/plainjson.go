// Package plainjson writes JSON that is harmless on a terminal.
package plainjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Marshal is json.MarshalIndent, except that it does not escape < and >, and escapes
// characters that could manipulate a terminal.
func Marshal(v any, prefix, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, indent)
	err := enc.Encode(v)
	return safe(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// safe escapes the characters in a JSON text that JSON allows but that are not harmless
// on a terminal. They only occur inside strings.
func safe(b []byte) []byte {
	odd := func(r rune) bool { return r >= 0x7f && r < 0xa0 || TurnsAround(r) }
	if !strings.ContainsFunc(string(b), odd) {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	for _, r := range string(b) {
		if odd(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

// TurnsAround reports whether a character changes the order in which others are shown,
// or begins a new line: Unicode's bidirectional embeddings, overrides and isolates, and
// the line separators.
func TurnsAround(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029
}
