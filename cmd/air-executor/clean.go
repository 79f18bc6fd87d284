package main

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/air-executor/air-executor/internal/plainjson"
)

// Output to a terminal. Text from elsewhere (stored names and errors, file names,
// flags, the output of commands) may contain sequences that retitle a window, clear the
// screen or reverse the order of letters. Text reaches a terminal in three ways, and
// each makes such sequences visible:
//
//   - printf and notef clean their arguments,
//   - grid and describe clean each cell with oneLine,
//   - the logs of tasks go through a filter.
//
// Results that go into a pipe or a file are written as they are. Remarks and
// errors, on stderr, are always cleaned: one remark is one line.

// oneLine makes control characters visible, newline and escape among them, so that
// stored text cannot manipulate a terminal or confuse a program that reads lines.
func oneLine(s string) string {
	if harmless(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x100 && unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case turnsAround(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func harmless(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || turnsAround(r) })
}

// turnsAround reports whether a character changes the order in which others are shown.
func turnsAround(r rune) bool { return plainjson.TurnsAround(r) }

// painted is text that may contain our own escape sequences.
type painted string

// clean makes the arguments of a format harmless.
func clean(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case painted:
			out[i] = v
		case string:
			out[i] = oneLine(v)
		case error:
			out[i] = oneLine(v.Error())
		default:
			if s := reflect.ValueOf(arg); s.Kind() == reflect.String {
				arg = oneLine(s.String())
			}
			out[i] = arg
		}
	}
	return out
}
