package job

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// objectWriter writes one JSON object, a member a line, indented by two spaces
// a level.
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

// textOrNull writes null for "".
func (w *objectWriter) textOrNull(name, s string) {
	if s == "" {
		w.null(name)
		return
	}
	w.text(name, s)
}

// textIfAny writes nothing for "".
func (w *objectWriter) textIfAny(name, s string) {
	if s != "" {
		w.text(name, s)
	}
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
	w.text(name, FormatTime(t))
}

// seconds writes a duration that is above 0, to the nanosecond.
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

// extra writes the members of a JSON object as they stand there, except those
// whose key is among known: the object being written has its own.
func (w *objectWriter) extra(raw []byte, known ...[]string) error {
	if len(raw) == 0 {
		return nil
	}
	var o object
	if err := scanObject(raw, &o); err != nil {
		return fmt.Errorf("keys of other tools: %w", err)
	}
	for i := range o.members {
		m := &o.members[i]
		if slices.ContainsFunc(known, func(list []string) bool { return lookUp(list, m.key) != "" }) {
			continue
		}
		w.member()
		w.b = append(w.b, o.raw[m.keyFrom:m.keyTo]...)
		w.b = append(w.b, ": "...)
		w.b = append(w.b, o.value(m)...)
	}
	return nil
}

// appendExtra adds a member of o to a JSON object that lacks its closing
// brace; nil is the empty one. Key and value are copied as they stand.
func appendExtra(extra []byte, o *object, m *member) []byte {
	if extra == nil {
		extra = append(extra, '{')
	} else {
		extra = append(extra, ',')
	}
	extra = append(extra, o.raw[m.keyFrom:m.keyTo]...)
	extra = append(extra, ':')
	return append(extra, o.value(m)...)
}

// endExtra closes what appendExtra made.
func endExtra(extra []byte) []byte {
	if extra == nil {
		return nil
	}
	return append(extra, '}')
}

// appendString writes a JSON string. It escapes what it must and no more: <, >
// and & stay readable. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
		i++
	}
	return append(b, '"')
}
