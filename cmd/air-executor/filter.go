package main

import (
	"fmt"
	"unicode/utf8"
)

// filter makes the output of a command harmless for a terminal. Text, newlines, tabs
// and colours (ESC [ … m) pass. With edits, so do carriage return, backspace and
// erase-line (ESC [ … K), which progress bars use. Everything else is made visible: as
// ^X, or by its number. Output may come in parts of any size; a possible beginning of a
// sequence is held back until the rest has come.
type filter struct {
	edits    bool
	held     []byte // beginning of a sequence or of a character
	coloured bool   // a colour was set and not yet put back
}

// longest is the maximum length of a sequence that passes.
const longest = 64

// add appends to dst what of b, and of what was held back, can be shown.
func (f *filter) add(dst, b []byte) []byte {
	if len(f.held) > 0 {
		b = append(f.held, b...)
		f.held = nil
	}
	for len(b) > 0 {
		var n int
		if dst, n = f.one(dst, b, false); n == 0 {
			f.held = append([]byte(nil), b...)
			break
		}
		b = b[n:]
	}
	return dst
}

// end appends what is still held back, and puts the colours back.
func (f *filter) end(dst []byte) []byte {
	for len(f.held) > 0 {
		var n int
		dst, n = f.one(dst, f.held, true)
		f.held = f.held[n:]
	}
	if f.coloured {
		dst = append(dst, "\x1b[0m"...)
		f.coloured = false
	}
	return dst
}

// one appends the first character or sequence of b, and returns how many bytes it had;
// 0: the rest of it has not come yet. If final, b is the last part.
func (f *filter) one(dst, b []byte, final bool) ([]byte, int) {
	switch c := b[0]; {
	case c == '\n' || c == '\t' || f.edits && (c == '\r' || c == '\b'):
		return append(dst, c), 1
	case c == '\r' && len(b) == 1 && !final:
		return dst, 0
	case c == '\r' && len(b) > 1 && b[1] == '\n':
		return dst, 1
	case c == 0x1b:
		return f.sequence(dst, b, final)
	case c < 0x20 || c == 0x7f:
		return append(dst, '^', c^0x40), 1
	case c < utf8.RuneSelf:
		return append(dst, c), 1
	case !utf8.FullRune(b) && !final:
		return dst, 0
	}
	r, n := utf8.DecodeRune(b)
	switch {
	case r == utf8.RuneError && n == 1 && b[0] < 0xa0: // a control character where bytes are Latin-1
		return fmt.Appendf(dst, `\x%02x`, b[0]), 1
	case r >= 0x80 && r < 0xa0 || turnsAround(r):
		return fmt.Appendf(dst, `\u%04x`, r), n
	}
	return append(dst, b[:n]...), n
}

// sequence appends one that begins with ESC, or shows that ESC.
func (f *filter) sequence(dst, b []byte, final bool) ([]byte, int) {
	for i := 1; i < min(len(b), longest); i++ {
		switch c := b[i]; {
		case i == 1 && c == '[':
		case i > 1 && (c == ';' || c == ':' || c >= '0' && c <= '9'):
		case i > 1 && c == 'm':
			last := b[i-1]
			f.coloured = !(last == '[' || last == '0' && (b[i-2] == '[' || b[i-2] == ';'))
			return append(dst, b[:i+1]...), i + 1
		case f.edits && c == 'K' && (i == 2 || i == 3 && b[2] <= '2'):
			return append(dst, b[:i+1]...), i + 1
		default:
			return append(dst, '^', '['), 1
		}
	}
	if len(b) < longest && !final {
		return dst, 0
	}
	return append(dst, '^', '['), 1
}

// visible returns b made harmless, without sequences that move the cursor in a line.
func visible(b []byte) []byte {
	var f filter
	return f.end(f.add(make([]byte, 0, len(b)), b))
}
