package job

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// value is one JSON value that a scanner has found to be valid, as it stands
// in the file.
type value []byte

func (v value) isNull() bool { return v[0] == 'n' }

// kind names the type of the value in messages.
func (v value) kind() string {
	switch v[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// not is the error for a value of another type than the wanted one.
func (v value) not(want string) error { return fmt.Errorf("want %s, got %s", want, v.kind()) }

// text returns a string that can be stored and handed to a program.
func (v value) text() (string, error) {
	if v[0] != '"' {
		return "", v.not("a string")
	}
	s := string(unquote(v))
	return s, CheckText("the string", s)
}

// texts returns an array of strings; what is the name of one of them in
// messages.
func (v value) texts(what string) ([]string, error) {
	if v[0] != '[' {
		return nil, v.not("an array of strings")
	}
	var list []string
	for i := skipBlanks(v, 1); v[i] != ']'; {
		if v[i] != '"' {
			return nil, fmt.Errorf("%s %d: %w", what, len(list)+1, v[i:].not("a string"))
		}
		end := endOfString(v, i)
		s, err := v[i:end].text()
		if err != nil {
			return nil, fmt.Errorf("%s %d: %w", what, len(list)+1, err)
		}
		list = append(list, s)
		if i = skipBlanks(v, end); v[i] == ',' {
			i = skipBlanks(v, i+1)
		}
	}
	return list, nil
}

// whole returns a number without fraction.
func (v value) whole() (int, error) {
	if v.kind() != "a number" {
		return 0, v.not("a whole number")
	}
	n, err := strconv.Atoi(string(v))
	if err == nil {
		return n, nil
	}
	if bytes.ContainsAny(v, ".eE") {
		return 0, fmt.Errorf("want a whole number without fraction or exponent, got %s", clip(string(v)))
	}
	return 0, fmt.Errorf("the number %s is out of range", clip(string(v)))
}

// seconds returns a duration that is given as a number of seconds above 0.
func (v value) seconds() (time.Duration, error) {
	if v.kind() != "a number" {
		return 0, v.not("a number of seconds")
	}
	d, ok := parseSeconds(string(v))
	if !ok || d < time.Microsecond {
		return 0, fmt.Errorf("want a number of seconds above 0 and up to %d, got %s",
			int64(math.MaxInt64/time.Second), clip(string(v)))
	}
	return d, nil
}

// parseSeconds reads decimals exactly, and numbers with an exponent as nearly
// as a float64 can.
func parseSeconds(s string) (time.Duration, bool) {
	if d, err := time.ParseDuration(s + "s"); err == nil {
		return d, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(f) >= float64(math.MaxInt64/time.Second) {
		return 0, false
	}
	return time.Duration(math.Round(f * float64(time.Second))), true
}

// instant returns a time.
func (v value) instant() (time.Time, error) {
	switch c := v[0]; {
	case c == '"':
		return ParseTime(string(unquote(v)))
	case c == '-' || c >= '0' && c <= '9':
		return unixTime(string(v))
	}
	return time.Time{}, v.not("a time in a string, or a Unix time")
}

// skipBlanks returns the position of the first byte from i on that is not
// blank.
func skipBlanks(v value, i int) int {
	for v[i] == ' ' || v[i] == '\n' || v[i] == '\t' || v[i] == '\r' {
		i++
	}
	return i
}

// endOfString returns the position after the string that begins at i.
func endOfString(v value, i int) int {
	for i++; v[i] != '"'; i++ {
		if v[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// unquote returns what a valid JSON string stands for. Where there are no
// escapes it does not copy.
func unquote(quoted []byte) []byte {
	s := quoted[1 : len(quoted)-1]
	i := bytes.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		if s[i] != '\\' {
			out = append(out, s[i])
			i++
			continue
		}
		if c, ok := escapes(s[i+1]); ok {
			out = append(out, c)
			i += 2
			continue
		}
		r, _ := unit(s[i:])
		i += unitBytes
		if utf16.IsSurrogate(r) {
			low, _ := unit(s[i:])
			r = utf16.DecodeRune(r, low)
			i += unitBytes
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// escapes returns what a backslash and c stand for, except \u.
func escapes(c byte) (byte, bool) {
	switch c {
	case '"', '\\', '/':
		return c, true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

// unit returns the UTF-16 unit that the escape at the start of s stands for.
func unit(s []byte) (rune, bool) {
	if s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:unitBytes] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
